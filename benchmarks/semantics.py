"""Whether soft answers are what they claim: certificates, their errors, and calibration.

    python -m benchmarks.semantics FOLDER [--json FILE] [--quick]

FOLDER holds CLEVR-Ref+'s programs and scenes (``refexps.json``, ``scenes.json``,
``masks.json``). Three measurements, each with fixed seeds:

certificates
    The released expressions on their own scenes, made noisy (``benchmarks/noisy_scenes.py``) around
    the released values. An expression for one object is read as a definite, one for several as a
    definite plural. Counted is the share that the tensor executor certifies as exact; every other
    program is held against the expectation over worlds, enumerated where there are at most
    ``LIMIT`` of them, else sampled. Certified ones are held against enumeration where that is
    possible.
calibration
    A truth is drawn, then an observation of it; then a family by its share of the released
    expressions, and within it an expression evenly until one has an answer in the likeliest world
    of the observation. So the program depends on what was observed only, and never on the truth.
    Every probability that the answer states is an event: each object to be in it, none, many. The
    top answer is the likeliest of all of them, for definites.
random programs
    Programs of depth up to 4 over all operators on scenes of up to 4 objects
    (``benchmarks/random_programs.py``), against enumeration.

The error of a program is the largest absolute difference of any number of its outcome.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.noisy_scenes import observe
from benchmarks.random_programs import random_program, random_scene
from neurosym.datasets.clevr import Item, SceneKey, read_items, read_scenes, translate
from neurosym.errors import ExecutionError, NeurosymError
from neurosym.executors.base import Outcome
from neurosym.executors.reference import ReferenceExecutor
from neurosym.executors.tensor import TensorExecutor
from neurosym.executors.worlds import WorldsExecutor
from neurosym.files import write_atomically
from neurosym.metrics import expected_calibration_error
from neurosym.program import Kind, Op, The, ThePlural
from neurosym.scene import Scene

ERRORS = (0.02, 0.05, 0.10)
"""Error rates of the simulated detector and classifiers."""
CERTIFIED_BAR = 0.85
CALIBRATION_BAR = 0.02
EXACT_BAR = 1e-5
LIMIT, SAMPLES = 50_000, 10_000
"""Most worlds to enumerate, and how many to sample where there are more."""
ALL_CASES = 50_000
"""How many cases an oracle keeps apart."""
TRIES = 400
"""How many expressions are tried on one observation before another one is made."""
RESAMPLED = 300
"""How many bootstrap samples an interval comes from."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Budget:
    """How much to measure.

    Attributes:
        expressions: released expressions for each error rate; None for all.
        checked: most approximate and most certified programs for each error rate that are held
            against worlds.
        observations: observations for each error rate.
        programs: random programs.
    """

    expressions: int | None
    checked: int
    observations: int
    programs: int


FULL = Budget(expressions=None, checked=40, observations=5000, programs=4000)
QUICK = Budget(expressions=120, checked=20, observations=150, programs=400)


def as_said(program: Op, members: int) -> Op:
    """The definite that a person says of a set with so many members."""
    return The(program) if members == 1 else ThePlural(program)


def numbers(outcome: Outcome) -> Tensor:
    """Every number of an outcome in one row, float64."""
    rows = [outcome.objects, outcome.number, outcome.value]
    single = [outcome.truth or 0.0, outcome.none, outcome.many]
    stated = [row.detach().double() for row in rows if row is not None]
    return torch.cat([*stated, torch.tensor(single, dtype=torch.float64)])


def difference(one: Outcome, other: Outcome) -> float:
    """The largest absolute difference of two outcomes' numbers."""
    return float((numbers(one) - numbers(other)).abs().max())


# Certificates.


@dataclass(frozen=True)
class Ran:
    """A program that was run on a noisy scene.

    Attributes:
        family: its family.
        program: what was run.
        scene: on what.
        outcome: what came out; None when it was refused.
        blamed: what stands in the way of certainty, empty when it is certified.
    """

    family: str
    program: Op
    scene: Scene
    outcome: Outcome | None
    blamed: str

    @property
    def certified(self) -> bool:
        """Whether the outcome claims to be exact."""
        return self.outcome is not None and self.outcome.exact


