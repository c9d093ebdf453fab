"""Versions, the channels that point at them, and who was in production when, and why."""
