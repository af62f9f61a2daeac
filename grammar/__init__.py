"""Language: tokens, lexicon, Lark grammar and lowering to programs."""

if not __name__.startswith("neurosym."):
    raise ImportError("import neurosym.grammar: the folder grammar/ is that package")
