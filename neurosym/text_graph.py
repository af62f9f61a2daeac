"""A descriptive text as a scene graph, with no image at all.

Nodes are the things that the text speaks of, edges the relations that it states. What is denied
("no cup", "without a hat", "is not red") and what only may be ("red or blue", what is asked for)
is kept and marked, and is never among the facts: :func:`facts` is what the text says to be so.

Two mentions are one thing when the program shares them (a pronoun, or a sentence about what came
before, is the same sub-program again), when both are definite and say the same, or when a definite
describes exactly one thing that is known already: "a red cup and a blue cup. The red one ...".

A node carries

``category``
    what it is; None where the text does not say.
``attributes``
    a list of ``{"attribute", "value", "negated", "certain", "spans"}``.
``ranks``
    a list of ``{"order", "rank"}`` ("the second largest"), or with "count" ("the two largest").
``quantifier``
    "the", "all", "every", "most", "no", "not every" or "not most"; None where the text does not
    say.
``count``
    ``{"comparison", "number", "negated"}`` where it says how many, else None.
``negated``
    whether it is denied that there is such a thing.
``certain``
    False where it is neither stated nor denied: below "or", in a question, and all that is said
    of a thing that is not there ("no cup on a table": the edge and the table).
``spans``
    the characters of its noun and of what stands for it, as [start, end] pairs.

and further, where the text says it: ``pointer`` ("this"), ``form`` ("row"), ``portion`` ("left
half"). An edge carries ``relation``, ``negated``, ``certain``, ``spans``, and ``quantifier`` or
``count`` where the relation is to "every", "most" or so many of the landmarks, ``rank`` of
distances, ``times`` of comparisons. The graph carries ``text`` and ``intent`` (of a command). A
``with`` edge goes from the holder to what it has; passives are edges from the one that acts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neurosym.program import (
    Alike,
    Between,
    Closest,
    Command,
    CommandTo,
    Comparative,
    CompareCounts,
    Conjunction,
    CountIs,
    Different,
    Disjunction,
    Equal,
    Equative,
    Every,
    Exist,
    Farthest,
    Filter,
    Intersect,
    Kind,
    Minus,
    Most,
    Negation,
    Op,
    Part,
    Pointed,
    Query,
    Relate,
    RelateAll,
    RelateCount,
    RelatedBy,
    RelatedByCount,
    RelateMost,
    RelateOnly,
    Same,
    Select,
    Similar,
    Superlative,
    The,
    TheCount,
    TheGroup,
    ThePlural,
    Top,
    TopClosest,
    TopFarthest,
    Union,
)
from neurosym.span import Span

if TYPE_CHECKING:
    import networkx

_DEFINITE = (The, ThePlural, TheCount, TheGroup)
_AUXILIARIES = frozenset(
    {"is", "are", "was", "were", "do", "does", "did", "has", "have", "can", "isn't", "aren't"}
)
_OTHERS = frozenset({"one", "ones", "another", "other", "others"})
"""Words that stand for a noun, but not for the thing that it named."""


@dataclass(frozen=True)
class _Mood:
    """How something is said."""

    negated: bool = False
    certain: bool = True

    def denied(self) -> _Mood:
        return _Mood(not self.negated, self.certain)

    def possible(self) -> _Mood:
        return _Mood(self.negated, False)

    def inside(self) -> _Mood:
        """The mood of what a thing is said to be like: of one that is not there, no fact."""
        return _Mood(False, False) if self.negated else self

    def below(self) -> _Mood:
        """The mood of an indefinite that is named below: what is denied leaves it open."""
        return _Mood(False, self.certain and not self.negated)


STATED = _Mood()


def text_graph(text: str, *programs: Op) -> networkx.MultiDiGraph:
    """The scene graph of a text, by its programs.

    Args:
        text: the text.
        programs: of its sentences in order, or of all of it, with the spans of their words.
    """
    builder = _Builder(text)
    for program in programs:
        builder.state(program, STATED.possible() if _is_asked(program, text) else STATED)
    return builder.graph


def _is_asked(program: Op, text: str) -> bool:
    """Whether a sentence asks: by its mark, or by the verb that it begins with."""
    span = program.span
    if span is None:
        return False
    first = min((word for node in program.walk() for word in node.words), key=lambda w: w.start)
    verb = text[first.start :].split(maxsplit=1)[0].lower()
    inverted = program.returns is Kind.TRUTH and verb in _AUXILIARIES
    return inverted or text[span.end :].lstrip().startswith("?")


def facts(graph: networkx.MultiDiGraph) -> networkx.MultiDiGraph:
    """The part of a text's graph that the text says to be so."""
    kept = graph.copy()
    kept.remove_nodes_from([n for n, node in graph.nodes(data=True) if not _is_fact(node)])
    edges = kept.edges(keys=True, data=True)
    kept.remove_edges_from([(a, b, key) for a, b, key, edge in edges if not _is_fact(edge)])
    for _, node in kept.nodes(data=True):
        node["attributes"] = [said for said in node["attributes"] if _is_fact(said)]
    return kept


