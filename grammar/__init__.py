"""Language: tokens, lexicon, Lark grammar and lowering to programs.

Importing this package loads neither spaCy nor torch: the tokenizer imports spaCy when it loads a
pipeline.
"""

if not __name__.startswith("neurosym."):
    raise ImportError("import neurosym.grammar: the folder grammar/ is that package")

from neurosym.grammar.classes import WordClass
from neurosym.grammar.lexicon import Lexicon, Sense
from neurosym.grammar.parse import Parser
from neurosym.grammar.readings import Parse, Reading
from neurosym.grammar.repair import Repair
from neurosym.grammar.senses import Choice
from neurosym.grammar.tokens import SpacyTokenizer, Token
from neurosym.grammar.tree import Tree
from neurosym.grammar.units import Unit

__all__ = [
    "Choice",
    "Lexicon",
    "Parse",
    "Parser",
    "Reading",
    "Repair",
    "Sense",
    "SpacyTokenizer",
    "Token",
    "Tree",
    "Unit",
    "WordClass",
]
