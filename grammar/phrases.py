"""Noun phrases: determiners, exceptions and coordination."""

from __future__ import annotations

from dataclasses import dataclass, replace

from neurosym.grammar.anaphora import is_given
from neurosym.grammar.classes import WordClass
from neurosym.grammar.coordination import (
    ends_in_value,
    lacks_head,
    lacks_noun,
    lists_two,
    noun_of,
    sharing,
    to_each_other_of,
    with_posts,
    without_post,
)
from neurosym.grammar.division import divide
from neurosym.grammar.meaning import (
    DEFINITE_GUESS,
    Coordinated,
    NoReadingError,
    NounPhrase,
    Quantified,
    Scored,
    cheapest,
    head_of,
    refer,
)
from neurosym.grammar.nominals import Nominal, among
from neurosym.grammar.others import Others
from neurosym.grammar.preferences import CARRYING, DEEDS
from neurosym.grammar.tree import Tree
from neurosym.grammar.words import Context, Step, Words
from neurosym.program import (
    ChooseSet,
    Comparison,
    Everything,
    Kind,
    Minus,
    Op,
    Pointed,
    Relate,
    RelateCount,
    Select,
    Superlative,
    TheGroup,
)

LOW_EXCEPTION = 0.8
"""Cost of an exception to a landmark: "but not" usually excepts from the whole expression."""

PLACED_LAST = 0.3
"""Cost of joined landmarks of which only the last has a place: "the man in the car and the woman on
the bike" rather names two, each with a place."""

HIGH_JOIN = 0.2
"""Cost of joining whole expressions rather than the landmarks at the end."""

SPLIT_VALUES = 1.6
"""Cost of a colour after a noun and before "and": "man blue and white shirt" has one shirt."""

AND_BEYOND = {"more_than": Comparison.AT_LEAST, "fewer_than": Comparison.AT_MOST}
"""What "or more" and "or fewer" say after a number."""

WEAK_DEFINITE = 0.2
"""Cost of "the wall" as any wall: "at the top" is rather a place, where it can be one."""

NUMBER_CLASH = 1.0
"""Cost of "two dog" and "one dogs"."""


@dataclass(frozen=True, slots=True)
class Determiner:
    """What stands before a nominal.

    Attributes:
        label: the grammar's name of it, "bare" when there is none.
        words: its spans.
        number: the number in it; 2 for "both".
        comparison: how a count is compared, for "at least two".
        pointed: what one points at, for "this".
        free: whether it is "any".
    """

    label: str
    words: Words = ()
    number: int | None = None
    comparison: Comparison | None = None
    pointed: Pointed | None = None
    free: bool = False

    def over(self, nominal: Nominal) -> Quantified:
        """The noun phrase that it makes of a nominal."""
        label, objects = self.label, nominal.objects
        if label == "the" and nominal.besides and not nominal.plural:
            # "The dog looking at the other dog": there are two, of which neither is the only one.
            label = "indefinite"
        if label == "the_number" and nominal.besides:
            # "The cup next to the other two cups": there are three of them.
            label = "number"
        if self.pointed is not None:
            # "Most of these cups" is still most of them.
            label = "the" if label in ("this", "these") else label
            objects = among(self.pointed, objects)
        return Quantified(
            label,
            self.words,
            objects,
            nominal.head,
            nominal.plural,
            nominal.ranked,
            nominal.number if self.number is None else self.number,
            self.comparison,
            self.free,
            each=nominal.each,
            whole=nominal.whole,
            besides=nominal.besides,
        )


