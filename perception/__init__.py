"""Perception: from pixels to a Scene."""

if not __name__.startswith("neurosym."):
    raise ImportError("import neurosym.perception: the folder perception/ is that package")
