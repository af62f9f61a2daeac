"""Readers of public data sets, each into scenes and programs. No data is part of the package."""
