"""A figure that a bench measured, and what it should reach."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """One figure, what it should reach, and how it was taken."""

    name: str
    value: float
    unit: str
    goal: str
    reached: bool
    note: str
