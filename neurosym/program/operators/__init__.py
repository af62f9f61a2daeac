"""The operators: each one defined once, in the modules of this package.

Meaning is given for a crisp world, that is, for sets of objects; on a soft scene the value of a
program is the expectation of that over the worlds that the scene makes possible.
"""
