"""Deciding what to ask of a provider, and reading what it answers."""
