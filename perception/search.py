"""What an open vocabulary is asked for, and what its answers mean beside each other.

A scene gives each object one category, so the words that it was asked for count as alternatives.
Some are not: a car is a vehicle, and a couch is a sofa. So

- of words for the same things the first is asked for, and means the others as well;
- a wider word ("vehicle") covers the narrower ones that are asked for beside it ("car"), and keeps
  for itself only what its score on a box is above theirs;
- a word of a compound ("fire", "hydrant" beside "fire hydrant", as other readings have them) keeps
  only what its score is above the compound's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache

import torch
from torch import Tensor

from neurosym.perception.concepts import lexicon
from neurosym.perception.prompts import GENERIC
from neurosym.pixels import Wanted
from neurosym.scene import Concept, Scene

Covers = Callable[[str, str], bool]
"""Whether the things that the second word names are all among those that the first one names."""
Resolve = Callable[[str, Sequence[str]], object]
_KINDS = ("synonym:", "hypernym:", "hyponym:")
"""Ways from a word to others that say that things are of a kind, not only alike in name."""


def covers(wide: str, narrow: str) -> bool:
    """Whether one word is as wide as another or wider, by the lexicon or as its compound's head.

    Example:
        >>> covers("vehicle", "car"), covers("car", "vehicle"), covers("person", "man")
        (True, False, True)
        >>> covers("hydrant", "red hydrant"), covers("object", "cup"), covers("man", "guy")
        (True, True, False)
    """
    if wide in (narrow, GENERIC) or narrow.endswith(f" {wide}"):
        return True
    reach, known = _reach(), _categories()
    above, below = reach.get(wide), reach.get(narrow)
    if wide in known:
        above = Concept((wide,))
    if narrow in known:
        below = Concept((narrow,))
    if above is None or below is None or above.approximate:
        return False
    return set(below.categories) <= set(above.categories)


def covers_among(nouns: Sequence[str], resolve: Resolve) -> Covers:
    """Which of some nouns cover which, by WordNet as well where there is one.

    Args:
        nouns: what is asked for together; WordNet tells a noun's meaning by the others.
        resolve: says what a word means among labels, and by which way, see
            :meth:`neurosym.perception.vocabulary.Vocabulary.resolve`.
    """
    found = {noun: resolve(noun, [other for other in nouns if other != noun]) for noun in nouns}
    known = {
        noun: concept
        for noun, concept in found.items()
        if isinstance(concept, Concept) and concept.source.startswith(_KINDS)
    }
    edges: set[tuple[str, str]] = set()
    for noun, concept in known.items():
        for other in concept.categories:
            if concept.approximate:
                edges.add((other, noun))
            elif len(concept.categories) > 1 or len(known.get(other, concept).categories) == 1:
                # Tandem and moped are bikes by a synonym, too, but only "bike" covers both.
                edges.add((noun, other))
    return lambda wide, narrow: (wide, narrow) in edges or covers(wide, narrow)


def prompt_of(noun: str) -> str:
    """A noun as a model is asked for it: lower case, words parted by blanks."""
    return " ".join(noun.lower().replace("_", " ").split())


def quoted_prompt(noun: str) -> str:
    """A noun as a scene's provenance says that it was looked for."""
    prompt = f'"{prompt_of(noun)}"'
    return f"{prompt} (for things of any kind)" if noun == GENERIC else prompt


def phrases_for(scene: Scene, wanted: Wanted, *, closed: bool) -> tuple[str, ...]:
    """The nouns that a scene has no exact name for.

    Args:
        scene: which names it has.
        wanted: what programs name.
        closed: whether a detector of a closed vocabulary has made the scene. When none has, and
            things of any kind are asked for, :data:`GENERIC` is looked for.
    """
    nouns = dict.fromkeys(wanted.nouns)
    if wanted.anything and not closed:
        nouns[GENERIC] = None
    return tuple(
        noun
        for noun in nouns
        if noun not in scene.categories.values
        and not (noun in scene.concepts and not scene.concepts[noun].approximate)
    )


