"""Fixtures for a project's own model tests, in the tool that people know."""