def run_expressions(
    items: Sequence[Item], scenes: dict[SceneKey, Scene], error: float, seed: int
) -> list[Ran]:
    """Every expression on its own scene, made noisy."""
    tensor, draw = TensorExecutor(), random.Random(seed)
    found = []
    for item in items:
        program = as_said(translate(item.program), len(item.objects or ()))
        scene = observe(scenes[item.scene], error, draw, as_released=True).scene
        found.append(_ran(tensor, item.family, program, scene))
    return found


def _ran(tensor: TensorExecutor, family: str, program: Op, scene: Scene) -> Ran:
    try:
        outcome = tensor.run(program, scene)
    except ExecutionError as error:
        return Ran(family, program, scene, None, f"refused: {error.message}")
    return Ran(family, program, scene, outcome, _blame(outcome))


def _blame(outcome: Outcome) -> str:
    """The first step that is not exact, with what it shares; or that cases were left out."""
    for step in outcome.steps:
        if not step.exact:
            shared = sorted({op.name for op in step.certificate.shared})
            return f"{step.op.name} over {', '.join(shared) or 'something uncertain'}"
    return "" if outcome.exact else "cases left out"


def share_rows(runs: Sequence[Ran], key: Callable[[Ran], str]) -> list[Row]:
    """The certified share by a key, and of all."""
    rows = []
    for name in [*sorted({key(ran) for ran in runs}), "all"]:
        own = [ran for ran in runs if name in (key(ran), "all")]
        certified = sum(ran.certified for ran in own)
        rows.append(
            {
                "of": name,
                "programs": len(own),
                "certified": certified,
                "share": round(certified / len(own), 4),
            }
        )
    return rows


def error_rows(runs: Sequence[Ran], checked: int, draw: random.Random) -> list[Row]:
    """Errors against the expectation over worlds, of certified and of approximate programs."""
    rows = []
    for certified in (True, False):
        own = [ran for ran in runs if ran.outcome is not None and ran.certified == certified]
        found: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
        for ran in draw.sample(own, min(checked, len(own))):
            for against, expected in _oracles(ran):
                found[against].append((_gap(ran, expected), expected.error, _left_out(ran)))
        for against, gaps in found.items():
            errors, deviations, left_out = zip(*gaps, strict=True)
            rows.append(
                {
                    "programs": "certified" if certified else "approximate",
                    "count": len(own),
                    "against": against,
                    "checked": len(gaps),
                    "mean_error": _small(_mean(errors)),
                    "max_error": _small(max(errors)),
                    "standard_error": _small(max(deviations)),
                    "mean_left_out": _small(_mean(left_out)),
                    "max_left_out": _small(max(left_out)),
                }
            )
    return rows


def _oracles(ran: Ran) -> Iterator[tuple[str, Outcome]]:
    """What a program's outcome is held against, by name; nothing where all would take too long.

    Where the only fault is that cases were left out, also the same executor with all of them.
    """
    samples = 1 if ran.certified else SAMPLES
    expected = WorldsExecutor(limit=LIMIT, samples=samples, seconds=60.0).run(
        ran.program, ran.scene
    )
    if expected.exact:
        yield "every world", expected
    elif not ran.certified:
        yield f"{SAMPLES} worlds", expected
    if not ran.certified and ran.outcome is not None and ran.outcome.certificate.exact:
        whole = TensorExecutor(max_cases=ALL_CASES, trace=False).run(ran.program, ran.scene)
        if whole.exact:
            yield "every case", whole


def _left_out(ran: Ran) -> float:
    return 0.0 if ran.outcome is None else ran.outcome.unexplored


def _gap(ran: Ran, expected: Outcome) -> float:
    if ran.outcome is None:
        raise AssertionError("only programs with an outcome are held against worlds")
    return difference(ran.outcome, expected)