def distinct(nouns: Sequence[str], wider: Covers = covers) -> dict[str, list[str]]:
    """Nouns that name different things, each with the later ones that name the same.

    Example:
        >>> distinct(["couch", "cup", "sofa"])
        {'couch': ['sofa'], 'cup': []}
    """
    found: dict[str, list[str]] = {}
    for noun in nouns:
        same = next((n for n in found if wider(n, noun) and wider(noun, n)), None)
        if same is None:
            found[noun] = []
        else:
            found[same].append(noun)
    return found


def covering_table(phrases: Sequence[str], names: Sequence[str], wider: Covers = covers) -> Tensor:
    """[P, C] bool, whether a phrase covers a name or is a part of it.

    Example:
        >>> covering_table(["vehicle", "fire"], ["car", "fire hydrant"])
        tensor([[ True, False],
                [False,  True]])
    """
    rows = [[wider(p, name) or _is_part(p, name) for name in names] for p in phrases]
    return torch.tensor(rows, dtype=torch.bool).view(len(phrases), len(names))


def apart(categories: Tensor, phrases: Sequence[str], wider: Covers = covers) -> Tensor:
    """Shares of phrases without what belongs to narrower ones and compounds.

    Args:
        categories: [N, P], rows sum to 1.
        phrases: P phrases.
        wider: whether one word covers another.

    Example:
        >>> apart(torch.tensor([[0.4, 0.6], [0.75, 0.25]]), ["vehicle", "car"])
        tensor([[0.0000, 1.0000],
                [0.6667, 0.3333]])
    """
    kept = categories.clone()
    table = covering_table(phrases, phrases, wider)
    strictly = table & ~table.T
    for column in range(len(phrases)):
        below = strictly[column].nonzero().flatten().tolist()
        if below:
            above = categories[:, column] - categories[:, below].amax(dim=1)
            kept[:, column] = above.clamp(min=0)
    return kept / kept.sum(dim=1, keepdim=True).clamp(min=1e-12)


def prompted(
    scene: Scene, nouns: Mapping[str, Sequence[str]], source: str, wider: Covers = covers
) -> dict[str, Concept]:
    """The words of a scene, once an open vocabulary has been asked for further categories.

    Args:
        scene: before that.
        nouns: what was asked for, each with the words for the same things.
        source: who was asked.
        wider: whether one word covers another.

    Returns:
        What every word covers: the words that were asked for, and those that were there.
    """
    names = (*scene.categories.values, *nouns)
    found = dict(scene.concepts)
    for name in scene.categories.values:
        found.setdefault(name, Concept((name,), source="label"))
    for noun, same in nouns.items():
        for word in (noun, *same):
            found[word] = Concept((noun,), source=f'prompt "{prompt_of(noun)}" to {source}')
    asked = {word for noun, same in nouns.items() for word in (noun, *same)}
    for word, concept in found.items():
        above = concept.categories if concept.approximate else (word, *concept.categories)
        # Of the words that were there, the scene knows already which of its names they cover.
        added = names if word in asked else tuple(nouns)
        below = [name for name in added if any(wider(name_above, name) for name_above in above)]
        covered = tuple(dict.fromkeys((*concept.categories, *below)))
        found[word] = replace(concept, categories=covered)
    plain = {name for name, c in found.items() if c == Concept((name,), source="label")}
    return {word: concept for word, concept in found.items() if word not in plain}


def _is_part(phrase: str, compound: str) -> bool:
    return phrase != compound and set(phrase.split()) < set(compound.split())


@cache
def _reach() -> Mapping[str, Concept]:
    return lexicon()


@cache
def _categories() -> frozenset[str]:
    return frozenset(category for concept in lexicon().values() for category in concept.categories)
