"""Cegla: a self-hosted customer data platform and data-driven marketing engine."""

__version__ = "0.1.0"
