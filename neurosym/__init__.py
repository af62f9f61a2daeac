"""neurosym: grounds language in images, and shows why."""

__version__ = "0.1.0"
