"""The back ends, one file each; the file's name is the back end's, with "_" for "-".

Each has a constant ``BACK_END``, a :class:`neurosym.perception.registry.BackEnd`, and imports heavy
libraries only when a model is made.
"""
