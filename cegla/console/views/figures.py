"""Figures beside what they were: how much a number changed, and which way that points."""

from dataclasses import dataclass

from markupsafe import Markup

from cegla.console.language import Tongue


@dataclass(frozen=True)
class Change:
    """A change in words and its direction for the colour: up, down or nothing; the words alone say it too."""

    words: Markup
    trend: str


def change(now: float, before: float, was: str, tongue: Tongue) -> Change:
    """Today's number beside last week's, absolutely and relatively; `was` is last week's number with its unit."""
    if now == before:
        return Change(tongue.text("tydzień temu też {was}", was=was), "")
    trend = "up" if now > before else "down"
    if not before:
        return Change(tongue.text("tydzień temu {was}", was=was), trend)
    share = (now - before) / abs(before)
    sign = "+" if share > 0 else "−"
    return Change(tongue.text("{change} (tydzień temu {was})", change=sign + tongue.percent(abs(share)), was=was), trend)
