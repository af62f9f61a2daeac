"""What names colours, sizes and the like, and no things: "items of two colours"."""

from __future__ import annotations

from neurosym.grammar.classes import WordClass
from neurosym.grammar.landmarks import VALUE
from neurosym.grammar.links import Links
from neurosym.grammar.meaning import NoReadingError, Scored
from neurosym.grammar.tree import Tree
from neurosym.grammar.words import Step
from neurosym.program import Comparison, Op, RelateCount, Select


class Values(Links):
    """Lowers what says of how many values of an attribute things are."""

    def _of_values(
        self, tree: Tree, objects: Op, step: Step, *, number: int | None = None
    ) -> Scored[Op]:
        """Restrict by how many values of an attribute there are in what the objects hold.

        Args:
            tree: what says it: "of two colours", "of the same colour".
            objects: what is restricted.
            step: the restriction, where it names the number itself.
            number: how many things there are of which each one has a value of its own.
        """
        if tree.label != "mutual":
            return step(objects)
        aspect = tree.find("ASPECT")
        if aspect is None or len(tree.all("ASPECT")) > 1:
            raise NoReadingError
        words = self._spans(tree, "SAME", "DIFFERENT", "ASPECT")
        same = tree.find("SAME") is not None
        comparison, least = (Comparison.EXACTLY, 1) if same else (Comparison.AT_LEAST, number or 2)
        return [
            (cost, RelateCount(objects, VALUE, comparison, least, Select(name), words=words))
            for cost, name in self._attribute_names(aspect)
        ]

    def _names_values(self, post: Tree) -> bool:
        """Whether a modifier of contents says which values there are: "of two colours"."""
        if post.label == "clause":
            return post.find("floated") is None and self._names_values(post.children[-1])
        if post.label == "mutual":
            return post.find("ASPECT") is not None
        if post.label != "related" or self._link_name(post) != VALUE:
            return False
        return post.children[-1].label == "phrase" and self._speaks_of_values(post.children[-1])

    def _link_name(self, tree: Tree) -> str:
        """The relation that a modifier names: "in two colours" is as good as "of two colours"."""
        name = self._concept_of(tree.children[-2])
        landmark = tree.children[-1]
        of_values = (
            name == "in" and landmark.label == "phrase" and self._is_list_of_values(landmark)
        )
        return VALUE if of_values else name

    def _is_list_of_values(self, landmark: Tree) -> bool:
        nominal = landmark.find("nominal")
        return (
            bool(self._lexicon.feature("container"))
            and nominal is not None
            and nominal.find("attribute", "attributes", "mutual") is None
            and self._speaks_of_values(landmark)
        )

    def _senses_of(self, leaf: Tree, landmark: Tree) -> tuple[str, ...]:
        names = super()._senses_of(leaf, landmark)
        if "in" in names and landmark.label == "phrase" and self._is_list_of_values(landmark):
            return (VALUE,)
        return names

    def _speaks_of_values(self, phrase: Tree) -> bool:
        return any(
            leaf.label in ("NOUN", "PLURAL_NOUN")
            and any(self._is_value_name(s.concept) for s in self._unit(leaf).senses)
            for leaf in phrase.leaves()
        )

    def _is_value(self, head: Op) -> bool:
        """Whether a head noun names colours, sizes or the like, and no things."""
        return isinstance(head, Select) and self._is_value_name(head.category)

    def _is_value_name(self, noun: str) -> bool:
        return any(sense.word_class is WordClass.ASPECT for sense in self._lexicon.senses(noun))

    def _is_mixed(self, landmark: Tree) -> bool:
        """Whether a landmark of "of" is none: "black color", or a list of unlike things."""
        if landmark.label == "np_and":
            parts = [child for child in landmark.children if child.unit is None]
            return len({self._speaks_of_values(part) for part in parts}) > 1
        nominal = landmark.find("nominal")
        return (
            nominal is not None
            and nominal.find("attribute", "attributes") is not None
            and self._speaks_of_values(landmark)
        )
