"""What could be known at best of the hidden interest that the bench of engagement draws: the filter of Bayes, told how the drawing is done.

    what was done on a day ──► chance of each interest (grid of usual level × shift of the week × clicks letters or not) ──► chance of a visit ahead

Nobody can order people better by who comes than by this chance: it knows the law that they follow and everything they were seen to do.
"""

from typing import Any

import numpy as np

USUAL, USUAL_SPREAD = -3.6, 0.9  #: the level a person's interest comes back to, in log-odds of a visit a day
SHIFT_SPREAD, STAYS, WANDERS = 0.5, 0.8, 0.75  #: what a week adds: how it begins, what stays of it, and what comes to it every seventh day
CLICKERS = 0.4  #: share of people who ever click a letter
LETTERS_EVERY = 4
_LEVELS = USUAL + USUAL_SPREAD * np.linspace(-3, 3, 19)
_SHIFTS = np.linspace(-4, 4, 33)


def interest_of(level: Any, shift: Any) -> Any:
    """The chance of a visit on a day."""
    return 1 / (1 + np.exp(-(level + shift)))


def means_it(shift: Any) -> Any:
    """How far a visit is more than reading."""
    return 1 / (1 + np.exp(-1.6 * shift))


def clicked_by(interest: Any) -> Any:
    """The chance that a person who clicks letters clicks this one."""
    return np.minimum(3 * interest, 0.9)


def buying(meant: Any) -> dict[str, Any]:
    """The chances of a basket, a checkout and an order in a visit."""
    return {"Product Added": 0.5 * meant, "Checkout Started": 0.2 * meant, "Order Completed": 0.1 * meant + 0.02}


def looks(meant: Any) -> Any:
    """How many things are looked at in a visit, on average."""
    return 3 * meant


def best_chances(done: dict[str, Any], days: int, ahead: int) -> Any:
    """For each person the chance of a visit within `ahead` days; `done` holds, by name of event, how often on each day (people × days)."""
    people = len(done["Page Viewed"])
    wander = _bell(_SHIFTS[None, :], STAYS * _SHIFTS[:, None], WANDERS)
    begin = _bell(_LEVELS, USUAL, USUAL_SPREAD)[:, None] * _bell(_SHIFTS, 0.0, SHIFT_SPREAD)
    held = np.tile(np.array([1 - CLICKERS, CLICKERS])[:, None, None] * begin, (people, 1, 1, 1))
    interest, meant = interest_of(_LEVELS[:, None], _SHIFTS), means_it(_SHIFTS)
    for place, day in enumerate(range(-days, 0)):
        if day % 7 == 0:
            held = held @ wander
        today = {name: counts[:, place, None] for name, counts in done.items()}
        deeds = looks(meant) ** today["Product Viewed"] * np.exp(-looks(meant))
        for name, chance in buying(meant).items():
            deeds = deeds * np.where(today[name] > 0, chance, 1 - chance)
        came = today["Page Viewed"][:, :, None, None] > 0
        held *= np.where(came, interest * deeds[:, None, None, :], 1 - interest)
        if day % LETTERS_EVERY == 0:
            clicked = today["Email Link Clicked"][:, :, None] > 0
            held[:, 0] *= ~clicked
            held[:, 1] *= np.where(clicked, clicked_by(interest), 1 - clicked_by(interest))
        held /= held.sum(axis=(1, 2, 3), keepdims=True)
    stays_away = np.ones_like(interest)
    for day in reversed(range(ahead)):
        stays_away *= 1 - interest
        if day % 7 == 0:
            stays_away = stays_away @ wander.T
    return 1 - (held.sum(axis=1) * stays_away).sum(axis=(1, 2))


def _bell(at: Any, middle: Any, spread: float) -> Any:
    """The normal distribution on a grid, of sum 1 along the last axis."""
    height = np.exp(-0.5 * ((at - middle) / spread) ** 2)
    return height / height.sum(axis=-1, keepdims=True)
