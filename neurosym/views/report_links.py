"""What belongs together in a report: words, phrases, nodes, steps, objects, maps and changes.

Everything that can be pointed at has a key: a letter for what it is and its number. The links
between keys are read off the spans that tokens, trees and nodes carry, and off the trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from neurosym.alignment import Alignment, WordKind, part_of, steps_by_node
from neurosym.errors import ExecutionError
from neurosym.program import Op
from neurosym.program.operator import names_of
from neurosym.reasons import ProgramChange, ScoreChange
from neurosym.span import Span
from neurosym.views.counterfactual import program_change_text, score_change_text
from neurosym.views.overlay import Mark, marks_of
from neurosym.views.text import box_text, object_text, rails, top_objects
from neurosym.views.verbalise import verbalise

if TYPE_CHECKING:
    from neurosym.grammar import Token, Tree
    from neurosym.result import Result

MOST_OBJECTS = 100
"""Most objects that one step lights up on the picture, the likeliest first."""
MOST_CHANGES = 4
"""Most changes of the program, and of a score, that a report tells of."""
_LIKELY = 0.5


@dataclass(frozen=True)
class Link:
    """What pointing at one thing shows.

    Attributes:
        says: what it is, in one line.
        on: keys of what is lit with it.
        near: keys of what it stands in.
        steps: keys of the steps whose objects are shown as the answer is.
        landmarks: keys of the steps whose objects are shown as landmarks.
        map: key of the map that is laid over the picture, or "".
    """

    says: str
    on: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    landmarks: tuple[str, ...] = ()
    map: str = ""

    def document(self) -> dict[str, Any]:
        """The link for JSON, without what is empty."""
        return {name: value for name, value in vars(self).items() if value}


@dataclass(frozen=True, eq=False)
class Links:
    """The keys of a result and the links between them.

    Attributes:
        result: of any status.
        alignment: of the result; its phrases are the maps.
    """

    result: Result
    alignment: Alignment

    @cached_property
    def nodes(self) -> tuple[tuple[str, Op], ...]:
        """The program's nodes, each before its operands, with what is drawn before it."""
        return tuple(rails(self.result.program, lambda op: op.operands))

    @cached_property
    def phrases(self) -> tuple[tuple[str, Tree], ...]:
        """The nodes of the parse tree in the same way."""
        return tuple(rails(self.result.syntax, lambda tree: tree.children))

    @cached_property
    def marks(self) -> tuple[Mark, ...]:
        """The objects that are marked on the picture from the start."""
        return tuple(marks_of(self.result))

    @cached_property
    def step_keys(self) -> tuple[str, ...]:
        """The step of each node, or "" for a node that was not executed."""
        numbers = {id(step): number for number, step in enumerate(self.result.trace, 1)}
        step_of = steps_by_node(self.result)
        found = [step_of(op) for _, op in self.nodes]
        return tuple("" if step is None else f"e{numbers[id(step)]}" for step in found)

    @cached_property
    def shares(self) -> dict[str, dict[int, float]]:
        """Step -> object -> probability, of the steps whose values are objects."""
        return {
            f"e{number}": {i: round(p, 3) for i, p in top_objects(step.objects, MOST_OBJECTS)}
            for number, step in enumerate(self.result.trace, 1)
            if step.objects is not None
        }

    @cached_property
    def changes(self) -> tuple[ProgramChange | ScoreChange, ...]:
        """What would give another answer; empty when nothing was found or could be worked out."""
        try:
            found = self.result.counterfactuals()
        except ExecutionError:
            return ()
        return found.programs[:MOST_CHANGES] + found.scores[:MOST_CHANGES]

    @cached_property
    def objects(self) -> tuple[int, ...]:
        """The objects that a step, the answer or a change speaks of, by number."""
        spoken_of = {index for step in self.shares.values() for index in step}
        marked = (mark.index for mark in self.marks)
        changed = (index for change in self.changes for index in _objects_of(change))
        return tuple(sorted(spoken_of.union(self.result.objects, marked, changed)))

    @cached_property
    def kinds(self) -> tuple[WordKind, ...]:
        """What each token contributes to the program."""
        parts = dict(zip(self.alignment.tokens, self.alignment.parts, strict=True))
        unused = set(self.result.set_aside)
        return tuple(
            parts.get(token, "unused" if token in unused else "function")
            for token in self.result.tokens
        )

    def is_linked(self, word: int) -> bool:
        """Whether a program node comes from a token."""
        return word in self._nodes_of

    def key_of_node(self, op: Op) -> str:
        """The key of the first node that is equal to ``op``, or ""."""
        return next((f"n{k}" for k, (_, node) in enumerate(self.nodes) if node == op), "")

    def all(self) -> dict[str, Link]:
        """The link of every key."""
        links = {f"w{i}": self._of_word(i) for i in range(len(self.result.tokens))}
        links |= {f"s{j}": self._of_phrase(j) for j in range(len(self.phrases))}
        links |= {f"n{k}": self._of_node(k) for k in range(len(self.nodes))}
        for number in range(1, len(self.result.trace) + 1):
            links[f"e{number}"] = self._of_step(number)
        links |= {f"m{r}": self._of_map(r) for r in range(len(self.alignment.phrases))}
        links |= {f"c{c}": self._of_change(c) for c in range(len(self.changes))}
        links |= {f"o{i}": self._of_object(i) for i in self.objects}
        return links

    def document(self) -> dict[str, Any]:
        """Links and shares for JSON."""
        return {
            "links": {key: link.document() for key, link in self.all().items()},
            "shares": self.shares,
        }

    @cached_property
    def _words_of(self) -> tuple[tuple[int, ...], ...]:
        """The tokens that each node itself comes from."""
        tokens = self.result.tokens
        return tuple(_inside(tokens, op.words) for _, op in self.nodes)

    @cached_property
    def _nodes_of(self) -> dict[int, list[int]]:
        """Token -> the nodes that come from it."""
        found: dict[int, list[int]] = {}
        for k, words in enumerate(self._words_of):
            for word in words:
                found.setdefault(word, []).append(k)
        return found

    @cached_property
    def _leaves_of(self) -> dict[int, list[int]]:
        """Token -> the leaves of the parse tree that cover it."""
        return {
            i: [
                j
                for j, (_, tree) in enumerate(self.phrases)
                if not tree.children and _overlap(tree.span, token.span)
            ]
            for i, token in enumerate(self.result.tokens)
        }

    @cached_property
    def _phrase_of(self) -> tuple[int | None, ...]:
        """The smallest phrase of the parse tree over everything that each node comes from."""
        found = []
        for _, op in self.nodes:
            whole = op.span
            around = [
                (tree.span.end - tree.span.start, -j)
                for j, (_, tree) in enumerate(self.phrases)
                if whole is not None
                and tree.span.start <= whole.start
                and whole.end <= tree.span.end
            ]
            found.append(-min(around)[1] if around else None)
        return tuple(found)

    @cached_property
    def _map_of(self) -> dict[int, str]:
        """Token -> its map. The alignment numbers the same tokens."""
        places = {token.index: i for i, token in enumerate(self.result.tokens)}
        return {
            places[self.alignment.tokens[row].index]: f"m{number}"
            for number, rows in enumerate(self.alignment.phrases)
            for row in rows
        }

    def _of_word(self, word: int) -> Link:
        token = self.result.tokens[word]
        nodes = self._nodes_of.get(word, [])
        shown = self._map_of.get(word, "")
        return Link(
            says=f'"{token.text}" ({_SAID.get(self.kinds[word], self.kinds[word])})',
            on=self._lit([word], nodes, [shown]),
            steps=self._steps(nodes),
            landmarks=self._landmarks(nodes),
            map=shown,
        )

    def _of_phrase(self, phrase: int) -> Link:
        tree = self.phrases[phrase][1]
        tokens = self.result.tokens
        words = [i for i, token in enumerate(tokens) if _overlap(tree.span, token.span)]
        says = f'{tree.label} "{tree.span.of(self.result.text)}"'
        if not tree.children:
            nodes = sorted({k for word in words for k in self._nodes_of.get(word, [])})
            shown = next((self._map_of[word] for word in words if word in self._map_of), "")
            return Link(
                says=says,
                on=self._lit(words, nodes, [shown]),
                steps=self._steps(nodes),
                landmarks=self._landmarks(nodes),
                map=shown,
            )
        nodes = [k for k, found in enumerate(self._phrase_of) if found == phrase]
        # Of the nodes that a phrase makes up, the first holds the others.
        return Link(
            says=says,
            on=(*(f"w{i}" for i in words), *self._node_keys(nodes[:1])),
            near=self._node_keys(nodes[1:]),
            steps=self._steps(nodes[:1]),
        )

    def _of_node(self, node: int) -> Link:
        op = self.nodes[node][1]
        own = self._words_of[node]
        below = [] if op.span is None else _inside(self.result.tokens, [op.span])
        around = self._phrase_of[node]
        return Link(
            says=verbalise(op),
            on=self._lit(own, [node], []),
            near=(
                *(f"w{i}" for i in below if i not in own),
                *([] if around is None else [f"s{around}"]),
            ),
            steps=self._steps([node]),
            landmarks=self._landmarks([node]),
        )

    def _of_step(self, number: int) -> Link:
        key = f"e{number}"
        nodes = [k for k, step in enumerate(self.step_keys) if step == key]
        words = sorted({word for k in nodes for word in self._words_of[k]})
        near = [self._of_node(k).near for k in nodes]
        return Link(
            says=f"step {number}: {verbalise(self.result.trace[number - 1].op)}",
            on=self._lit(words, nodes, []),
            near=_once(key for keys in near for key in keys),
            steps=self._steps(nodes[:1]),
            landmarks=self._landmarks(nodes),
        )

    def _of_map(self, number: int) -> Link:
        rows = self.alignment.phrases[number]
        own = {self.alignment.tokens[row].index for row in rows}
        words = [i for i, token in enumerate(self.result.tokens) if token.index in own]
        nodes = sorted({k for word in words for k in self._nodes_of.get(word, [])})
        said = " ".join(self.alignment.words[row] for row in rows)
        return Link(
            says=f'"{said}" ({self.alignment.parts[rows[0]]})',
            on=self._lit(words, nodes, []),
            map=f"m{number}",
        )

    def _of_object(self, index: int) -> Link:
        return Link(
            says=f"{object_text(self.result.scene, index)}, {box_text(self.result, index)}",
            near=tuple(key for key, step in self.shares.items() if step.get(index, 0.0) >= _LIKELY),
        )

    def change_text(self, number: int) -> str:
        """A change in one sentence."""
        change = self.changes[number]
        if isinstance(change, ProgramChange):
            return program_change_text(change, self.result)
        return score_change_text(change, self.result.scene)

    def _of_change(self, number: int) -> Link:
        """Lights what would change and what would answer; of a score, the nodes that ask for it."""
        change = self.changes[number]
        if isinstance(change, ProgramChange):
            nodes = [k for k, (_, op) in enumerate(self.nodes) if op == change.edit.node][:1]
        else:
            said = change.atom.value or change.atom.name
            named = (names_of(op) for _, op in self.nodes)
            nodes = [k for k, names in enumerate(named) if said in (name for _, name in names)]
        words = sorted({word for k in nodes for word in self._words_of[k]})
        return Link(
            says=self.change_text(number),
            on=(*self._lit(words, nodes, []), *(f"o{i}" for i in _objects_of(change))),
        )

    def _lit(
        self, words: Iterable[int], nodes: Sequence[int], maps: Iterable[str]
    ) -> tuple[str, ...]:
        words = list(words)
        leaves = [f"s{j}" for word in words for j in self._leaves_of[word]]
        return _once([*(f"w{i}" for i in words), *leaves, *self._node_keys(nodes), *maps])

    def _node_keys(self, nodes: Sequence[int]) -> tuple[str, ...]:
        return _once([*(f"n{k}" for k in nodes), *(self.step_keys[k] for k in nodes)])

    def _steps(self, nodes: Sequence[int]) -> tuple[str, ...]:
        """The steps whose objects nodes speak of: of a number or a truth, what it is about."""
        found: list[str] = []
        for k in nodes:
            own = self.step_keys[k]
            found += [own] if own in self.shares else self._operand_steps(k)
        return _once(key for key in found if key in self.shares)

    def _landmarks(self, nodes: Sequence[int]) -> tuple[str, ...]:
        relations = [k for k in nodes if part_of(self.nodes[k][1]) == "relation"]
        found = [key for k in relations for key in self._operand_steps(k)[1:]]
        return _once(key for key in found if key in self.shares)

    def _operand_steps(self, node: int) -> list[str]:
        """The steps of a node's operands, which follow it, each with all that is below it."""
        found, place = [], node + 1
        for operand in self.nodes[node][1].operands:
            found.append(self.step_keys[place])
            place += sum(1 for _ in operand.walk())
        return found


_SAID: dict[str, str] = {"function": "function word", "unused": "not used"}


def _objects_of(change: ProgramChange | ScoreChange) -> tuple[int, ...]:
    """The objects that a change is about, and those that would answer."""
    if isinstance(change, ProgramChange):
        return change.decision.objects[:MOST_OBJECTS]
    about = (change.atom.object, change.atom.landmark, *change.decision.objects[:MOST_OBJECTS])
    return tuple(dict.fromkeys(index for index in about if index is not None))


def _inside(tokens: Sequence[Token], spans: Iterable[Span]) -> tuple[int, ...]:
    """The tokens that lie in one of the spans."""
    held = list(spans)
    return tuple(i for i, token in enumerate(tokens) if token.span.lies_in(held))


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def _once(keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(key for key in dict.fromkeys(keys) if key)
