"""Scenes from and to the formats of other programs and data sets.

Every format has one module with pure functions ``from_...`` and ``to_...``; what a format cannot
say stands in the module's docstring. What a scene has no place for (identifiers, licences) is kept
as its :class:`neurosym.origin.Origin`, so that a file that is read and written again says the same.
"""
