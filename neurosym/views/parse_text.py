"""How a text was understood, for a terminal: words, tree, program and what else it could mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from neurosym.program import Definites, read_definites
from neurosym.views.text import program_text, tree_text

if TYPE_CHECKING:
    from neurosym.grammar import Lexicon, Parse, Reading, Sense, Token, Unit

_GAP = "  "


def parse_text(
    parse: Parse,
    lexicon: Lexicon,
    *,
    the: Definites = Definites.STRICT,
    every: bool = False,
) -> str:
    """Words, tree, program, repairs, unused words and other readings, each under its title.

    Args:
        parse: of a text.
        lexicon: the one that it was parsed with, to say where its words are listed.
        the: how "the" is read in the programs.
        every: whether to show the words, the tree and the program of every reading.
    """
    parts: list[tuple[str, str]] = []
    if parse.repairs:
        parts.append(("Repairs", "\n".join(str(repair) for repair in parse.repairs)))
    shown = parse.readings if every else parse.readings[:1]
    for number, reading in enumerate(shown, 1):
        mark = f" {number}" if every else ""
        program = read_definites(reading.program, the)
        parts.append((f"Tokens{mark}", words_text(parse.tokens, reading, lexicon)))
        parts.append((f"Parse tree{mark}", tree_text(reading.syntax)))
        parts.append((f"Program{mark}", f"{program_text(program, parse.text)}\n\n{program}"))
        if reading.senses:
            parts.append((f"Senses{mark}", "\n".join(map(str, reading.senses))))
        parts.append((f"Source{mark}", f"{reading.source}, score {reading.score:.2f}"))
        if reading.unused:
            words = ", ".join(token.text for token in reading.unused)
            parts.append((f"Unused words{mark}", words))
    others = parse.readings[len(shown) :]
    if others:
        lines = [f"{each.score:6.2f}  {read_definites(each.program, the)}" for each in others]
        parts.append(("Other readings", "\n".join(lines)))
    return "\n\n".join(f"{title}\n{'-' * len(title)}\n{body}" for title, body in parts)


def lark_text(parse: Parse, *, every: bool = False) -> str:
    """What the grammar saw and made of it: the terminals each word may be, and the syntax tree.

    A terminal in brackets is the one that the tree took where a word may be several.

    Args:
        parse: of a text.
        every: whether to show every reading.
    """
    blocks = []
    for reading in parse.readings if every else parse.readings[:1]:
        taken = {leaf.unit: leaf.label for leaf in reading.syntax.leaves()}
        terminals = []
        for index, unit in enumerate(reading.units):
            names = dict.fromkeys(sense.word_class.name for sense in unit.senses)
            several = len(names) > 1
            marked = (f"[{n}]" if several and n == taken.get(index) else n for n in names)
            terminals.append("|".join(marked))
        blocks.append(f"{' '.join(terminals)}\n\n{reading.syntax.pretty()}")
    return "\n\n".join(blocks)


def words_text(tokens: Sequence[Token], reading: Reading, lexicon: Lexicon) -> str:
    """A line for each word: tag, lemma, and the sense that the reading takes it in.

    The last column is the entry of the lexicon that lists the sense (file, section and key), or
    says that the word's tag decided.
    """
    rows = []
    firsts = {unit.tokens[0].index: (i, unit) for i, unit in enumerate(reading.units)}
    for token in tokens:
        row = [token.text, token.tag, "" if token.lemma == token.lower else token.lemma]
        if token.index in firsts:
            row += decided_text(*firsts[token.index], reading, lexicon)
        elif any(token in unit.tokens for unit in reading.units):
            row += ['"', ""]
        rows.append((*row, "", "")[:5])
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    padded = (
        (*(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=False)), row[4]) for row in rows
    )
    return "\n".join(_GAP.join(row).rstrip() for row in padded)


def decided_text(index: int, unit: Unit, reading: Reading, lexicon: Lexicon) -> tuple[str, str]:
    """What a word was taken for, and what decided it.

    Args:
        index: of the unit in the reading.
        unit: a word or phrase.
        reading: the reading.
        lexicon: the one that the text was parsed with.
    """
    sense = decided(index, unit, reading)
    if sense is None:
        return "not in the tree", ""
    meant = f"{sense.dimension}:{sense.concept}" if sense.dimension else sense.concept
    entry = lexicon.origin(unit.forms, sense)
    return f"{sense.word_class.name} {meant}", entry or f"by tag {unit.tokens[-1].tag}"


def decided(index: int, unit: Unit, reading: Reading) -> Sense | None:
    """The sense that a reading takes a word in, or None when its tree has no such word."""
    leaf = next((leaf for leaf in reading.syntax.leaves() if leaf.unit == index), None)
    if leaf is None:
        return None
    return next((s for s in unit.senses if s.word_class.name == leaf.label), None)