class Phrases(Others):
    """Lowers noun phrases."""

    def _phrase(self, tree: Tree, context: Context) -> Scored[NounPhrase]:
        # By identity: equal programs may come from different words.
        key = (id(tree), id(context.head), id(context.whole), context.landmark, context.gap)
        known = self._lowered.get(key)
        if known is None:
            found = self._phrase_anew(tree, context)
            self._lowered[key] = known = (tree, context, found)
        if isinstance(known[2], NoReadingError):
            raise known[2]
        return known[2]

    def _phrase_anew(self, tree: Tree, context: Context) -> Scored[NounPhrase] | NoReadingError:
        several = tree.label in ("np_and", "np_or", "np_nor")
        lower = self._coordinated if several else self._quantified
        try:
            return cheapest(lower(tree, context), self._beam)
        except NoReadingError as error:
            return error

    def _coordinated(self, tree: Tree, context: Context) -> Scored[NounPhrase]:
        parts = [child for child in tree.children if child.unit is None]
        mutual = to_each_other_of(parts[-1]) if tree.label == "np_and" and len(parts) == 2 else None
        if mutual is not None:
            return self._with_each_other(tree, mutual, context)
        parts = self._doing_alike(parts)
        words = self._spans(tree, "BOTH", "AND", "OR", "BUT", "NEITHER", "NOR")
        neither = tree.label == "np_nor"
        base = 0.0 if context.landmark else HIGH_JOIN
        base += SPLIT_VALUES * sum(map(ends_in_value, parts[:-1]))
        if context.landmark and self._placed_last(parts):
            base += PLACED_LAST
        rows: Scored[tuple[NounPhrase, ...]] = [(base, ())]
        for part in parts:
            grown: Scored[tuple[NounPhrase, ...]] = []
            for cost, row in rows:
                here = self._after(row, parts, context)
                for extra, phrase in self._phrase(part, here):
                    for more, joined in sharing(row, phrase):
                        grown.append((cost + extra + more, (*row, joined)))
            rows = cheapest(grown, self._beam)
        rows = [
            (cost + self._preferences.of_list(nouns, landmarks=context.landmark), row)
            for cost, row in rows
            for nouns in [[noun_of(phrase) for phrase in row]]
        ]
        any_of = neither or tree.label == "np_or"
        return [(cost, Coordinated(any_of, words, row, neither)) for cost, row in rows]

    def _placed_last(self, parts: list[Tree]) -> bool:
        """Whether definite phrases are joined of which only the last has a place."""
        nominals = [part.find("nominal") for part in parts if part.find("the") is not None]
        placed = [
            any(
                post.label == "related" and next(self._said(post)).relation not in CARRYING - {"in"}
                for post in divide(nominal)[2]
            )
            for nominal in nominals
            if nominal is not None
        ]
        return len(placed) == len(parts) and placed[-1] and not any(placed[:-1])

    def _with_each_other(self, tree: Tree, mutual: Tree, context: Context) -> Scored[NounPhrase]:
        """A cup and a plate touching each other: one is related to the other, and back."""
        relation = mutual.find("RELATION", "SIDE_RELATION", "VERB", "HAS")
        assert relation is not None
        name, words = self._concept_of(relation), tuple(leaf.span for leaf in mutual.leaves())
        last = tree.children[-1]
        plain = replace(tree, children=(*tree.children[:-1], without_post(last, mutual)))
        found: Scored[NounPhrase] = []
        for cost, phrase in self._phrase(plain, context):
            if not isinstance(phrase, Coordinated):
                continue
            first, second = phrase.parts
            if not isinstance(first, Quantified) or not isinstance(second, Quantified):
                continue
            sides = [
                replace(one, objects=Relate(one.objects, name, other.objects, words=words))
                for one, other in ((first, second), (second, first))
            ]
            found.append((cost, replace(phrase, parts=tuple(sides))))
        return found

    def _doing_alike(self, parts: list[Tree]) -> list[Tree]:
        """Parts with the deed that follows the last: in "a man and a dog running" both run."""
        nominals = [part.find("nominal") for part in parts]
        if any(nominal is None for nominal in nominals):
            return parts
        divided = [
            divide(nominal.children[0] if lacks_head(nominal) else nominal)
            for nominal in nominals
            if nominal is not None
        ]
        named = [
            " ".join(map(self._concept_of, head.leaves()))
            if head.label in ("noun", "nouns")
            else "thing"
            for _, head, _ in divided
            if head is not None and head.label in ("noun", "nouns", "thing", "things")
        ]
        heads = sum(head is not None for _, head, _ in divided)
        animate = len(named) == len(parts) and all(map(self._preferences.is_animate, named))
        # "A red or a blue cup touching the plate": of one kind, they are spoken of together.
        alike = bool(named) and len(named) == heads and len(set(named)) == 1
        *before, (_, _, posts) = divided
        does = bool(posts) and next(self._said(posts[0])).relation in DEEDS
        if not ((animate or alike) and does) or any(after for _, _, after in before):
            return parts
        return [*(with_posts(part, posts) for part in parts[:-1]), parts[-1]]

    def _after(self, row: tuple[NounPhrase, ...], parts: list[Tree], context: Context) -> Context:
        """What a part can refer back to.

        That is the noun before it, or in "the red and the blue cup" the noun of the last part.
        """
        if row:
            head = head_of(row[0])
            if isinstance(head, Everything):
                return context
            return replace(context, head=head, beside=context.beside or context.head)
        if not context.gap and lacks_noun(parts[0]) and parts[-1].label == "phrase":
            last = self._phrase(parts[-1], replace(context, landmark=True))
            if last and not isinstance(head_of(last[0][1]), Everything):
                return replace(context, head=head_of(last[0][1]), gap=True)
        return context

    def _quantified(self, tree: Tree, context: Context) -> Scored[NounPhrase]:
        if tree.children[0].label == "grouped":
            return self._excepted(tree, context, self._grouped(tree.children[0], context))
        if tree.children[0].label == "pronoun":
            return [*self._pronoun(tree.children[0].children[0])]
        if tree.children[0].label == "those_placed":
            return self._those(tree.children[0], context)
        if tree.children[0].label == "of_them":
            return self._of_them(tree.children[0])
        if tree.children[0].label == "choice":
            return self._chosen_set(tree.children[0], context)
        if tree.children[0].label == "either_number":
            return self._either_number(tree, context)
        if tree.children[0].label == "possessor":
            return self._excepted(tree, context, self._possessed(tree, context))
        said = self._determiner(tree)
        if said.label == "both" and lists_two(tree):
            # "Both red and blue cups" are some of either.
            said = Determiner("bare", said.words)
        body = tree.find("nominal", "anything")
        if body is None and said.label == "the_number":
            counted = context.head or self._group_said()
            if counted is None:
                raise NoReadingError("nothing was named that this could count", said.words)
            nominals: Scored[Nominal] = [(0.0, Nominal(counted, counted, plural=True))]
        elif body is None:
            # "This" alone, without a noun.
            plain = Nominal(Everything(), Everything(), plural=said.label == "these")
            nominals = [(0.0, plain)]
        elif body.label == "anything":
            nominals = self._anything(body)
        else:
            nominals = self._nominal(body, context, said.label, said.number)
        found: Scored[Quantified] = []
        others = self._spans(tree.children[0], "OTHER") if tree.children[0].children else ()
        for cost, nominal in nominals:
            if others:
                nominal = replace(nominal, other=(*others, *nominal.other))
            if nominal.other:
                try:
                    nominal = self._other_than(nominal, tree)
                except NoReadingError as error:
                    if not context.landmark or said.label == "the":
                        self.refused.append(error)
                        continue
                    # Nothing is related to itself: "another cup" says no more than "a cup".
                    spans = (*nominal.objects.words, *nominal.other)
                    nominal = replace(nominal, objects=nominal.objects.at(*spans), other=())
            if said.label in ("this", "these") and nominal.plural != (said.label == "these"):
                disagreeing = NoReadingError("this does not agree with its noun", said.words[:1])
                self.refused.append(disagreeing)
                continue
            if nominal.open_number and context.landmark and said.label == "the":
                # "Behind the cube(s)" speaks of the one cube there is.
                nominal = replace(nominal, plural=False)
            cost += self._number_clash(said.label, said.number, nominal)
            phrase = replace(said.over(nominal), of_values=self._is_value(nominal.head))
            if self._is_weak(phrase, context):
                cost, phrase = cost + WEAK_DEFINITE, replace(phrase, determiner="indefinite")
            found.append((cost, phrase))
        return self._excepted(tree, context, self._said_again(found, said.label))

    def _chosen_set(self, tree: Tree, context: Context) -> Scored[NounPhrase]:
        """The more numerous of two sets."""
        pair, words = tree.children[-1], self._spans(tree, "NUMEROUS")
        comparison = Comparison(self._concept(tree, "NUMEROUS"))
        found: Scored[NounPhrase] = []
        for cost, phrase in self._phrase(pair, context):
            assert isinstance(phrase, Coordinated)
            if len(phrase.parts) != 2:
                raise NoReadingError("this chooses between two only", words)
            found += [
                (cost + c + d, Determiner("bare").over(Nominal(op, op, plural=True)))
                for c, left in refer(phrase.parts[0])
                for d, right in refer(phrase.parts[1])
                if Kind.OBJECTS.accepts(left.returns) and Kind.OBJECTS.accepts(right.returns)
                for op in [ChooseSet(left, comparison, right, words=words)]
            ]
        return found

    def _either_number(self, tree: Tree, context: Context) -> Scored[NounPhrase]:
        """Two or three cups: two cups or three cups."""
        said = tree.children[0]
        words = self._spans(said, "EITHER", "OR")
        rows: Scored[tuple[NounPhrase, ...]] = [(0.0, ())]
        for leaf in said.all("NUMBER"):
            one = replace(tree, children=(Tree("number", (leaf,), leaf.span), *tree.children[1:]))
            rows = [
                (cost + extra, (*row, phrase))
                for cost, row in rows
                for extra, phrase in self._phrase(one, context)
            ]
        return [(cost, Coordinated(True, words, row)) for cost, row in rows]

    def _is_weak(self, phrase: Quantified, context: Context) -> bool:
        """Whether "the" names any one: "touching the wall" is touching some wall."""
        if phrase.number is not None or not isinstance(phrase.head, Select):
            return False
        if any(isinstance(op, Superlative) for op in phrase.objects.walk()):
            return False
        if self._lexicon.has_feature("weak_definite", phrase.head.category):
            return phrase.determiner in ("the", "bare")
        if context.landmark and phrase.determiner == "the" and not phrase.plural:
            # "The wall of the box", where nothing else was said of a box.
            holder = phrase.head.category in self._lexicon.feature("container")
            if holder and self._same_again(phrase, pointed=False) is None:
                return True
        # "The second block of a tower" is that of some tower.
        return phrase.determiner == "the" and _is_of_some(phrase.objects)

    def _excepted(
        self, tree: Tree, context: Context, found: Scored[Quantified]
    ) -> Scored[NounPhrase]:
        """Take what a phrase excepts away from the set that it describes."""
        exception = tree.find("exception")
        if exception is None:
            return [*found]
        extra = LOW_EXCEPTION if context.landmark else 0.0
        return [
            (total, replace(phrase, objects=objects))
            for cost, phrase in found
            for total, objects in self._apply(
                [(cost + extra, phrase.objects)], [self._excepting(exception, context, phrase)]
            )
        ]

    def _grouped(self, tree: Tree, context: Context) -> Scored[Quantified]:
        """The row of cups; but a pair of scissors is one thing."""
        form = self._concept(tree, "FORM")
        words = self._spans(tree, "FORM")
        article = self._spans(tree, "THE") if tree.children[0].label == "THE" else ()
        found: Scored[Quantified] = []
        for cost, nominal in self._nominal(tree.children[-1], context, "bare"):
            head = nominal.head
            if not nominal.plural or nominal.other:
                self.refused.append(NoReadingError("a group is of several things", words))
                continue
            if (
                form == "pair"
                and isinstance(head, Select)
                and self._lexicon.has_feature("pair", head.category)
            ):
                indefinite = "indefinite" if tree.find("INDEFINITE") else "bare"
                label = "the" if article else indefinite
                objects = nominal.objects.at(*words, *nominal.objects.words)
                found.append((cost, Quantified(label, article, objects, head, plural=False)))
                continue
            objects = self._among(tree, nominal.objects)
            group = TheGroup(objects, form, words=(*article, *words))
            guess = 0.0 if article else DEFINITE_GUESS
            found.append((cost + guess, Quantified("group", (), group, head, plural=False)))
        return found

    def _possessed(self, tree: Tree, context: Context) -> Scored[Quantified]:
        """The man's hat, her hat: the hat of the man."""
        owner, body = tree.children[0], tree.children[1]
        if body.children[0].label in ("of_nominal", "headless"):
            raise NoReadingError("what is possessed is not named", [owner.span])
        # Whose it is restricts it before anything picks: "the man's largest dog".
        body = replace(body, children=(*body.children, owner))
        each = bool(owner.children[0].find("all", "each", "both"))
        return [
            (cost, Determiner("each" if each else _definiteness(nominal)).over(nominal))
            for cost, nominal in self._nominal(body, context, "the")
            if not nominal.other
        ]

    def _those(self, tree: Tree, context: Context) -> Scored[NounPhrase]:
        """Those on the table: the ones that are there, and nothing that is pointed at."""
        pointing, *posts = tree.children
        ones = Tree("ones", (pointing,), pointing.span)
        nominal = Tree("nominal", (ones, *posts), tree.span)
        return [
            (cost, Determiner("the").over(found))
            for cost, found in self._nominal(nominal, context, "the")
            if not found.other
        ]

    def _of_them(self, tree: Tree) -> Scored[NounPhrase]:
        """One of them: so many of what a pronoun stands for."""
        label = {
            **{"ALL": "all", "EACH": "each", "BOTH": "both", "NO": "no", "MOST": "most_of"},
            **{"INDEFINITE": "indefinite", "COMPARISON": "comparison", "NUMBER": "number_of"},
            **{"NEITHER": "neither", "SEVERAL": "several"},
        }[tree.children[0].label]
        said = self._determiner(Tree("phrase", (tree,), tree.span))
        # "Those" is what there are so many of, and no determiner here.
        said = replace(said, label=label, pointed=None)
        *amount, them = tree.children
        if label == "both":
            said = replace(said, number=2)
        if said.number == 1 and label == "number_of":
            said = replace(said, label="indefinite")
        found: Scored[NounPhrase] = []
        for cost, phrase in self._them(them) if amount else self._they(them):
            if phrase.plural:
                objects = phrase.objects
                if said.number == 1:
                    # One of them is not all of them.
                    objects = objects.at(*objects.words, tree.children[0].span)
                nominal = Nominal(objects, phrase.head, plural=said.number != 1)
                found.append((cost, said.over(nominal)))
        if not found:
            raise NoReadingError("this is not several things", [them.span])
        return found

    def _they(self, tree: Tree) -> Scored[Quantified]:
        """What "two" and "both" alone are of: what "they" would stand for."""
        return [(cost, replace(q, words=())) for cost, q in self._standing_for("they", tree)]

    def _them(self, tree: Tree) -> Scored[Quantified]:
        """What a pronoun stands for; "these" may also be what one points at."""
        try:
            return self._pronoun(tree)
        except NoReadingError:
            if tree.label != "POINTING_MANY":
                raise
        pointed = self._determiner(Tree("phrase", (Tree("these", (tree,), tree.span),), tree.span))
        return [(0.0, pointed.over(Nominal(Everything(), Everything(), plural=True)))]

    def _determiner(self, tree: Tree) -> Determiner:
        first = tree.children[0]
        if first.label == "anything" and first.find("EVERYTHING"):
            return Determiner("everything", self._spans(first, "EVERYTHING"))
        if first.label == "anything" and first.find("NOTHING"):
            return Determiner("no", self._spans(first, "NOTHING"))
        after = tree.find("only")
        if after is not None and first.label == "nominal":
            return Determiner("only", (after.span,))
        if first.label in ("nominal", "anything"):
            return Determiner("bare")
        number: int | None = 2 if first.label == "both" else None
        comparison, pointed, free = None, None, False
        for leaf in first.leaves():
            match leaf.label:
                case "NUMBER" if first.label == "no" and len(first.children[0].words.split()) > 1:
                    # "None of the three" is none of them; "no two" are at most one.
                    pass
                case "NUMBER" if first.label == "each":
                    pass
                case "NUMBER" if number is None or first.label != "number_of":
                    number = int(self._unit(leaf).sense(WordClass.NUMBER).concept)
                case "INDEFINITE" if first.label == "any_number":
                    comparison = Comparison.AT_LEAST
                case "SEVERAL":
                    least = self._unit(leaf).sense(WordClass.SEVERAL).concept
                    number = None if least == "unsaid" else int(least)
                    comparison = Comparison.AT_LEAST
                case "MORE":
                    comparison = AND_BEYOND[self._unit(leaf).sense(WordClass.MORE).concept]
                case "COMPARISON":
                    concept = self._unit(leaf).sense(WordClass.COMPARISON).concept
                    comparison = Comparison(concept)
                case "POINTING" | "POINTING_MANY":
                    pointed = self._pointed(leaf)
                case "SINGLE" if first.label == "number":
                    # "A single cup".
                    number = 1
                case "INDEFINITE":
                    free = self._unit(leaf).sense(WordClass.INDEFINITE).concept == "any"
        if number == 0 and comparison is None:
            raise NoReadingError
        words = tuple(leaf.span for leaf in first.leaves() if leaf.label != "OF")
        if first.label == "indefinite":
            words = ()
        if first.label == "number_of" and number == 1:
            # "One of the cups" is any of them.
            return Determiner("indefinite", words, pointed=pointed)
        # "Any two cups": two at least, whichever.
        label = "comparison" if first.label == "any_number" else first.label
        return Determiner(label, words, number, comparison, pointed, free)

    @staticmethod
    def _number_clash(determiner: str, number: int | None, nominal: Nominal) -> float:
        if determiner == "all_but":
            return 0.0
        if determiner == "each" or number == 1:
            return NUMBER_CLASH if nominal.plural else 0.0
        if determiner in ("all", "most", "most_of") or (number is not None and number > 1):
            return 0.0 if nominal.plural else NUMBER_CLASH
        return 0.0

    def _anything(self, tree: Tree) -> Scored[Nominal]:
        concept = self._concept(tree, "ANYTHING", "EVERYTHING", "NOTHING")
        words = self._spans(tree, "ANYTHING", "EVERYTHING")
        everything: Op = Everything(words=words)
        if concept != "everything":
            everything = Select(concept, words=words)
        before, _, after = divide(tree)
        base = Nominal(everything, everything, plural=True)
        return self._modified(base, before, after, "bare")

    def _excepting(self, tree: Tree, context: Context, nominal: Nominal | Quantified) -> Step:
        """Take away what an exception names.

        "one" in it is the head noun, so that "but not the green one" means the green plate; with
        a superlative it is the set excepted from, because "except the leftmost one" of the
        people by the bottle means the leftmost of these, not of all people.
        """
        words = self._joined_spans(tree, "BUT", "NOT", "EXCEPT")
        excluded = tree.children[-1]
        if next(excluded.leaves()).label in ("NUMBER", "ONE"):
            said = "but" if tree.find("BUT") else "except"
            raise NoReadingError(f'"{said}" with a number is not understood yet', [tree.span])

        if excluded.label not in ("phrase", "np_and", "np_or"):
            return self._minus(excluded, words, nominal.head, nominal.plural)

        def step(objects: Op) -> Scored[Op]:
            inner = Context(nominal.head, objects, context.landmark, gap=True)
            return [
                (cost + extra, Minus(objects, op, words=words))
                for cost, phrase in self._phrase(excluded, inner)
                for extra, op in refer(phrase)
                if op.returns is not Kind.TRUTH
            ]

        return step


def _definiteness(nominal: Nominal) -> str:
    """The determiner of what is of something: the man's hat, but some man's, or each one's own."""
    owned = (
        node
        for node in nominal.objects.walk()
        if isinstance(node, Relate | RelateCount) and node.relation == "of"
    )
    return "the" if any(is_given(node.landmarks) for node in owned) else "indefinite"


def _is_of_some(objects: Op) -> bool:
    """Whether a phrase says itself that it is of something, and of nothing that is known."""
    while objects.operands:
        if isinstance(objects, Relate) and objects.relation in ("of", "from"):
            return not is_given(objects.landmarks)
        objects = objects.operands[0]
    return False