def measure_certificates(
    items: Sequence[Item], scenes: dict[SceneKey, Scene], budget: Budget
) -> dict[str, list[Row]]:
    """The tables of the first measurement."""
    shares: list[Row] = []
    errors: list[Row] = []
    every: list[Ran] = []
    for number, error in enumerate(ERRORS):
        draw = random.Random(number)
        chosen = list(items)
        if budget.expressions is not None:
            chosen = draw.sample(chosen, min(budget.expressions, len(chosen)))
        runs = run_expressions(chosen, scenes, error, seed=number)
        every += runs
        shares += [{"noise": error, **share_rows(runs, lambda ran: ran.family)[-1]}]
        errors += [{"noise": error, **row} for row in error_rows(runs, budget.checked, draw)]
    return {
        "certified share by noise": shares,
        "certified share by family": share_rows(every, lambda ran: ran.family),
        "certified share by hypotheses in the scene": share_rows(
            every, lambda ran: f"{len(ran.scene):2d}"
        ),
        "what stands in the way": [
            {"construct": name, "programs": count, "share": round(count / len(every), 4)}
            for name, count in Counter(r.blamed for r in every if r.blamed).most_common()
        ],
        "errors against the expectation over worlds": errors,
    }


# Calibration.


@dataclass(frozen=True)
class Statement:
    """What was stated about one observation, and what was so.

    Attributes:
        stated: [event] probabilities.
        happened: [event] bool.
        top: the probability of the likeliest answer of a definite; None for plurals.
        top_right: whether that was so.
        certified: whether the answer claims to be exact.
        tries: how many expressions were tried.
        failed: whether nothing, or too much, answers the expression in truth.
    """

    stated: Tensor
    happened: Tensor
    top: float | None
    top_right: bool
    certified: bool
    tries: int
    failed: bool


def apt_program(
    families: Sequence[str],
    by_family: dict[str, list[Op]],
    likeliest: Scene,
    draw: random.Random,
) -> tuple[Op, int] | None:
    """A program that has an answer in the likeliest world, and how many were tried.

    Args:
        families: every item's family: drawing from them keeps the released shares.
        by_family: the programs of each.
        likeliest: a crisp scene.
        draw: everything random.
    """
    reference = ReferenceExecutor()
    family = draw.choice(families)
    for tries in range(1, TRIES + 1):
        program = draw.choice(by_family[family])
        outcome = reference.run(program, likeliest)
        if not outcome.none and not outcome.many and outcome.objects is not None:
            return as_said(program, int(outcome.objects.sum())), tries
    return None


def make_statements(
    items: Sequence[Item], scenes: dict[SceneKey, Scene], error: float, count: int, seed: int
) -> list[Statement]:
    """So many statements at one error rate."""
    draw, tensor, reference = random.Random(seed), TensorExecutor(trace=False), ReferenceExecutor()
    families = [item.family for item in items]
    by_family: dict[str, list[Op]] = defaultdict(list)
    for item in items:
        by_family[item.family].append(translate(item.program))
    places = [scenes[key] for key in sorted(scenes)]
    made: list[Statement] = []
    while len(made) < count:
        seen = observe(draw.choice(places), error, draw)
        found = apt_program(families, by_family, seen.scene.most_likely(), draw)
        if found is not None:
            program, tries = found
            stated, truth = tensor.run(program, seen.scene), reference.run(program, seen.truth)
            made.append(_statement(program, stated, truth, tries))
    return made


def _statement(program: Op, stated: Outcome, truth: Outcome, tries: int) -> Statement:
    if stated.objects is None or truth.objects is None:
        raise AssertionError("an expression has objects")
    said = torch.cat([stated.objects.double(), torch.tensor([stated.none, stated.many])])
    so = torch.cat([truth.objects.double(), torch.tensor([truth.none, truth.many])]) > 0.5
    top = int(said.argmax())
    is_definite = stated.kind is Kind.REFERENT
    # Where nothing presupposes one, there cannot be many: that is no event.
    events = slice(None if any(isinstance(node, The) for node in program.walk()) else -1)
    return Statement(
        stated=said[events].clamp(0, 1),
        happened=so[events],
        top=float(said[top].clamp(0, 1)) if is_definite else None,
        top_right=bool(so[top]),
        certified=stated.exact,
        tries=tries,
        failed=bool(truth.none or truth.many),
    )


