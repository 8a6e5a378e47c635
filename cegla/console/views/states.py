"""States and reasons as words and colours: (message, badge). Colour never stands alone, the word is beside it."""

from collections.abc import Mapping
from typing import Any

from cegla.activate import actions as activate
from cegla.console.menu import marked
from cegla.vocabulary.text import Text

DECISIONS = {
    "requested": (marked("zapytana"), "info"),
    "given": (marked("zgoda"), "good"),
    "refused": (marked("odmowa"), "bad"),
    "withdrawn": (marked("wycofana"), "bad"),
    "expired": (marked("wygasła"), "warn"),
}
OUTCOME_COLOURS = {"decided": "info", "handing_off": "info", "sent": "good", "bounced": "bad", "failed": "bad", "ambiguous": "warn"}
CAMPAIGN_COLOURS = {"scheduled": "info", "sending": "info", "paused": "warn", "sent": "good", "cancelled": "bad"}


def coloured(words: Mapping[Any, Text], colours: Mapping[str, str]) -> dict[str, tuple[Text, str]]:
    """Words with their badges, by the plain name of the state."""
    return {str(key): (text, colours.get(str(key), "")) for key, text in words.items()}


OUTCOMES = {channel: coloured(words, OUTCOME_COLOURS) for channel, words in activate.STATES_BY_CHANNEL.items()}  #: by channel
CAMPAIGNS = coloured(activate.CAMPAIGN_STATES, CAMPAIGN_COLOURS)
SKIPS = {str(key): text for key, text in activate.SKIP_REASONS.items()}

LINKS = {
    "stated": marked("podany przez osobę lub sklep"),
    "seen": marked("widziany w jednym zdarzeniu z innym"),
    "alias": marked("połączony przez sklep"),
    "confirmed": marked("potwierdzony przez człowieka"),
    "same": marked("ten sam adres według reguł"),
}
CAUSES = {
    "link": marked("nowe powiązanie"),
    "late_link": marked("spóźnione zdarzenie"),
    "retraction": marked("cofnięcie powiązania"),
    "rules": marked("zmiana reguł"),
    "confirmed": marked("decyzja człowieka"),
    "release": marked("zwolnienie identyfikatora"),
    "release_undone": marked("cofnięcie zwolnienia"),
}
VERDICTS = {
    "ok": (marked("wolno"), "good"),
    "no_consent": (marked("brak zgody"), ""),
    "withdrawn": (marked("wycofana"), "bad"),
    "objected": (marked("sprzeciw"), "bad"),
    "unconfirmed": (marked("niepotwierdzona"), "warn"),
    "expired": (marked("wygasła"), "warn"),
    "paused": (marked("przerwa"), "info"),
    "suppressed": (marked("lista wykluczeń"), "bad"),
}
EXPERIMENTS = {
    "split_wrong": (marked("Podział na grupy nie jest taki, jak planowano, więc nie ma wyniku."), "bad"),
    "too_few": (marked("Za mało osób w grupach, żeby coś powiedzieć."), "info"),
    "no_effect": (marked("Nie znaleziono różnicy."), "info"),
    "better": (marked("Różnica jest pewna."), "good"),
    "worse": (marked("Pierwsza z grup jest lepsza i to jest pewne."), "warn"),
}
STEPS = {
    "sent": marked("dostali"),
    "bounced": marked("wiadomość wróciła"),
    "clicked": marked("kliknęli"),
    "unsubscribed": marked("wypisali się"),
    "ordered": marked("kupili potem"),
}
ACTS = {
    "campaign.save": marked("zapis szkicu"),
    "campaign.test": marked("wysłanie próby"),
    "campaign.preview": marked("podgląd dla osoby"),
    "campaign.launch": marked("wysłanie"),
    "campaign.pause": marked("wstrzymanie"),
    "campaign.resume": marked("wznowienie, zaległe od razu"),
    "campaign.spread": marked("wznowienie, zaległe rozłożone"),
    "campaign.skip": marked("wznowienie, zaległe pominięte"),
    "campaign.cancel": marked("anulowanie"),
    "campaign.choose": marked("wybór wariantu dla reszty"),
    "campaign.basis": marked("pobranie podstaw i dowodów"),
    "campaign.settle": marked("rozstrzygnięcie niepewnych"),
}
CLOCKS = {
    "shop": marked("według zegara sklepu, wszyscy naraz"),
    "person": marked("według zegara każdej osoby"),
    "usual": marked("o zwykłej godzinie każdej osoby, w ciągu doby"),
}
CHOICES = {
    "better": marked("lepszy od innych, i to na pewno"),
    "worse": marked("lepszy od innych, i to na pewno"),
    "no_effect": marked("nie znaleziono różnicy, więc pierwszy"),
    "too_few": marked("za mało osób, żeby coś powiedzieć, więc pierwszy"),
    "split_wrong": marked("podział na grupy się nie zgadza, więc pierwszy"),
    "hand": marked("wybrany ręcznie"),
}
KINDS = {
    "identify": marked("przedstawienie się"),
    "track": marked("działanie"),
    "page": marked("strona"),
    "screen": marked("ekran"),
    "group": marked("grupa"),
    "alias": marked("połączenie nazw"),
}
WINDOWS = {
    "ever": marked("zawsze"),
    "yearly": marked("na rok"),
    "monthly": marked("na miesiąc"),
    "weekly": marked("na tydzień"),
}
IDENTIFIERS = {
    "user_id": marked("konto"),
    "email": marked("e-mail"),
    "phone": marked("telefon"),
    "loyalty_card": marked("karta"),
    "device_id": marked("urządzenie"),
    "anonymous_id": marked("przeglądarka"),
    "external_id": marked("inny numer"),
}
DECLARED = {
    "first_name": marked("imię"), "last_name": marked("nazwisko"), "name": marked("imię i nazwisko"), "email": marked("e-mail"),
    "phone": marked("telefon"), "city": marked("miasto"), "country": marked("kraj"), "plan": marked("plan"), "language": marked("język"),
    "company": marked("firma"), "address": marked("adres"), "birthday": marked("data urodzenia"),
}  # fmt: skip
BASES = {
    "consent": marked("zgoda"),
    "contract": marked("umowa"),
    "legal_obligation": marked("obowiązek prawny"),
    "legitimate_interest": marked("prawnie uzasadniony interes"),
}
SOURCES = {
    "website": marked("strona"),
    "server": marked("serwer"),
    "webhook": marked("webhook"),
    "import": marked("plik"),
    "internal": marked("wewnętrzne"),
}
REFUSALS = {
    "too_large": marked("za duże żądania (413): klienci ich nie ponawiają"),
    "malformed": marked("to nie JSON (400)"),
    "unreadable_encoding": marked("nieczytelna kompresja (400)"),
    "origin_not_allowed": marked("strona spoza listy dozwolonych (403)"),
    "source_disabled": marked("źródło wyłączone (404)"),
    "rate_limited": marked("za szybko (429): klienci ponawiają"),
    "too_many_requests": marked("przeciążenie (429): klienci ponawiają"),
}
CHANNELS = {
    "none": marked("bez wiadomości"),
    "email": marked("e-mail"),
    "sms": marked("SMS"),
    "push": marked("push"),
    "site": marked("strona"),
}
