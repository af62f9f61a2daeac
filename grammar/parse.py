"""The parser: text to readings."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from neurosym.errors import GrammarError, NeurosymError, ProgramTypeError, TextError
from neurosym.grammar.anaphora import Antecedent
from neurosym.grammar.classes import OPEN
from neurosym.grammar.closed import ClosedTokenizer, untagged
from neurosym.grammar.collector import collector_paused
from neurosym.grammar.dependency import DependencyParser, Guess, guess
from neurosym.grammar.discourse import PARAGRAPH_BEAM, is_answer, sentences
from neurosym.grammar.failures import no_meaning, no_sentence, position
from neurosym.grammar.finite import ways_to_claim
from neurosym.grammar.forms import Form, Former
from neurosym.grammar.lexicon import Lexicon
from neurosym.grammar.lower import Lowering
from neurosym.grammar.meaning import NoReadingError, Scored
from neurosym.grammar.readings import Foreseen, Parse, Reading, in_sense
from neurosym.grammar.repair import Repair, Speller
from neurosym.grammar.search import Later, Search
from neurosym.grammar.senses import variants
from neurosym.grammar.syntax import CACHED, FIRST_TREES, MAX_TREES, MAX_UNITS, Failure, Syntax
from neurosym.grammar.templates import Template, Templates, compiled, is_same
from neurosym.grammar.tokens import SpacyTokenizer, Token, plain
from neurosym.grammar.tree import Tree
from neurosym.grammar.understood import Understood, answered, joined, score_of
from neurosym.grammar.units import Unit, segmentations
from neurosym.program import Op

if TYPE_CHECKING:
    from spacy.language import Language

MAX_READINGS = 8
"""Most readings returned for a text."""
MAX_SEGMENTATIONS = 4
"""Most ways tried to cut a text into words and phrases."""
BATCH = 256
"""Texts that are read at a time."""
BEAM = 8
"""Fewest alternatives kept for every phrase while lowering."""
SPLIT_PHRASE = 1.0
"""Cost of taking a phrase of the lexicon word by word."""


class Parser:
    """Parses English referring expressions and questions.

    Args:
        tokenizer: a tokenizer, or the spaCy pipeline to make one from (loaded, a name or a path).
        lexicon: the words; the default lexicon when left out.
        fallback: whether a text that the grammar has no reading of is read by its dependencies.
        max_readings: most readings returned.
        max_trees: most syntax trees considered.
        max_units: most words and phrases in a sentence that is parsed.
        cached: sentence patterns whose trees are remembered.
        repair: whether slips of the keyboard are repaired where that is safe.

    Example:
        >>> parser = Parser("en_core_web_sm")  # doctest: +SKIP
        >>> print(parser.parse("the green plate"))  # doctest: +SKIP
        (the (filter (select plate) color green))
    """

    def __init__(
        self,
        tokenizer: SpacyTokenizer | Language | str | Path,
        lexicon: Lexicon | None = None,
        *,
        fallback: bool = True,
        max_readings: int = MAX_READINGS,
        max_trees: int = MAX_TREES,
        max_units: int = MAX_UNITS,
        cached: int = CACHED,
        repair: bool = True,
    ) -> None:
        if max_readings < 1:
            raise GrammarError(f"max_readings must be at least 1, not {max_readings}")
        self.tokenizer = (
            tokenizer if isinstance(tokenizer, SpacyTokenizer) else SpacyTokenizer(tokenizer)
        )
        self.lexicon = Lexicon.default() if lexicon is None else lexicon
        self.max_readings = max_readings
        self._dependencies = DependencyParser(self.tokenizer.pipeline) if fallback else None
        self._closed = ClosedTokenizer(self.tokenizer, self.lexicon)
        self._form = Former(self.lexicon)
        self._templates = Templates()
        self._syntax = Syntax(max_trees=max_trees, max_units=max_units, cached=cached)
        self._speller = Speller(self.lexicon, lambda: self.tokenizer.english) if repair else None

    def parse(self, text: str, *, vocabulary: Iterable[str] = ()) -> Parse:
        """The readings of a text, best first.

        Where the grammar has none, the fallback's is returned, which is marked as such.

        Args:
            text: an expression, a question or a request.
            vocabulary: words that the text may have misspelt, besides those of the lexicon; for
                example the categories of a scene.

        Raises:
            TextError: the text cannot be read at all: empty, too long, not English.
            GrammarError: no reading; the error carries the text and the words at fault.
        """
        self.tokenizer.check(text)
        return self._as_meant(text, vocabulary)

    def pipe(
        self,
        texts: Iterable[str],
        *,
        vocabulary: Iterable[str] = (),
        tag_all: bool = False,
        batch_size: int = BATCH,
    ) -> Iterator[Parse | NeurosymError]:
        """The parses of many texts, in order; faster than one by one.

        Texts in which the lexicon decides what every word is are read without spaCy, and come to
        the same programs; :attr:`Parse.tagged` tells which were not. A text that differs from an
        earlier one in nouns, attributes and the like only is not parsed again: its program is the
        earlier one's with its own words. Other readings, and then the trees of all, are worked out
        when they are looked at.

        Args:
            texts: any number of them; they are read a batch at a time.
            vocabulary: as for :meth:`parse`.
            tag_all: whether spaCy sees every text.
            batch_size: texts in a batch.

        Yields:
            For every text its parse, or in its place the error that :meth:`parse` would raise.

        Raises:
            GrammarError: ``batch_size`` is not positive.
        """
        if batch_size < 1:
            raise GrammarError(f"batch_size must be at least 1, not {batch_size}")
        words = tuple(vocabulary)
        rest = iter(texts)
        while batch := list(itertools.islice(rest, batch_size)):
            with collector_paused():
                found = self._parsed_batch(batch, words, tag_all)
            yield from found

    def _parsed_batch(
        self, batch: list[str], vocabulary: tuple[str, ...], tag_all: bool
    ) -> list[Parse | NeurosymError]:
        found: dict[int, Parse | NeurosymError] = {}
        waiting: list[tuple[int, str, tuple[Repair, ...]]] = []
        for index, text in enumerate(batch):
            try:
                self.tokenizer.check(text)
                parse = None if tag_all else self._parsed_untagged(text)
                if parse is None:
                    choices = self._repairs(text, vocabulary)
                    if len(choices) > 1:
                        found[index] = self._as_meant(text, vocabulary)
                    else:
                        waiting.append((index, text, choices[0]))
                else:
                    found[index] = parse
            except NeurosymError as error:
                found[index] = error
        tagged = self.tokenizer.pipe(((t, repairs) for _, t, repairs in waiting), len(batch))
        for (index, text, repairs), tokens in zip(waiting, tagged, strict=True):
            try:
                found[index] = self._parsed(text, tokens, repairs, all_readings=False)
            except NeurosymError as error:
                found[index] = error
        return [found[index] for index in range(len(batch))]

    def _parsed_untagged(self, text: str) -> Parse | None:
        """The parse of a text that spaCy need not see; None when it has to."""
        words = self._closed.words(text)
        if words is None:
            return None
        form = self._form(words)
        if form is not None:
            template = self._templates.get(form)
            if template is not None:
                tokens = untagged(text, words)
                return Parse(text, tokens, self._filled_in(text, tokens, form, template))
        found = self._closed.tokens(text, words)
        if found is None:
            return None
        if any(self.lexicon.has_feature("finite", token.lower) for token in found):
            # It is the tags of verbs that tell claims from phrases.
            return None
        try:
            return Parse(text, found, self._learned(text, found, form))
        except GrammarError:
            # Tags may tell more, if only what is wrong.
            return None

    def _by_template(self, text: str, tokens: tuple[Token, ...]) -> Sequence[Reading]:
        """The readings of a tagged text, the best by a template where there is one."""
        words = self._closed.words(text)
        form = self._form(words) if words is not None else None
        if form is not None:
            units, _ = next(segmentations(tokens, self.lexicon, 1))
            if not form.agrees(units):
                form = None
        template = self._templates.get(form) if form is not None else None
        if form is not None and template is not None:
            return self._filled_in(text, tokens, form, template)
        return self._learned(text, tokens, form)

    def _filled_in(
        self, text: str, tokens: tuple[Token, ...], form: Form, template: Template
    ) -> Foreseen:
        """The readings of a text whose best is of a template."""

        def find() -> tuple[Reading, ...]:
            return tuple(self._by_grammar(text, tokens, True))

        program = template.program(form)
        return Foreseen(program, template.score, template.left_out(form, tokens), find)

    def _learned(
        self, text: str, tokens: tuple[Token, ...], form: Form | None
    ) -> Sequence[Reading]:
        """The readings of a text by the grammar, from which a template is made if it can be."""
        readings = self._by_grammar(text, tokens, False)
        if form is not None and form not in self._templates:
            self._templates.add(form, self._template(form, readings[0], tokens))
        return readings

    def _template(self, form: Form, reading: Reading, tokens: tuple[Token, ...]) -> Template | None:
        """The template of a form, if it tells of the text it is of what an ordinary parse does."""
        canonical = untagged(form.text, form.words)
        try:
            best = self._by_grammar(form.text, canonical, False)[0]
        except GrammarError:
            return None
        unused = [token.span for token in best.unused]
        template = compiled(form, best.program, best.score, best.units, unused)
        if template is None or template.score != reading.score:
            return None
        same = is_same(template.program(form), reading.program)
        return template if same and template.left_out(form, tokens) == reading.unused else None

    def _parsed(
        self,
        text: str,
        tokens: tuple[Token, ...],
        repairs: tuple[Repair, ...],
        *,
        all_readings: bool,
    ) -> Parse:
        self._check_language(text, tokens)
        readings: Sequence[Reading]
        try:
            if all_readings or repairs:
                readings = self._by_grammar(text, tokens, all_readings)
            else:
                readings = self._by_template(text, tokens)
        except GrammarError as error:
            if self._dependencies is None:
                raise
            guessed = self._with_guesses(text, tokens, error)
            readings = self._in_senses(text, tokens, (guessed,))
        return Parse(text, tokens, readings, repairs)

    def _in_senses(
        self, text: str, tokens: tuple[Token, ...], readings: Iterable[Reading]
    ) -> tuple[Reading, ...]:
        """The readings in the senses that their words can have, best first."""
        best: dict[Op, Reading] = {}
        for reading in readings:
            for variant in variants(text, reading.program, tokens, reading.units, self.lexicon):
                read = in_sense(reading, variant)
                if read.program not in best or best[read.program].score < read.score:
                    best[read.program] = read
        ordered = sorted(best.values(), key=lambda reading: -reading.score)
        return tuple(ordered[: self.max_readings])

    def _in_best_sense(self, text: str, tokens: tuple[Token, ...], reading: Reading) -> Reading:
        """The best reading in the likeliest sense of each word, which costs it nothing."""
        likeliest = variants(text, reading.program, tokens, reading.units, self.lexicon)[0]
        return in_sense(reading, likeliest)

    def _with_guesses(self, text: str, tokens: tuple[Token, ...], refused: GrammarError) -> Reading:
        """The best reading in which sentences that the grammar has no reading of are guessed.

        Args:
            text: the whole text.
            tokens: its tokens.
            refused: why the grammar has no reading of it all.

        Raises:
            GrammarError: of the first sentence that there is not even a guess of.
        """
        parts = sentences(tokens, self.lexicon)
        if len(parts) > 1:
            return self._discourse(text, parts, guessing=True)[0]
        return self._guessed(text, tokens, (), later=False, refused=refused).reading

    def _guessed(
        self,
        text: str,
        tokens: tuple[Token, ...],
        said: tuple[Antecedent, ...],
        *,
        later: bool,
        refused: GrammarError,
    ) -> Understood:
        """What the fallback makes of a sentence.

        Args:
            text: the whole text.
            tokens: those of the sentence.
            said: what earlier sentences named, the most salient first.
            later: whether there are earlier sentences.
            refused: why the grammar has no reading; raised when there is no guess either.
        """
        units, _ = next(segmentations(tokens, self.lexicon, 1))
        if self._dependencies is None or len(units) > self._syntax.max_units:
            raise refused
        arcs = self._dependencies(tokens)
        made = guess(text, units, arcs, self.lexicon, said, later=later)
        if not isinstance(made, Guess):
            raise refused
        return Understood.guessed(made, units, tokens)

    def _by_grammar(
        self, text: str, tokens: tuple[Token, ...], all_readings: bool
    ) -> Sequence[Reading]:
        """The readings by the grammar; only the first, and the others later, unless all are due."""

        def find() -> tuple[Reading, ...]:
            if len(parts) < 2:
                found = tuple(each.reading for each in self._search(text, tokens, ()).all())
            else:
                found = self._discourse(text, parts)
            return self._in_senses(text, tokens, found)

        parts = sentences(tokens, self.lexicon)
        if all_readings:
            return find()
        # The work so far is not kept for the others: it is far larger than what it finds.
        if len(parts) < 2:
            first = self._search(text, tokens, ())[0].reading
        elif len(parts) == 2 and is_answer(parts[1], self.lexicon) is None:
            first = self._first_of_two(text, parts[0], parts[1])
        else:
            return find()
        return Later(find, self._in_best_sense(text, tokens, first))

    def _first_of_two(
        self,
        text: str,
        first: tuple[Token, ...],
        second: tuple[Token, ...],
    ) -> Reading:
        """The best reading of two sentences: that of :meth:`_discourse`, without the others."""
        before = self._search(text, first, (), among=True)
        best: tuple[Understood, ...] = ()
        refused: GrammarError | None = None
        for index in range(self.max_readings):
            try:
                start = before[index]
            except IndexError:
                break
            if best and start.score <= score_of(best):
                break
            try:
                state = (start, self._search(text, second, start.mentioned, among=True)[0])
            except GrammarError as error:
                refused = refused or error
                continue
            if not best or score_of(state) > score_of(best):
                best = state
        if not best:
            assert refused is not None
            raise refused
        return joined(best, text)

    def _discourse(
        self, text: str, parts: list[tuple[Token, ...]], *, guessing: bool = False
    ) -> tuple[Reading, ...]:
        """The readings of several sentences, of which later ones refer back to earlier ones.

        Args:
            text: the whole text.
            parts: the tokens of each sentence.
            guessing: whether a sentence that the grammar has no reading of is guessed.
        """
        states: list[tuple[Understood, ...]] = [()]
        for part in parts:
            answer = is_answer(part, self.lexicon)
            if answer is not None and states[0]:
                states = [(*state[:-1], answered(state[-1], part, answer)) for state in states]
                continue
            grown: list[tuple[Understood, ...]] = []
            refused: GrammarError | None = None
            for state in states:
                try:
                    said = state[-1].mentioned if state else ()
                    found = self._search(text, part, said, among=True).all()
                except GrammarError as error:
                    refused = refused or error
                    continue
                grown += [(*state, each) for each in found]
            if not grown and guessing:
                assert refused is not None
                # Guesses are too rough to tell the ways to understand what came before apart.
                said = states[0][-1].mentioned if states[0] else ()
                made = self._guessed(text, part, said, later=bool(states[0]), refused=refused)
                grown = [(*states[0], made)]
            if not grown:
                assert refused is not None
                raise refused
            grown.sort(key=lambda state: -score_of(state))
            states = grown[: max(PARAGRAPH_BEAM, self.max_readings)]
        best: dict[str, Reading] = {}
        for state in states:
            reading = joined(state, text)
            best.setdefault(str(reading.program), reading)
        return tuple(best.values())[: self.max_readings]

    def _search(
        self,
        text: str,
        tokens: tuple[Token, ...],
        said: tuple[Antecedent, ...],
        *,
        among: bool = False,
    ) -> Search[Understood]:
        """The readings of one sentence; getting at them raises GrammarError when there are none.

        Args:
            text: the whole text.
            tokens: those of the sentence.
            said: what earlier sentences named, the most salient first.
            among: whether it is one of several sentences, in which a finite verb makes a claim.
        """
        found: dict[object, Understood] = {}
        work = self._understand(found, text, tokens, said, among)
        return Search(work, found, lambda each: each.score, self.max_readings)

    def _understand(
        self,
        best: dict[object, Understood],
        text: str,
        tokens: tuple[Token, ...],
        said: tuple[Antecedent, ...],
        among: bool,
    ) -> Iterator[float]:
        """Add the readings of a sentence to ``best``, tree by tree.

        Yields before each tree the highest score that its readings and later ones can have.

        Raises:
            GrammarError: at the end, when there are no readings.
        """
        failure: tuple[int, tuple[Unit, ...], Failure] | None = None
        meaningless: tuple[Unit, ...] | None = None
        refused: list[NoReadingError] = []
        for units, split in segmentations(tokens, self.lexicon, MAX_SEGMENTATIONS):
            if split is not None and best and not split.is_name:
                continue
            extra = 0.0 if split is None else SPLIT_PHRASE
            yield -extra
            found = self._syntax.parse(units, text)
            if isinstance(found, Failure):
                at = position(found, units, text)
                if failure is None or at > failure[0]:
                    failure = (at, units, found)
                continue
            lowering = Lowering(units, self.lexicon, beam=max(BEAM, self.max_readings))
            lowering.said = said
            for number, (tree_cost, read) in enumerate(found, start=1):
                # After these trees come those of the next way to cut the sentence.
                yield max(round(-(extra + tree_cost), 6), -SPLIT_PHRASE)
                for extra_cost, tree in ways_to_claim(read, units, among=among):
                    for cost, program in _lowered(lowering, tree):
                        score = round(-(extra + tree_cost + extra_cost + cost), 6) + 0.0
                        known = best.get(program)
                        if known is None or known.score < score:
                            best[program] = Understood(
                                program, score, tree, units, tokens, lowering
                            )
                if number >= FIRST_TREES and _is_settled(best, -(extra + tree_cost)):
                    break
            refused += lowering.refused
            if not best:
                meaningless = units
        if best:
            return
        if failure is not None and meaningless is None:
            raise no_sentence(text, failure[1], failure[2], self.lexicon)
        raise no_meaning(text, meaningless or (), refused)

    def _as_meant(self, text: str, vocabulary: Iterable[str]) -> Parse:
        """The parse of a text by the first choice of repairs that the grammar has a reading of."""
        guessed: Parse | None = None
        failed: GrammarError | None = None
        for repairs in self._repairs(text, vocabulary):
            tokens = self.tokenizer(text, repairs)
            try:
                parse = self._parsed(text, tokens, repairs, all_readings=True)
            except GrammarError as error:
                failed = failed or error
                continue
            if parse.source == "grammar":
                return parse
            guessed = guessed or parse
        if guessed is None:
            assert failed is not None
            raise failed
        return guessed

    def _repairs(self, text: str, vocabulary: Iterable[str]) -> list[tuple[Repair, ...]]:
        """What the slips of a text may be, the likeliest first."""
        if self._speller is None:
            return [()]
        return [*self._speller.alternatives(text, plain(text), vocabulary)]

    def _check_language(self, text: str, tokens: tuple[Token, ...]) -> None:
        foreign = [t for t in tokens if t.lower in self.lexicon.foreign and t.is_word]
        if not foreign:
            return
        words = [token for token in tokens if token.is_word]
        english = any(
            sense.word_class not in OPEN
            for token in words
            for sense in self.lexicon.senses(token.lower)
        )
        if not english and len(words) > 1:
            raise TextError(
                f'the text does not look English: "{foreign[0].text}" is no English word',
                text=text,
                span=foreign[0].span,
            )


def _is_settled(found: Mapping[object, Understood], bound: float) -> bool:
    """Whether nothing that scores a bound at most can come before the best that was found."""
    return any(each.score >= bound for each in found.values())


def _lowered(lowering: Lowering, tree: Tree) -> Scored[Op]:
    try:
        return lowering.programs(tree)
    except ProgramTypeError:
        return []