def _is_fact(said: dict[str, Any]) -> bool:
    return said["certain"] and not said["negated"]


class _Builder:
    def __init__(self, text: str) -> None:
        import networkx

        self._text = text
        self.graph = networkx.MultiDiGraph(text=text, intent=None)
        self._known: dict[object, int] = {}
        self._claim = 0

    # Sentences.

    def state(self, op: Op, mood: _Mood) -> None:
        """Add what a program says."""
        self._claim += 1
        match op:
            case Conjunction(left=left, right=right):
                # That not both hold leaves open which does not.
                each = mood.possible() if mood.negated else mood
                self.state(left, each)
                self.state(right, each)
            case Disjunction(left=left, right=right):
                each = mood if mood.negated else mood.possible()
                self.state(left, each)
                self.state(right, each)
            case Negation(truth=truth):
                self.state(truth, mood.denied())
            case Exist(objects=objects):
                self._exist(objects, mood)
            case Every(objects=objects, scope=scope) | Most(objects=objects, scope=scope):
                self._of_several(op, objects, scope, mood)
            case CountIs(objects=objects):
                counted = {"comparison": op.comparison.value, "number": op.number}
                none = op.comparison.holds(0, op.number)
                for node in self._things(objects, _Mood(False, mood.certain and not none)):
                    self.graph.nodes[node]["count"] = {**counted, "negated": mood.negated}
            case CompareCounts(left=left, right=right):
                name = f"{op.comparison.value}_count"
                self._link(self._things(left, mood.below()), name, right, op, mood)
            case Equal(left=Query() as left, right=Query() as right):
                subject = self._things(left.objects, STATED)
                self._link(subject, f"same_{left.attribute}", right.objects, op, mood)
            case Command(objects=objects):
                self.graph.graph["intent"] = op.action
                nodes = self._things(objects, STATED)
                if isinstance(op, CommandTo):
                    # Where they are to be is wanted, and not so yet.
                    self._things(op.landmarks, STATED)
                    self._link(nodes, op.goal, op.landmarks, op, mood.possible())
            case Part(objects=objects):
                for node in self._things(objects, STATED):
                    self.graph.nodes[node]["portion"] = op.portion
            case Alike(objects=objects, attribute=attribute):
                nodes = self._things(objects, mood.below())
                self._link(nodes, f"same_{attribute}", objects, op, mood, quantifier="every")
            case _ if op.returns in (Kind.NUMBER, Kind.VALUE) or isinstance(op, Equal):
                for operand in op.operands:
                    self.state(operand, mood.possible())
            case _:
                self._things(op, mood)

    def _exist(self, objects: Op, mood: _Mood) -> None:
        """That there is such a thing; or, of what is presupposed, that it is so."""
        base = objects
        while base.operands and not isinstance(base, _DEFINITE):
            if isinstance(base, Union) and not self._shares_thing(base):
                break
            base = base.operands[0]
        if isinstance(base, _DEFINITE):
            self._describe(self._things(base, STATED), objects, base, mood)
            return
        for node in self._things(objects, mood):
            if mood.negated:
                self.graph.nodes[node]["quantifier"] = "no"

    def _of_several(self, op: Op, objects: Op, scope: Op, mood: _Mood) -> None:
        nodes = self._things(objects, _Mood(False, mood.certain))
        for node in nodes:
            self.graph.nodes[node]["quantifier"] = f"not {op.name}" if mood.negated else op.name
        # That it does not hold of all leaves open of which it does not.
        self._describe(nodes, scope, objects, _Mood(False, False) if mood.negated else mood)

    # Things.

    def _things(self, op: Op, mood: _Mood) -> list[int]:
        """The nodes of objects, made where they are not known, with what is said of them."""
        match op:
            case Union(left=left, right=right):
                if self._shares_thing(op):
                    nodes = [self._leaf(left, mood)]
                    self._describe(nodes, op, _leaf_of(left), mood.inside())
                    return nodes
                either = self._is_either(op) and not mood.negated
                each = mood.possible() if either else mood
                return [*self._things(left, each), *self._things(right, each)]
            case The() | ThePlural() | TheCount() | TheGroup():
                return self._definite(op)
        base, above = op, []
        while base.operands and not isinstance(base, (*_DEFINITE, Union)):
            above.append(base)
            base = base.operands[0]
        nodes = self._things(base, mood) if base.operands else [self._leaf(op, mood)]
        for part in reversed(above):
            self._add(nodes, part, mood.inside())
        return nodes

    def _definite(self, op: Op) -> list[int]:
        key = str(op)
        if key in self._known:
            self._mention(self._known[key], _leaf_of(op))
            return [self._known[key]]
        found = self._fitting(op)
        if found is None:
            # What is presupposed is stated, whatever is said of it.
            nodes = self._things(op.operands[0], STATED)
        else:
            nodes = [found]
            self._mention(found, _leaf_of(op))
        if len(nodes) > 1:
            # "Both", of things that are nodes of their own.
            return nodes
        for number in nodes:
            node = self.graph.nodes[number]
            node["quantifier"] = node["quantifier"] or (
                "the" if not isinstance(op, ThePlural) else "all"
            )
            if isinstance(op, TheCount):
                counted = {"comparison": "exactly", "number": op.count}
                node["count"] = {**counted, "negated": False}
            if isinstance(op, TheGroup):
                node["form"] = op.form
        self._known[key] = nodes[0]
        return nodes

    def _fitting(self, op: Op) -> int | None:
        """The one known thing that a definite of a noun and values describes, if there is one."""
        wanted: set[tuple[str, str]] = set()
        inner = op.operands[0]
        while isinstance(inner, Filter):
            wanted.add((inner.attribute, inner.value))
            inner = inner.objects
        among = set(self.graph)
        if isinstance(inner, Union) and all(
            self._key(leaf) in self._known for leaf in _leaves(inner)
        ):
            # "One" of several that were named before.
            among = {self._known[self._key(leaf)] for leaf in _leaves(inner)}
        elif inner.operands or isinstance(inner, Pointed) or self._key(inner) in self._known:
            return None
        category = getattr(inner, "category", None)
        fitting = [
            number
            for number in among
            for node in (self.graph.nodes[number],)
            if _is_fact(node)
            and category in (None, node["category"])
            and wanted <= {(s["attribute"], s["value"]) for s in node["attributes"] if _is_fact(s)}
        ]
        needed = wanted or category is not None
        return fitting[0] if len(fitting) == 1 and needed else None

    def _leaf(self, whole: Op, mood: _Mood) -> int:
        """The node of the thing that an expression speaks of."""
        key, op = self._key(whole), _leaf_of(whole)
        number = self._known.setdefault(key, len(self.graph))
        if number not in self.graph:
            self.graph.add_node(
                number,
                category=op.category if isinstance(op, Select) else None,
                attributes=[],
                ranks=[],
                quantifier=None,
                count=None,
                negated=mood.negated,
                certain=mood.certain,
                spans=[],
            )
            if isinstance(op, Pointed):
                self.graph.nodes[number]["pointer"] = op.pointer
        elif _is_fact({"negated": mood.negated, "certain": mood.certain}):
            self.graph.nodes[number].update(negated=False, certain=True)
        self._mention(number, op)
        return number

    def _key(self, op: Op) -> object:
        """What makes two expressions speak of one thing: the place of their noun.

        "One", "the first" and "the others" take the noun from elsewhere, and mean another by it.
        """
        others: set[Span] = set()
        while True:
            others |= {span for span in op.words if self._said((span,)) & _OTHERS}
            if isinstance(op, Superlative):
                # "The first", of two that were named, is one of them.
                others |= set(op.words)
            if not op.operands:
                break
            op = op.operands[0]
        if not op.words:
            return "implied", self._claim, str(op)
        return op.words[0], *sorted(others - {op.words[0]})

    def _mention(self, number: int, leaf: Op) -> None:
        spans = self.graph.nodes[number]["spans"]
        spans += [span for span in _spans(leaf) if span not in spans]
        spans.sort()

    def _shares_thing(self, op: Union) -> bool:
        """Whether both sides speak of one noun: "red or blue cups"."""
        left, right = op.operands
        return self._key(left) == self._key(right) and self._is_either(op)

    def _is_either(self, op: Op) -> bool:
        """Whether a union is said by "or": one of them, not both."""
        return isinstance(op, Union) and not self._said(op.words) & {"and"}

    def _said(self, words: Sequence[Span]) -> set[str]:
        return {span.of(self._text).lower() for span in words}

    # What is said of things.

    def _describe(self, nodes: list[int], op: Op, known: Op, mood: _Mood) -> None:
        """Say of some nodes what an expression over them adds to what is known of them."""
        if op in known.walk():
            return
        if not op.operands:
            # Another noun: "is a cup", "among the red cups".
            self._category(nodes, op, mood)
            return
        if isinstance(op, Union) and self._shares_thing(op):
            for side in op.operands:
                self._describe(nodes, side, known, mood.possible())
            return
        self._describe(nodes, op.operands[0], known, mood)
        self._add(nodes, op, mood)

    def _category(self, nodes: list[int], leaf: Op, mood: _Mood) -> None:
        if isinstance(leaf, Select) and self._key(leaf) not in self._known:
            for number in nodes:
                if leaf.category != self.graph.nodes[number]["category"]:
                    self._value(number, "category", leaf.category, leaf, mood)

    def _add(self, nodes: list[int], op: Op, mood: _Mood) -> None:
        """Say of some nodes what one operator says of its first operand."""
        match op:
            case Filter(attribute=attribute, value=value):
                for number in nodes:
                    self._value(number, attribute, value, op, mood)
            case Superlative(order=order, rank=rank):
                self._rank(nodes, {"order": order, "rank": rank})
            case Top(order=order, count=count):
                self._rank(nodes, {"order": order, "count": count})
            case Minus(objects=objects, excluded=excluded):
                self._without(nodes, objects, excluded, op, mood)
            case Intersect(left=left, right=right):
                if isinstance(right, Pointed):
                    for number in nodes:
                        self.graph.nodes[number]["pointer"] = right.pointer
                else:
                    self._describe(nodes, right, left, mood)
            case Between(first=first, second=second):
                self._link(nodes, "between", first, op, mood)
                self._link(nodes, "between", second, op, mood)
            case RelatedBy(relation=relation, landmarks=landmarks):
                self._link(nodes, relation, landmarks, op, mood, backwards=True)
            case RelatedByCount(relation=relation, landmarks=landmarks):
                counted = {"comparison": op.comparison.value, "number": op.number}
                self._link(nodes, relation, landmarks, op, mood, backwards=True, count=counted)
            case _ if hasattr(op, "landmarks"):
                name, more = _relation(op)
                self._link(nodes, name, op.landmarks, op, mood, **more)
            case _:
                for operand in op.operands[1:]:
                    self._things(operand, mood.below())

    def _without(self, nodes: list[int], kept: Op, excluded: Op, op: Op, mood: _Mood) -> None:
        """What is not so of the nodes, or which things are left out of them."""
        others = isinstance(excluded, _DEFINITE) or self._said(op.words) & _OTHERS
        if self._key(excluded) == self._key(kept) and not others:
            self._describe(nodes, excluded, kept, mood.denied())
        else:
            self._link(nodes, "except", excluded, op, mood)

    def _rank(self, nodes: list[int], rank: dict[str, Any]) -> None:
        for number in nodes:
            if rank not in self.graph.nodes[number]["ranks"]:
                self.graph.nodes[number]["ranks"].append(rank)

    def _value(self, number: int, attribute: str, value: str, op: Op, mood: _Mood) -> None:
        node = self.graph.nodes[number]
        said = {"attribute": attribute, "value": value, "negated": mood.negated}
        for known in node["attributes"]:
            if said.items() <= known.items():
                known["certain"] |= mood.certain
                return
        node["attributes"].append({**said, "certain": mood.certain, "spans": _spans(op)})

    def _link(
        self,
        nodes: list[int],
        relation: str,
        landmarks: Op,
        op: Op,
        mood: _Mood,
        *,
        backwards: bool = False,
        **more: Any,
    ) -> None:
        either = self._is_either(landmarks)
        to = self._things(landmarks, mood.below())
        for figure in nodes:
            for landmark in to:
                start, end = (landmark, figure) if backwards else (figure, landmark)
                said = {"relation": relation, "negated": mood.negated, **more}
                there = self.graph.get_edge_data(start, end, default={}).values()
                if any(said.items() <= edge.items() for edge in there):
                    continue
                certain = mood.certain and not either
                self.graph.add_edge(start, end, **said, certain=certain, spans=_spans(op))