def calibration_row(name: str, made: Sequence[Statement], draw: random.Random) -> Row:
    """The calibration of so many statements."""
    events = [(one.stated, one.happened) for one in made]
    tops = [
        (torch.tensor([one.top]), torch.tensor([one.top_right]))
        for one in made
        if one.top is not None
    ]
    row = {
        "of": name,
        "statements": len(made),
        "certified": round(_mean([one.certified for one in made]), 4),
        "none_or_many": round(_mean([one.failed for one in made]), 3),
        "events": sum(len(stated) for stated, _ in events),
        **_calibration(events, draw),
    }
    if tops:
        row |= {
            "definites": len(tops),
            "stated": round(_mean([float(top) for top, _ in tops]), 4),
            "accuracy": round(_mean([bool(right) for _, right in tops]), 4),
            **{f"top_{key}": value for key, value in _calibration(tops, draw).items()},
        }
    return row


def _calibration(events: Sequence[tuple[Tensor, Tensor]], draw: random.Random) -> Row:
    """The error, its 95 % interval, and what chance alone would give.

    The interval is the basic bootstrap's over statements, twice the error less the quantiles of
    the resampled errors: resampling raises the error as much as sampling did. Chance: the errors
    when every event happens, independently, just as often as stated. That is on the low side:
    events of one statement go together, as the members of a set do.
    """
    stated = torch.cat([one for one, _ in events])
    happened = torch.cat([one for _, one in events])
    generator = torch.Generator().manual_seed(draw.randrange(2**31))
    chances = sorted(
        expected_calibration_error(stated, torch.rand(len(stated), generator=generator) < stated)
        for _ in range(RESAMPLED)
    )
    lengths = torch.tensor([len(one) for one, _ in events])
    starts = lengths.cumsum(0) - lengths
    errors = []
    for _ in range(RESAMPLED):
        picked = torch.randint(len(events), (len(events),), generator=generator)
        sizes = lengths[picked]
        within = torch.arange(int(sizes.sum())) - (sizes.cumsum(0) - sizes).repeat_interleave(sizes)
        index = starts[picked].repeat_interleave(sizes) + within
        errors.append(expected_calibration_error(stated[index], happened[index]))
    errors.sort()
    found = expected_calibration_error(stated, happened)
    low = max(0.0, 2 * found - errors[int(0.975 * RESAMPLED)])
    high = max(low, 2 * found - errors[int(0.025 * RESAMPLED)])
    return {
        "ece": round(found, 4),
        "interval": f"{low:.4f} .. {high:.4f}",
        "by_chance": f"{_mean(chances):.4f}, 95 % below {chances[int(0.95 * RESAMPLED)]:.4f}",
    }


def measure_calibration(
    items: Sequence[Item], scenes: dict[SceneKey, Scene], budget: Budget
) -> dict[str, list[Row]]:
    """The table of the second measurement."""
    rows, every = [], []
    draw = random.Random(0)
    for number, error in enumerate(ERRORS):
        made = make_statements(items, scenes, error, budget.observations, seed=number)
        every += made
        rows.append(calibration_row(f"noise {error}", made, draw))
    rows.append(calibration_row("all", every, draw))
    approximate = [one for one in every if not one.certified]
    if approximate:
        rows.append(calibration_row("approximate", approximate, draw))
    return {"calibration": rows}


# Random programs.


