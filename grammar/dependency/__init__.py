"""The fallback: programs from a dependency parse, for what the Lark grammar cannot cover.

What words mean is said by the lexicon, and what landmarks, places and ranks do by the modules that
the Lark grammar's lowering uses; only the way from a dependency tree to them is here.
"""

from neurosym.grammar.dependency.arcs import DependencyParser
from neurosym.grammar.dependency.fallback import Guess, guess

__all__ = ["DependencyParser", "Guess", "guess"]
