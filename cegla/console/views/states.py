"""States and reasons as words and colours: (message, badge). Colour never stands alone, the word is beside it."""

from cegla.console.menu import marked

DECISIONS = {
    "requested": (marked("zapytana"), "info"),
    "given": (marked("zgoda"), "good"),
    "refused": (marked("odmowa"), "bad"),
    "withdrawn": (marked("wycofana"), "bad"),
    "expired": (marked("wygasła"), "warn"),
}
OUTCOMES = {
    "decided": (marked("w kolejce"), "info"),
    "handing_off": (marked("w trakcie"), "info"),
    "sent": (marked("wysłana"), "good"),
    "bounced": (marked("odbita"), "bad"),
    "failed": (marked("nieudana"), "bad"),
    "ambiguous": (marked("niepewna"), "warn"),
    "skipped": (marked("pominięta"), ""),
}
CAMPAIGNS = {
    "draft": (marked("szkic"), ""),
    "sending": (marked("wysyłka"), "info"),
    "paused": (marked("wstrzymana"), "warn"),
    "sent": (marked("wysłana"), "good"),
    "cancelled": (marked("anulowana"), "bad"),
}
SKIPS = {
    "no_consent": marked("brak zgody"),
    "withdrawn": marked("zgoda wycofana"),
    "suppressed": marked("adres na liście blokad"),
    "no_address": marked("brak adresu"),
    "invalid_address": marked("adres nieprawidłowy"),
    "capped": marked("limit wiadomości na osobę"),
    "holdout": marked("grupa kontrolna"),
    "not_matching_any_more": marked("już nie w segmencie"),
    "rendering_failed": marked("szablon nie dał się złożyć"),
    "cancelled": marked("kampania anulowana"),
}
LINKS = {
    "stated": marked("podany przez osobę lub sklep"),
    "seen": marked("widziany w jednym zdarzeniu z innym"),
    "alias": marked("połączony przez sklep"),
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
    "first_name": marked("imię"), "last_name": marked("nazwisko"), "name": marked("imię i nazwisko"), "email": marked("e-mail"), "phone": marked("telefon"),
    "city": marked("miasto"), "country": marked("kraj"), "plan": marked("plan"), "language": marked("język"), "company": marked("firma"), "address": marked("adres"),
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
    "import": marked("plik"),
    "internal": marked("wewnętrzne"),
}
CHANNELS = {
    "none": marked("bez wiadomości"),
    "email": marked("e-mail"),
    "sms": marked("SMS"),
    "push": marked("push"),
    "site": marked("strona"),
}
