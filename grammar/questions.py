"""Questions and claims: numbers, truths and values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from neurosym.grammar.attachment import holds_made_of, splits
from neurosym.grammar.claims import any_such, said_of, telling
from neurosym.grammar.classes import WordClass
from neurosym.grammar.distribution import UNBRIDGED, Distribution
from neurosym.grammar.division import divide
from neurosym.grammar.meaning import (
    Coordinated,
    NoReadingError,
    NounPhrase,
    Quantified,
    Scored,
    as_one,
    cheapest,
    head_of,
    refer,
)
from neurosym.grammar.nominals import Nominal, takes_other
from neurosym.grammar.others import OTHER_THAN_WHAT
from neurosym.grammar.tree import Tree
from neurosym.grammar.values import value_of
from neurosym.grammar.words import Context, Step, Words
from neurosym.program import (
    Choose,
    CompareCounts,
    Comparison,
    Conjunction,
    Count,
    CountIs,
    Disjunction,
    Equal,
    Every,
    Everything,
    Exist,
    Filter,
    Kind,
    Most,
    Negation,
    Op,
    Query,
    The,
    Union,
)

CHOICE = 0.6
"""Cost of "is it red or blue" as a question for yes or no, and of "either" as one for a value."""

SHARED_PLACE = 0.5
"""Cost of "more cups than plates on the table" as speaking of the cups on the table, too."""


EARLY_SPLIT = 0.1
"""Cost of a predicate whose landmark is itself modified: the subject could have had more of it."""


NUMBERS_BY_ORDER = {"largest": Comparison.MORE_THAN, "smallest": Comparison.FEWER_THAN}
"""What "larger" and "smaller" say of numbers."""


class Questions(Distribution):
    """Lowers questions and claims."""

    def rules(self) -> dict[str, Callable[[Tree], Scored[Op]]]:
        """What lowers each kind of question and claim, by its label."""
        return {
            "count": self._count,
            "count_is": self._count_is,
            "exist": self._exist,
            "fronted": self._fronted,
            "inverted": self._inverted,
            "exist_not": self._exist,
            "verify": self._verify,
            "verify_not": self._verify,
            "value_is": self._value_is,
            "compare": self._compare,
            "query": self._query,
            "choose": self._choose,
            "equal": self._equal,
            "denied": self._denied,
            "there_is": self._described,
            "conjoined": self._joint,
            "disjoined": self._joint,
        }

    def _denied(self, tree: Tree) -> Scored[Op]:
        """It is not so that."""
        words = self._spans(tree, "DENIAL")
        claim = tree.children[-1]
        return [(cost, Negation(op, words=words)) for cost, op in self.rules()[claim.label](claim)]

    def _joint(self, tree: Tree) -> Scored[Op]:
        """Claims joined by "and" or "or"."""
        words = self._spans(tree, "AND", "OR", "BUT", "WHILE")
        join = Disjunction if tree.label == "disjoined" else Conjunction
        first, *others = (child for child in tree.children if child.unit is None)
        bridged = [] if join is Disjunction else self._bridged(first, others)
        try:
            found = self._each_said(first, others, join, words)
        except NoReadingError:
            if not bridged:
                raise
            return bridged
        base = UNBRIDGED if bridged else 0.0
        return [*bridged, *((base + cost, op) for cost, op in found)]

    def _each_said(
        self, first: Tree, others: list[Tree], join: type[Conjunction | Disjunction], words: Words
    ) -> Scored[Op]:
        """Claims that are understood each by itself."""
        found = self.rules()[first.label](first)
        for claim in others:
            found = cheapest(
                (
                    (cost + more, join(left, right, words=words))
                    for cost, left in found
                    for more, right in self.rules()[claim.label](claim)
                ),
                self._beam,
            )
        return found

    def _count(self, tree: Tree) -> Scored[Op]:
        words = self._spans(tree, "HOW_MANY", "PRONOUN")
        words += self._joined_spans(tree, "IS", "THERE", "PRESENT")
        exception = tree.find("exception")
        of = tree.find("phrase", "np_and", "np_or")
        predicates = [
            child
            for child in tree.children
            if child.unit is None
            and child.label not in ("nominal", "exception")
            and child is not of
        ]
        found: Scored[Op] = []
        for cost, counted in self._counted_together(
            tree.all("nominal"), of, self._spans(tree, "AND", "OR")
        ):
            if counted.other and not any(takes_other(child) for child in predicates):
                counted = self._other_than(counted, tree)
            steps = self._counted_by(predicates, counted)
            if exception is not None:
                steps.append(self._excepting(exception, Context(), counted))
            for extra, objects in self._apply([(cost, counted.objects)], steps):
                found.append((extra, Count(objects, words=words)))
        return found

    def _counted_together(
        self, nominals: tuple[Tree, ...], of: Tree | None, words: Words
    ) -> Scored[Nominal]:
        """What is counted, "dogs" or "dogs and cats"; what follows is said of all of it."""
        if of is not None:
            # "Of the dogs, how many are brown".
            return [
                (cost + extra, Nominal(op, head_of(phrase), plural=True))
                for cost, phrase in self._phrase(of, Context())
                for extra, op in refer(phrase)
                if op.returns is not Kind.TRUTH
            ]
        if not nominals:
            # "There are four balls, how many are red" asks of these.
            counted = self._group_said() or Everything()
            return [(0.0, Nominal(counted, counted, plural=True))]
        found = self._nominal(nominals[0], Context(), "bare")
        for other in nominals[1:]:
            found = [
                (
                    cost + more,
                    replace(
                        left,
                        objects=Union(left.objects, right.objects, words=words),
                        head=Union(left.head, right.head, words=words),
                        other=left.other or right.other,
                    ),
                )
                for cost, left in found
                for more, right in self._nominal(other, Context(left.head), "bare")
            ]
        return found

    def _exist(self, tree: Tree) -> Scored[Op]:
        words = self._joined_spans(tree, "IS", "THERE")
        named = next(child for child in tree.children[::-1] if child.unit is None)
        found = self._existing(named, words)
        if tree.label == "exist":
            return found
        return [
            (cost, Negation(any_such(op), words=self._spans(tree, "NOT"))) for cost, op in found
        ]

    def _counted_by(self, predicates: list[Tree], counted: Nominal) -> list[Step]:
        """What is said of the things that are counted: "how many other things are like it"."""
        named = next((child for child in predicates if takes_other(child)), None)
        if counted.other and named is None:
            raise NoReadingError(OTHER_THAN_WHAT, counted.other)
        return [
            self._step(
                child, counted.head, plural=True, extra=counted.other if child is named else ()
            )
            for child in predicates
        ]

    def _count_is(self, tree: Tree) -> Scored[Op]:
        """Whether the number of these is greater than three."""
        nominal = tree.find("nominal")
        assert nominal is not None
        words = self._spans(tree, "IS", "HOW_MANY", "COMPARISON", "NUMBER")
        comparison = Comparison(self._concept(tree, "COMPARISON"))
        number = int(self._concept(tree, "NUMBER"))
        return [
            (cost, CountIs(counted.objects, comparison, number, words=words))
            for cost, counted in self._nominal(nominal, Context(), "bare")
            if not counted.other
        ]

    def _compare(self, tree: Tree) -> Scored[Op]:
        """Whether there are more of these than of those."""
        left, *others = tree.all("nominal")
        comparison = self._comparison(tree)
        words = self._joined_spans(tree, "IS", "THERE") + self._spans(
            tree,
            *("HOW_MANY", "NO", "MORE", "THAN", "COMPARISON", "AS_MANY", "AS", "SAME"),
            *("EQUALLY_MANY", "AND", "OR", "COMPARATIVE", "OUTNUMBER"),
        )
        found: Scored[Op] = []
        for cost, first in self._nominal(left, Context(), "bare"):
            for more, second in self._counterparts(others, first):
                if first.other or second.other:
                    raise NoReadingError(OTHER_THAN_WHAT, first.other or second.other)
                counts = CompareCounts(first.objects, comparison, second.objects, words=words)
                found.append((cost + more, counts))
                found += [
                    (
                        cost + more + extra,
                        CompareCounts(shared, comparison, second.objects, words=words),
                    )
                    for extra, shared in self._sharing(left, others[-1], first)
                ]
        return found

    def _counterparts(self, nominals: list[Tree], first: Nominal) -> Scored[Nominal]:
        """What is compared with: "than cups", "than red" ones, "than cups and plates"."""
        context = Context(first.head, gap=True)
        found = self._nominal(nominals[0], context, "bare")
        for nominal in nominals[1:]:
            found = [
                (cost + more, replace(left, objects=Union(left.objects, right.objects)))
                for cost, left in found
                for more, right in self._nominal(nominal, context, "bare")
            ]
        return found

    def _sharing(self, left: Tree, right: Tree, first: Nominal) -> Scored[Op]:
        """What is counted first, restricted by what stands after the second noun."""
        if right.children[0].label in ("headless", "of_nominal"):
            return []
        (_, _, own), (_, _, after) = divide(left), divide(right)
        if own or not after:
            return []
        steps = [self._step(post, first.head, plural=True) for post in after]
        return self._apply([(SHARED_PLACE, first.objects)], steps)

    def _comparison(self, tree: Tree) -> Comparison:
        """At least, more than and so on, as all the words of a comparison of numbers say it."""
        if tree.find("SAME"):
            return Comparison.EXACTLY
        leaf = tree.find("COMPARATIVE")
        if leaf is not None:
            # "Is the number of cups larger than the number of plates".
            order = self._concept_of(leaf)
            if order not in NUMBERS_BY_ORDER:
                raise NoReadingError("numbers are not compared by this", [leaf.span])
            return NUMBERS_BY_ORDER[order]
        said = Comparison(
            self._concept(tree, "COMPARISON", "MORE", "AS_MANY", "EQUALLY_MANY", "OUTNUMBER")
        )
        strict = said in (Comparison.MORE_THAN, Comparison.FEWER_THAN)
        if strict and tree.find("AS_MANY"):
            words = self._spans(tree, "COMPARISON")
            raise NoReadingError("this does not go with the words after it", words)
        if tree.find("NO"):
            return {
                Comparison.MORE_THAN: Comparison.AT_MOST,
                Comparison.FEWER_THAN: Comparison.AT_LEAST,
            }[said]
        return said

    def _verify(self, tree: Tree) -> Scored[Op]:
        """A claim about a noun phrase: "is the dog on the table", "all dogs are black"."""
        words = self._spans(tree, "IS", "DO")
        phrase_tree, *floated, predicate = (child for child in tree.children if child.unit is None)
        plain = tree.label == "verify" and not floated
        found = self._of_each(phrase_tree, predicate) if plain else []
        if found:
            return found
        for cost, phrase in self._phrase(phrase_tree, Context()):
            if predicate.label == "shared":
                found += [(cost + extra, op) for extra, op in self._in_the_same(phrase, predicate)]
                continue
            if isinstance(phrase, Coordinated):
                found += [
                    (cost + extra, op)
                    for extra, op in self._claims_of_parts(tree, phrase, predicate, words)
                ]
                continue
            if floated:
                phrase = self._quantified_by(phrase, floated[0].children[0])
            choices = self._choices(tree, predicate, phrase)
            found += [(cost + extra, op) for extra, op in choices]
            dearer = CHOICE if choices and not predicate.find("EITHER") else 0.0
            if tree.children[0].label == "IS":
                dearer += EARLY_SPLIT * (splits(predicate) + 2 * holds_made_of(phrase_tree))
            step = self._step(predicate, phrase.head, plural=phrase.plural)
            found += [
                (cost + dearer + extra, op) for extra, op in self._claims(tree, phrase, step, words)
            ]
        return found

    def _quantified_by(self, phrase: Quantified, floated: Tree) -> Quantified:
        """A subject with the "all" or "both" that stands after the verb: "the cups are all red"."""
        words = (*phrase.words, floated.span)
        both = floated.label == "BOTH"
        definite = phrase.determiner in ("the", "the_number")
        if not phrase.plural or not (definite or (phrase.determiner == "bare" and not both)):
            raise NoReadingError("this does not agree with what it is said of", [floated.span])
        if not both:
            return replace(phrase, determiner="all", words=words)
        if phrase.number not in (None, 2):
            raise NoReadingError("this does not agree with what it is said of", [floated.span])
        return replace(phrase, determiner="both", number=2, words=words)

    def _claims(self, tree: Tree, phrase: Quantified, step: Step, words: Words) -> Scored[Op]:
        """What a predicate says of a noun phrase, or in a denial does not."""
        found = said_of(phrase, step, words, self._things())
        if tree.label == "verify":
            return found
        denial = self._spans(tree, "NOT")
        if not all(isinstance(op, Every | Most) for _, op in found):
            raise NoReadingError('"not" is understood here with "all" and "most" only', denial)
        return [(cost, Negation(op, words=denial)) for cost, op in found]

    def _claim_made(self, tree: Tree) -> Op | None:
        try:
            found = self._verify(tree)
        except NoReadingError:
            return None
        return found[0][1] if found else None

    def _choices(self, tree: Tree, predicate: Tree, phrase: Quantified) -> Scored[Op]:
        """A question whether one thing is red or blue, as one for which of the two it is."""
        parts = [child for child in predicate.children if child.unit is None]
        joined = predicate
        if predicate.label == "coloured":
            # "in red or blue"
            joined = predicate.find("attributes") or predicate
            parts = list(joined.all("ATTRIBUTE"))
        if (
            tree.children[0].label != "IS"
            or predicate.label not in ("predicate_or", "coloured")
            or not joined.find("OR")
            or len(parts) != 2
            or phrase.plural
            or phrase.determiner == "indefinite"
        ):
            return []
        try:
            subjects = as_one(phrase)
        except NoReadingError:
            return []
        worn = self._spans(predicate, "WITH_COLOUR")
        words = (*self._spans(tree, "IS"), *worn, *self._spans(joined, "OR"))
        cost = CHOICE if predicate.find("EITHER") else 0.0
        return [
            (cost + extra, op)
            for extra, subject in subjects
            for op in self._one_of_two(subject, parts, words)
        ]

    def _one_of_two(self, subject: Op, parts: list[Tree], words: Words) -> list[Op]:
        """The choices between what two predicates say, where both are values of one attribute."""
        first, second = (self._values_said(part) for part in parts)
        said = (*words, *(leaf.span for part in parts for leaf in telling(part)))
        return [
            Choose(subject, attribute, value, other, words=said)
            for attribute, value in first
            for same, other in second
            if attribute == same and value != other
        ]

    def _values_said(self, part: Tree) -> list[tuple[str, str]]:
        """The (attribute, value) that a predicate says: "red", "on the left", "a cube"."""
        leaves = telling(part)
        if len(leaves) != 1:
            return []
        unit = self._unit(leaves[0])
        match part.label, leaves[0].label:
            case (("attribute" | "ATTRIBUTE"), _):
                return [(s.dimension, s.concept) for s in unit.all(WordClass.ATTRIBUTE)]
            case "located", "LOCATION":
                # How far back a thing is, is a measure, and no value of an attribute.
                senses = unit.all(WordClass.LOCATION)
                return [(s.dimension, s.concept) for s in senses if s.dimension != "depth"]
            case "same_as", "NOUN":
                return [("category", unit.sense(WordClass.NOUN).concept)]
        return []

    def _query(self, tree: Tree) -> Scored[Op]:
        """What value an attribute of one thing has."""
        valued = tree.find("valued")
        asked = self._spans(tree, "WHAT", "HOW", "ASPECT", "THING", "THINGS", "IS", "MADE_OF")
        if valued is not None:
            return self._valued(valued, asked)
        return self._values_of(self._asked_for(tree), tree, asked)

    def _asked_for(self, tree: Tree) -> Scored[str]:
        """The attributes that a question may ask for: "what colour", "how big", "made of"."""
        # "What kind of shape" asks for the shape.
        aspect, named = next(reversed(tree.all("ASPECT")), None), tree.find("HOW", "MADE_OF")
        if named is None:
            assert aspect is not None
            return self._attribute_names(aspect)
        concept = self._concept(tree, "HOW", "MADE_OF")
        if aspect is not None and concept not in {n for _, n in self._attribute_names(aspect)}:
            raise NoReadingError("this is not what things are made of", [aspect.span])
        return [(0.0, concept)]

    def _valued(self, tree: Tree, words: Words = ()) -> Scored[Op]:
        """The colour of the cup."""
        leaf = tree.find("ASPECT")
        assert leaf is not None
        said = (*words, *self._spans(tree, "ASPECT", "ONLY", "SHARE", "HAS"))
        names = self._attribute_names(leaf)
        possessor = tree.find("possessor")
        if possessor is None:
            return self._values_of(names, tree, said)
        first = possessor.children[0]
        owners: Scored[NounPhrase]
        if first.label == "POSSESSIVE":
            owners = [*self._pronoun(first)]
        else:
            owners = self._phrase(first, Context())
        return [
            (cost + extra + more, op)
            for cost, owner in owners
            for extra, name in names
            for more, op in value_of(owner, name, said)
        ]

    def _value_is(self, tree: Tree) -> Scored[Op]:
        """The colour of the cup is red."""
        valued, said = (child for child in tree.children if child.unit is None)
        words = (*self._spans(tree, "IS"), *self._spans(valued, "ASPECT", "OF"))
        denial = self._spans(tree, "NOT")
        found: Scored[Op] = [
            (cost + more, self._denied_by(denial, Exist(value, words=words)))
            for cost, asked in self._valued(valued)
            if isinstance(asked, Query)
            for more, value in self._attribute(asked.objects, said.children[0])
            if isinstance(value, Filter) and value.attribute == asked.attribute
        ]
        if not found:
            raise NoReadingError("this is no value of what is asked for", [said.span])
        return found

    @staticmethod
    def _denied_by(denial: Words, claim: Op) -> Op:
        return Negation(claim, words=denial) if denial else claim

    def _values_of(self, attributes: Scored[str], tree: Tree, words: Words) -> Scored[Op]:
        phrases = [child for child in tree.children if child.unit is None]
        if phrases[0].label not in ("phrase", "np_and", "np_or"):
            # "What colour is behind the cup": the thing goes without saying.
            if phrases[0].children[0].label == "same_as":
                raise NoReadingError
            plain = Nominal(Everything(), Everything(), plural=False)
            return [
                (cost + extra, Query(The(nominal.objects), attribute, words=words))
                for cost, nominal in self._modified(plain, [], phrases, "bare")
                for extra, attribute in attributes
            ]
        return [
            (cost + more + extra, op)
            for cost, phrase in self._phrase(phrases[0], Context())
            for extra, attribute in attributes
            for more, op in value_of(phrase, attribute, words)
        ]

    def _choose(self, tree: Tree) -> Scored[Op]:
        """Which colour is the cup, red or blue."""
        aspect, options = tree.find("ASPECT"), tree.find("attributes")
        assert aspect is not None
        assert options is not None
        leaves = list(options.all("ATTRIBUTE"))
        names = {name for _, name in self._attribute_names(aspect)}
        senses = [self._unit(leaf).sense(WordClass.ATTRIBUTE) for leaf in leaves]
        if len(leaves) != 2 or not options.find("OR"):
            raise NoReadingError("a choice is between two values", [options.span])
        if any(sense.dimension not in names for sense in senses):
            raise NoReadingError("these are not values of what is asked for", [options.span])
        words = self._spans(tree, "WHAT", "ASPECT", "IS") + self._spans(options, "OR")
        phrase_tree = tree.find("phrase", "np_and", "np_or")
        assert phrase_tree is not None
        return [
            (cost + more, op)
            for cost, phrase in self._phrase(phrase_tree, Context())
            for more, subject in as_one(phrase)
            for op in self._one_of_two(subject, leaves, words)
        ]

    def _equal(self, tree: Tree) -> Scored[Op]:
        """Whether two things have the same value of an attribute."""
        words = self._spans(tree, "IS", "MADE_OF", "SAME", "AS", "DIFFERENT", "THAN", "ASPECT")
        pairs = self._value_pairs(tree) if tree.find("valued") else self._two_values(tree)
        negated = tree.find("DIFFERENT") is not None
        found: Scored[Op] = []
        for cost, (first, second) in pairs:
            op: Op = Equal(first, second, words=words)
            found.append((cost, Negation(op, words=words) if negated else op))
        return found

    def _value_pairs(self, tree: Tree) -> Scored[tuple[Op, Op]]:
        """The values of "the colour of the cup" and "the colour of the plate", or "the plate"."""
        left, right = (child for child in tree.children if child.unit is None)
        firsts = self._valued(left)
        if right.label == "valued":
            seconds = self._valued(right)
        else:
            aspect = left.find("ASPECT")
            assert aspect is not None
            seconds = [
                (cost + more, Query(subject, name))
                for cost, phrase in self._phrase(right, Context())
                for more, subject in as_one(phrase)
                for _, name in self._attribute_names(aspect)
            ]
        return [
            (c + d, (a, b))
            for c, a in firsts
            for d, b in seconds
            if isinstance(a, Query) and isinstance(b, Query) and a.attribute == b.attribute
        ]

    def _two_values(self, tree: Tree) -> Scored[tuple[Op, Op]]:
        """The values of one attribute of "the cup and the plate"."""
        aspect, things = tree.find("ASPECT"), tree.find("np_and")
        assert aspect is not None
        assert things is not None
        if len(tree.all("ASPECT")) > 1:
            raise NoReadingError
        names = self._attribute_names(aspect)
        if tree.find("MADE_OF") and self._concept(tree, "MADE_OF") not in {n for _, n in names}:
            raise NoReadingError("this is not what things are made of", [aspect.span])
        found: Scored[tuple[Op, Op]] = []
        for cost, phrase in self._phrase(things, Context()):
            assert isinstance(phrase, Coordinated)
            if len(phrase.parts) != 2:
                raise NoReadingError(
                    "two things are compared, not more", self._spans(tree, "SAME", "DIFFERENT")
                )
            left, right = (as_one(part) for part in phrase.parts)
            found += [
                (cost + c + d + extra, (Query(a, name), Query(b, name)))
                for c, a in left
                for d, b in right
                for extra, name in names
            ]
        return found
