"""What is told of a quarantined event beside its reason, in both languages."""

from cegla.plan import actions as plan
from cegla.repair.rules import details
from cegla.vocabulary.text import Text


def say_detail(detail: str, *, values: bool) -> Text:
    """What was noted of an event; without `values` what it quotes of the event is hidden."""
    return details.said(detail, {str(kind): label for kind, label in plan.VIOLATIONS.items()}, values=values)
