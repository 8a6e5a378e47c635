"""The purpose register: why data may be used, on which lawful basis, on which channels. One row per purpose.

Polish law (PKE art. 398) asks for prior consent per channel, for companies too, so marketing rests on consent everywhere.
"""

from cegla.vocabulary.consent import Basis, Channel, Purpose
from cegla.vocabulary.text import Text

DAYS_13_MONTHS = 396

_SITE_ANALYSIS = Text("Analiza zachowania na stronie", "Analysis of behavior on the site")
_MARKETING = Text("Wiadomości marketingowe", "Marketing messages")
_CLICKS = Text("Mierzenie kliknięć w e-mailach", "Measuring clicks in e-mails")
_PROFILING = Text("Profilowanie na potrzeby marketingu", "Profiling for marketing")
_SERVICE = Text("Wiadomości o zamówieniu i usłudze", "Messages about an order or service")

PURPOSES: dict[str, Purpose] = {
    row.key: row
    for row in (
        Purpose("analytics", _SITE_ANALYSIS, Basis.CONSENT, (Channel.NONE,), DAYS_13_MONTHS),
        Purpose("marketing", _MARKETING, Basis.CONSENT, (Channel.EMAIL, Channel.SMS, Channel.PUSH, Channel.SITE), 1_095),
        Purpose("email_tracking", _CLICKS, Basis.CONSENT, (Channel.EMAIL,), DAYS_13_MONTHS),
        Purpose("profiling", _PROFILING, Basis.LEGITIMATE_INTEREST, (Channel.NONE,), DAYS_13_MONTHS),
        Purpose("service", _SERVICE, Basis.CONTRACT, (Channel.EMAIL, Channel.SMS), 2_190),
    )
}

#: How a category of `context.consent.categoryPreferences` (Segment's consent object) reads as (purpose, channel).
CATEGORIES: dict[str, tuple[str, Channel]] = {
    "analytics": ("analytics", Channel.NONE),
    "marketing_email": ("marketing", Channel.EMAIL),
    "marketing_sms": ("marketing", Channel.SMS),
    "marketing_push": ("marketing", Channel.PUSH),
    "marketing_site": ("marketing", Channel.SITE),
    "email_tracking": ("email_tracking", Channel.EMAIL),
    "profiling": ("profiling", Channel.NONE),
}

#: Reasons to suppress an address, and whether each also stops messages that a contract needs (an order confirmation).
SUPPRESSIONS: dict[str, bool] = {"bounced": True, "erased": True, "complained": False, "manual": False}
