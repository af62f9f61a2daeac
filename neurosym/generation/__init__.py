"""From scenes to text: the shortest expression that picks out one object.

:mod:`neurosym.generation.facts` says what is known of a crisp world as bit sets,
:mod:`neurosym.generation.language` which expressions are considered and what they cost,
:mod:`neurosym.generation.search` finds those that denote one object, cheapest first, and
:mod:`neurosym.generation.describe` puts them into words and reads them back.
"""
