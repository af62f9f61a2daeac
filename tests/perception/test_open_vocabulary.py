"""Pipelines that look for what a text names: who is asked, how often, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from neurosym import Grounder, Scene
from neurosym.grammar import Parser
from neurosym.models.store import path_of
from neurosym.perception.base import Detections
from neurosym.perception.calibration import PROVENANCE, Temperature, calibrated
from neurosym.perception.pipeline import Pipeline
from neurosym.perception.search import apart, covers, covers_among
from neurosym.pixels import Wanted
from neurosym.scene import Concept
from neurosym.views.document import result_document

IMAGE = np.full((60, 120, 3), 90, dtype=np.uint8)
MAN, HORSE, CAR = (5.0, 5.0, 25.0, 45.0), (8.0, 30.0, 50.0, 55.0), (70.0, 20.0, 110.0, 50.0)
OTHER_MAN = (52.0, 5.0, 66.0, 45.0)
SEEN: Mapping[str, Sequence[tuple[tuple[float, ...], float]]] = {
    "man": [(MAN, 0.9), (OTHER_MAN, 0.8)],
    "person": [(MAN, 0.85), (OTHER_MAN, 0.85)],
    "horse": [(HORSE, 0.9)],
    "car": [(CAR, 0.9)],
    "vehicle": [(CAR, 0.8)],
    "fire hydrant": [(CAR, 0.7)],
    "hydrant": [(CAR, 0.7)],
    "fire": [(CAR, 0.6)],
    "object": [(MAN, 0.6), (OTHER_MAN, 0.6), (HORSE, 0.6), (CAR, 0.6)],
}


@dataclass
class Finder:
    """An open detector that knows where a few things are, and notes what it is asked."""

    name: str = "finder"
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def detect_phrases(
        self, images: Sequence[np.ndarray], phrases: Sequence[str]
    ) -> list[Detections]:
        self.asked.append(tuple(phrases))
        places = dict.fromkeys(box for phrase in phrases for box, _ in SEEN.get(phrase, ()))
        scores = torch.tensor(
            [[dict(SEEN.get(phrase, ())).get(box, 0.0) for phrase in phrases] for box in places]
        ).view(len(places), len(phrases))
        found = Detections(torch.tensor(list(places)).view(-1, 4), scores)
        return [found for _ in images]


@dataclass
class People:
    """A closed detector that sees two people."""

    name: str = "people"
    categories: tuple[str, ...] = ("person", "cup")

    def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
        boxes = torch.tensor([OTHER_MAN, MAN])
        return [Detections(boxes, torch.tensor([[0.7, 0.0], [0.6, 0.0]])) for _ in images]


@dataclass
class Words:
    """An attribute model that goes by a table, and notes what it is asked."""

    holds: Mapping[tuple[float, str], float] = field(default_factory=dict)
    name: str = "words"
    asked: list[tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=list)

    def attributes(
        self, image: np.ndarray, boxes: Tensor, nouns: Sequence[str], values: Sequence[str]
    ) -> Tensor:
        self.asked.append((tuple(nouns), tuple(values)))
        return torch.tensor(
            [[self.holds.get((box[0], value), 0.1) for value in values] for box in boxes.tolist()]
        )


@dataclass
class Rides:
    """A relation model: whoever overlaps the landmark is on it."""

    name: str = "rides"
    asked: list[int] = field(default_factory=list)

    def relations(
        self,
        image: np.ndarray,
        figures: Tensor,
        landmarks: Tensor,
        nouns: Sequence[tuple[str, str]],
        relation: str,
    ) -> Tensor:
        self.asked.append(len(nouns))
        return torch.where(figures[:, 2] > landmarks[:, 0], 0.9, 0.1) * torch.where(
            figures[:, 0] < landmarks[:, 2], 1.0, 0.1
        )


class Halves:
    """A segmenter that takes the left half of a box."""

    def encode(self, image: np.ndarray) -> Any:
        return image.shape[:2]

    def masks(self, embedding: Any, boxes: Tensor) -> tuple[Tensor, Tensor]:
        made = torch.zeros((len(boxes), *embedding), dtype=torch.bool)
        for row, (x1, y1, x2, y2) in enumerate(boxes.int().tolist()):
            made[row, y1:y2, x1 : (x1 + x2) // 2] = True
        return made, torch.ones(len(boxes))


@dataclass
class Warm:
    """A heat map: the left half of the picture shows what is asked for."""

    name: str = "warm"
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def heat_maps(self, image: np.ndarray, phrases: Sequence[str]) -> Tensor:
        self.asked.append(tuple(phrases))
        heat = torch.zeros((len(phrases), *image.shape[:2]))
        heat[..., : image.shape[1] // 2] = 0.8
        return heat


def opened(parser: Parser, **parts: Any) -> tuple[Grounder, Scene, Finder]:
    finder = Finder()
    grounder = Grounder(Pipeline(open_detector=finder, **parts), parser)
    return grounder, grounder.perceive(IMAGE), finder


def test_before_a_question_nothing_is_looked_for(parser: Parser) -> None:
    _, scene, finder = opened(parser)
    assert (len(scene), finder.asked) == (0, [])


def test_all_nouns_of_a_text_are_one_forward_over_all_readings(parser: Parser) -> None:
    grounder, scene, finder = opened(parser)
    result = grounder.ground(scene, "the man to the left of the car")
    assert len(finder.asked) == 1
    assert {"man", "car"} <= set(finder.asked[0])
    assert result.status == "many"
    assert grounder.ground(scene, "the car to the right of the horse").boxes.tolist() == [list(CAR)]


def test_nothing_is_asked_twice_of_a_photograph(parser: Parser) -> None:
    grounder, scene, finder = opened(parser)
    grounder.ground(scene, "the man to the left of the horse")
    grounder.ground(scene, "the man on the right")
    again = grounder.ground(scene, "the horse to the left of the car")
    assert again.status == "ok"
    words = [phrase for phrases in finder.asked for phrase in phrases]
    assert len(words) == len(set(words))
    assert [phrases for phrases in finder.asked if "car" in phrases] == [("car",)]


def test_the_same_nouns_give_the_same_scene_with_its_masks(parser: Parser) -> None:
    grounder, scene, _ = opened(parser, segmenter=Halves())
    first = grounder.ground(scene, "the car")
    assert first.masks.sum() == 20 * 30
    second = grounder.ground(scene, "a car")
    assert second.scene.pixels is first.scene.pixels


def test_what_is_not_there_is_none_and_not_unsupported(parser: Parser) -> None:
    grounder, scene, _ = opened(parser)
    assert grounder.ground(scene, "the unicorn").status == "none"
    assert grounder.ground(scene, "is there a unicorn").answer is False
    assert grounder.ground(scene, "is there a horse").answer is True


def test_a_text_without_nouns_looks_for_objects(parser: Parser) -> None:
    grounder, scene, finder = opened(parser)
    result = grounder.ground(scene, "the rightmost thing")
    assert result.boxes.tolist() == [list(CAR)]
    assert finder.asked == [("object",)]
    assert result.scene.provenance["prompts"] == '"object" (for things of any kind)'
    assert 'Only what was looked for counts as a thing: "object"' in result.explain()
    assert result_document(result)["provenance"]["prompts"].startswith('"object"')


def test_things_of_any_kind_are_looked_for_beside_the_nouns(parser: Parser) -> None:
    grounder, scene, _ = opened(parser)
    result = grounder.ground(scene, "the rightmost thing to the left of the car")
    assert result.boxes.tolist() == [list(OTHER_MAN)]
    closed = Grounder(Pipeline(People(), open_detector=(finder := Finder())), parser)
    closed.ground(closed.perceive(IMAGE), "the rightmost thing")
    assert finder.asked == []


def test_a_wider_word_covers_what_is_asked_for_beside_it(parser: Parser) -> None:
    grounder, scene, finder = opened(parser)
    both = grounder.ground(scene, "is there a vehicle to the right of the car")
    assert both.answer is False
    assert finder.asked[0] in (("vehicle", "car"), ("car", "vehicle"))
    seen = both.scene
    (car,) = [i for i, box in enumerate(seen.boxes.tolist()) if box == list(CAR)]
    share = seen.categories.probabilities[car]
    assert float(share[list(seen.category_indices("car"))].sum()) == pytest.approx(1.0)
    assert float(share[list(seen.category_indices("vehicle"))].sum()) == pytest.approx(1.0)


@pytest.mark.parametrize("first", ["the car", "the man", "is there a fire hydrant"])
@pytest.mark.parametrize(
    "text",
    [
        "is there a vehicle to the right of the car",
        "the rightmost thing to the left of the car",
        "how many men are there",
        "how many things are there",
        "is there a fire",
    ],
)
def test_answers_do_not_depend_on_what_was_asked_before(
    parser: Parser, first: str, text: str
) -> None:
    grounder, scene, _ = opened(parser)
    fresh = grounder.ground(grounder.perceive(IMAGE), text)
    grounder.ground(scene, first)
    later = grounder.ground(scene, text)
    assert (later.status, later.answer) == (fresh.status, fresh.answer)
    assert later.boxes.tolist() == fresh.boxes.tolist()


def test_words_of_a_compound_leave_things_to_it(parser: Parser) -> None:
    """Other readings of "fire hydrant" name fire and hydrant."""
    grounder, scene, finder = opened(parser)
    result = grounder.ground(scene, "the fire hydrant")
    assert finder.asked == [("fire hydrant", "fire")]
    assert str(result.program) == '(the (select "fire hydrant"))'
    assert float(result.probabilities[0]) == pytest.approx(0.7)


def test_synonyms_are_one_prompt(parser: Parser) -> None:
    grounder, scene, finder = opened(parser)
    grounder.ground(scene, "the sofa to the left of the couch")
    assert len(finder.asked[0]) == 1


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"),
    [
        ("person", "man", True),
        ("man", "person", False),
        ("animal", "horse", True),
        ("couch", "sofa", True),
        ("sofa", "couch", True),
        ("player", "tennis player", True),
        ("tennis", "tennis player", False),
        ("man", "guy", False),
        ("object", "unicorn", True),
        ("cat", "scat", False),
    ],
)
def test_which_words_cover_which(wide: str, narrow: str, expected: bool) -> None:
    assert covers(wide, narrow) is expected


def test_wordnet_tells_kinds_among_what_is_asked_for_together() -> None:
    said = {
        "clothing": None,
        "shirt": Concept(("clothing",), True, "hyponym: shirt < clothing (WordNet)"),
        "kid": Concept(("child",), source="synonym: kid = child (WordNet)"),
        "child": Concept(("kid",), source="synonym: child = kid (WordNet)"),
        "bike": Concept(("tandem", "moped"), source="hypernym: bike > tandem, moped (WordNet)"),
        "tandem": Concept(("bike",), source="synonym: tandem = bike (WordNet)"),
        "moped": Concept(("bike",), source="synonym: moped = bike (WordNet)"),
        "oar": Concept(("shirt",), True, "embedding 0.91: shirt (potion-base-8M)"),
    }
    asked: list[tuple[str, tuple[str, ...]]] = []

    def resolve(word: str, labels: Sequence[str]) -> object:
        asked.append((word, tuple(labels)))
        return said[word]

    wider = covers_among(list(said), resolve)
    assert len(asked) == len(said)
    assert all(word not in labels for word, labels in asked)
    pairs = {(a, b) for a in said for b in said if a != b and wider(a, b)}
    assert pairs == {
        ("clothing", "shirt"),
        ("kid", "child"),
        ("child", "kid"),
        ("bike", "tandem"),
        ("bike", "moped"),
    }


def test_a_wider_word_by_wordnet_covers_what_is_asked_for_beside_it(parser: Parser) -> None:
    finder = Finder()
    pipeline = Pipeline(open_detector=finder, weights=path_of)
    grounder = Grounder(pipeline, parser)
    scene = grounder.ground(grounder.perceive(IMAGE), "the kid and the child").scene
    assert finder.asked == [("kid",)]
    assert scene.concepts["child"].categories == ("kid",)


def test_shares_stay_distributions() -> None:
    shares = torch.tensor([[0.2, 0.5, 0.3], [1.0, 0.0, 0.0], [0.0, 0.5, 0.5]])
    kept = apart(shares, ["vehicle", "car", "cup"])
    torch.testing.assert_close(kept.sum(dim=1), torch.ones(3))
    assert kept[0].tolist() == pytest.approx([0.0, 0.625, 0.375])
    assert kept[1].tolist() == [1.0, 0.0, 0.0]


def test_a_closed_detectors_objects_keep_their_numbers(parser: Parser) -> None:
    finder = Finder()
    grounder = Grounder(Pipeline(People(), open_detector=finder), parser)
    scene = grounder.perceive(IMAGE)
    before = scene.boxes.tolist()
    result = grounder.ground(scene, "the person to the left of the car")
    assert result.scene.boxes[:2].tolist() == before
    assert result.scene.boxes.tolist()[2:] == [list(CAR)]
    assert finder.asked == [("car",)]
    assert "person" not in result.scene.concepts


def test_an_approximate_word_is_looked_for_and_still_a_kind_of_what_it_was(parser: Parser) -> None:
    finder = Finder()
    grounder = Grounder(Pipeline(People(), open_detector=finder), parser)
    scene = grounder.perceive(IMAGE)
    result = grounder.ground(scene, "how many men are there")
    assert finder.asked == [("man",)]
    assert result.answer == 2
    assert len(result.scene) == 2
    assert not result.scene.concepts["man"].approximate
    assert set(result.scene.concepts["person"].categories) == {"person", "man"}
    assert grounder.ground(result.scene, "how many people are there").answer == 2


def test_marks_attributes_and_relations_survive_a_search(parser: Parser) -> None:
    grounder = Grounder(Pipeline(People(), open_detector=Finder()), parser)
    scene = grounder.perceive(IMAGE).observe("color", [0])
    result = grounder.ground(scene, "the car to the right of this", this=list(OTHER_MAN))
    assert result.boxes.tolist() == [list(CAR)]
    colors = result.scene.attributes["color"]
    torch.testing.assert_close(colors.probabilities[0], scene.attributes["color"].probabilities[0])
    assert colors.evidence.tolist()[:3] == [True, False, False]


def test_the_way_of_a_word_is_told(parser: Parser) -> None:
    grounder, scene, _ = opened(parser)
    result = grounder.ground(scene, "the car")
    assert result.scene.concepts["car"].source == 'prompt "car" to finder'
    assert 'prompt "car" to finder' in result.explain()
    assert "open detector: uncalibrated" in result.scene.provenance[PROVENANCE]
    (word,) = result_document(result)["words"]
    assert word == {
        "word": "car",
        "categories": ["car"],
        "approximate": False,
        "source": 'prompt "car" to finder',
    }


def test_the_old_man_riding_the_horse(parser: Parser) -> None:
    """Open nouns, an open value and a free relation at once; masks by the segmenter."""
    words = Words({(MAN[0], "old"): 0.9, (OTHER_MAN[0], "old"): 0.95})
    rides = Rides()
    grounder, scene, finder = opened(parser, attributes=words, relations=rides, segmenter=Halves())
    result = grounder.ground(scene, "the old man riding the horse")
    assert result.boxes.tolist() == [list(MAN)]
    assert result.masks.sum() == 10 * 40
    assert result.unchecked == ()
    assert len(finder.asked) == 1
    assert words.asked == [(("man", "man"), ("old",))]
    assert result.scene.attributes["old"].source == "words"
    relation = result.scene.relations["ride"]
    assert relation.source == "rides"
    assert relation.evidence is not None
    assert not bool(relation.evidence.all())
    asked = len(rides.asked)
    grounder.ground(scene, "the old man riding the horse")
    assert len(rides.asked) == asked, "pairs are scored once"
    assert len(words.asked) == 1, "values are scored once"


def test_an_action_is_asked_for_as_a_participle(parser: Parser) -> None:
    words = Words({(MAN[0], "sleeping"): 0.9})
    grounder, scene, _ = opened(parser, attributes=words)
    result = grounder.ground(scene, "the man that is sleeping")
    assert result.boxes.tolist() == [list(MAN)]
    assert ("sleeping",) in [values for _, values in words.asked]


def test_what_compares_things_is_no_value_of_one(parser: Parser) -> None:
    words = Words({(MAN[0], "oldest"): 0.9})
    grounder, scene, _ = opened(parser, attributes=words)
    result = grounder.ground(scene, "the oldest man to the left of the car")
    assert words.asked == []
    assert [node.value for node in result.unchecked] == ["oldest"]


def test_a_material_is_one_of_a_list(parser: Parser) -> None:
    words = Words({(CAR[0], "wooden"): 0.9})
    grounder, scene, _ = opened(parser, attributes=words)
    answer = grounder.ground(scene, "what material is the car")
    assert answer.answer == "wood"
    table = answer.scene.attributes["material"]
    assert {"wood", "metal", "glass"} <= set(table.values)
    (row,) = table.probabilities[table.evidence]
    odds = torch.tensor([9.0] + [1 / 9] * (len(table.values) - 1))
    assert float(row[table.values.index("wood")]) == pytest.approx(float(odds[0] / odds.sum()))
    assert grounder.ground(scene, "the wooden car").boxes.tolist() == [list(CAR)]
    assert grounder.ground(scene, "the glass car").status == "none"


def test_a_listed_pattern_is_weighed_against_the_others(parser: Parser) -> None:
    words = Words({(MAN[0], "striped"): 0.9})
    grounder, scene, _ = opened(parser, attributes=words)
    result = grounder.ground(scene, "the striped man")
    assert result.boxes.tolist() == [list(MAN)]
    assert "plaid" in words.asked[0][1]
    assert "pattern" in result.scene.attributes


def test_without_a_model_a_material_is_not_guessed(parser: Parser) -> None:
    grounder, scene, _ = opened(parser)
    assert grounder.ground(scene, "what material is the car").status == "unsupported"


def test_a_calibrated_scene_is_searched_too(parser: Parser) -> None:
    grounder, scene, _ = opened(parser, attributes=Words({(MAN[0], "old"): 0.9}))
    scene = calibrated(scene, attributes={"color": Temperature(2.0)})
    assert grounder.ground(scene, "the old man").boxes.tolist() == [list(MAN)]


def test_a_heat_map_is_the_evidence_of_nouns_and_open_values(parser: Parser) -> None:
    warm = Warm()
    grounder, scene, _ = opened(parser, heat_maps=warm, attributes=Words({(MAN[0], "old"): 0.9}))
    maps = grounder.ground(scene, "the old man to the left of the car").alignment
    man, car = maps["man"], maps["car"]
    assert float(man[20, 10]) == pytest.approx(0.9 * 0.8 * 0.9, abs=0.1)
    assert float(car[30, 90]) == 0.0, "there is no heat in the right half"
    assert float(maps["old"][20, 10]) > 0.3
    maps["man"]
    assert sorted(warm.asked) == [("car",), ("man",), ("old",)]
    assert scene.pixels is not None
    assert scene.pixels.evidence("size", "large") is None


def test_without_a_heat_map_nouns_have_no_evidence_in_pixels(parser: Parser) -> None:
    grounder, scene, _ = opened(parser)
    maps = grounder.ground(scene, "the car").alignment
    assert float(maps["car"][30, 90]) == pytest.approx(0.9)


def test_a_detector_must_answer_for_every_phrase(parser: Parser) -> None:
    class Short(Finder):
        def detect_phrases(
            self, images: Sequence[np.ndarray], phrases: Sequence[str]
        ) -> list[Detections]:
            return super().detect_phrases(images, phrases[:1])

    scene = Pipeline(open_detector=Short()).perceive(IMAGE)
    assert scene.pixels is not None
    with pytest.raises(Exception, match="gave scores for 1 categories, expected 2"):
        scene.pixels.look_for(scene, Wanted(nouns=("man", "car")))
