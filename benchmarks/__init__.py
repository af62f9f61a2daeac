"""Measurements. They print tables and write JSON; nothing here is a test."""