def _leaf_of(op: Op) -> Op:
    """The noun of an expression."""
    while op.operands:
        op = op.operands[0]
    return op


def _leaves(op: Op) -> list[Op]:
    """The nouns of the sides of a union."""
    if isinstance(op, Union):
        return [leaf for side in op.operands for leaf in _leaves(side)]
    return [_leaf_of(op)]


def _relation(op: Op) -> tuple[str, dict[str, Any]]:
    """What the edge of a relation to landmarks is called, and what more it carries."""
    match op:
        case Relate(relation=relation):
            return relation, {}
        case RelateAll(relation=relation):
            return relation, {"quantifier": "every"}
        case RelateMost(relation=relation):
            return relation, {"quantifier": "most"}
        case RelateOnly(relation=relation):
            return relation, {"quantifier": "only"}
        case RelateCount(relation=relation, comparison=comparison, number=number):
            return relation, {"count": {"comparison": comparison.value, "number": number}}
        case Closest(rank=rank) | Farthest(rank=rank):
            return f"{op.name}_to", {"rank": rank}
        case TopClosest(count=count) | TopFarthest(count=count):
            return f"{op.name.removeprefix('top_')}_to", {"count": count}
        case Comparative(order=order, times=times):
            return f"{order}_than", {"times": times}
        case Equative(order=order):
            return f"as_{order}_as", {}
        case Same(attribute=attribute):
            return f"same_{attribute}", {}
        case Different(attribute=attribute):
            return f"different_{attribute}", {}
        case Similar():
            return f"{op.name}_to", {}
    return op.name, {}


def _spans(op: Op) -> list[list[int]]:
    return [[span.start, span.end] for span in op.words]