def measure_random_programs(budget: Budget) -> dict[str, list[Row]]:
    """The tables of the third measurement."""
    tensor, worlds = TensorExecutor(), WorldsExecutor(limit=10 * LIMIT, samples=1, seconds=60.0)
    gaps: dict[bool, list[float]] = {True: [], False: []}
    worst: dict[bool, tuple[float, str]] = {True: (0.0, ""), False: (0.0, "")}
    refused: Counter[str] = Counter()
    blamed: Counter[str] = Counter()
    not_enumerated = 0
    for seed in range(budget.programs):
        draw = random.Random(seed)
        program, scene = random_program(draw.choice), random_scene(draw.choice)
        ran = _ran(tensor, "", program, scene)
        if ran.outcome is None:
            refused[ran.blamed] += 1
            continue
        if ran.blamed:
            blamed[ran.blamed] += 1
        expected = worlds.run(program, scene)
        if not expected.exact:
            not_enumerated += 1
            continue
        gap = _gap(ran, expected)
        gaps[ran.certified].append(gap)
        worst[ran.certified] = max(worst[ran.certified], (gap, f"seed {seed}: {program}"))
    rows = [
        {
            "programs": "certified" if certified else "approximate",
            "count": len(own),
            "share": round(len(own) / budget.programs, 4),
            "mean_error": _small(_mean(own)),
            "max_error": _small(max(own, default=0.0)),
            "over_the_bar": sum(gap > EXACT_BAR for gap in own),
            "worst": worst[certified][1] if worst[certified][0] > EXACT_BAR else "",
        }
        for certified, own in gaps.items()
    ]
    rows.append(
        {
            "programs": "without enumeration or refused",
            "count": not_enumerated + sum(refused.values()),
            "share": round((not_enumerated + sum(refused.values())) / budget.programs, 4),
        }
    )
    causes = [
        {"construct": name, "programs": count, "share": round(count / budget.programs, 4)}
        for name, count in (refused + blamed).most_common()
    ]
    return {"random programs": rows, "what stands in the way of random programs": causes}


def verdicts(tables: dict[str, list[Row]]) -> list[Row]:
    """The figures that a bar was set for."""
    shares = tables["certified share by noise"]
    certified = sum(row["certified"] for row in shares) / sum(row["programs"] for row in shares)
    calibration = next(row["ece"] for row in tables["calibration"] if row["of"] == "all")
    exact = next(r["max_error"] for r in tables["random programs"] if r["programs"] == "certified")
    return [
        {
            "figure": "certified share of the CLEVR-Ref+ mix",
            "bar": f">= {CERTIFIED_BAR}",
            "found": round(certified, 4),
            "met": certified >= CERTIFIED_BAR,
        },
        {
            "figure": "calibration error of the referent distribution",
            "bar": f"<= {CALIBRATION_BAR}",
            "found": calibration,
            "met": calibration <= CALIBRATION_BAR,
        },
        {
            "figure": "largest error of certified random programs",
            "bar": f"<= {EXACT_BAR:g}",
            "found": exact,
            "met": exact <= EXACT_BAR,
        },
    ]


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed) if listed else 0.0


def _small(value: float) -> float:
    return float(f"{value:.3g}")


def measure(folder: Path, budget: Budget) -> dict[str, list[Row]]:
    """All tables, the verdicts first.

    Args:
        folder: the CLEVR folder.
        budget: how much to measure.

    Raises:
        DataError: the folder lacks what is needed.
    """
    items = read_items(folder / "refexps.json")
    scenes = read_scenes(folder / "scenes.json")
    tables = measure_certificates(items, scenes, budget)
    tables |= measure_calibration(items, scenes, budget)
    tables |= measure_random_programs(budget)
    return {"verdicts": verdicts(tables), **tables}


def main() -> None:
    """Print the tables; write them with ``--json``."""
    from benchmarks.run import table

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="the CLEVR folder")
    parser.add_argument("--json", type=Path, help="where to write the tables")
    parser.add_argument("--quick", action="store_true", help="a small part of everything")
    arguments = parser.parse_args()
    # Small tensors: a second thread costs more than it gives.
    torch.set_num_threads(1)
    try:
        tables = measure(arguments.folder, QUICK if arguments.quick else FULL)
        for name, rows in tables.items():
            print(f"\n{name}\n{table(rows)}")
        if arguments.json:
            content = json.dumps(tables, indent=2) + "\n"
            write_atomically(arguments.json, content.encode())
            print(f"\nwritten to {arguments.json}")
    except NeurosymError as error:
        print(f"semantics: {error.message}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
