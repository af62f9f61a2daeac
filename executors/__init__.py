"""Execution: what a program means on a scene, by sets and by tensors."""

if not __name__.startswith("neurosym."):
    raise ImportError("import neurosym.executors: the folder executors/ is that package")
