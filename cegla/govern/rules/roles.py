"""Roles and what each may do: permissions are data, asked for by the routes' tables."""

from dataclasses import dataclass

from cegla.vocabulary.text import Text


@dataclass(frozen=True)
class Role:
    """A set of permissions with a name people know."""

    key: str
    label: Text
    permissions: frozenset[str]


SEE = "reports.read segments.read campaigns.read people.read".split()

PERMISSIONS: dict[str, Text] = {
    "reports.read": Text("oglądać raporty", "see reports"),
    "events.read": Text("oglądać zdarzenia i kwarantannę", "see events and quarantine"),
    "events.replay": Text("powtarzać zdarzenia z kwarantanny", "replay events from quarantine"),
    "people.read": Text("oglądać osoby (dane zamaskowane)", "see people, masked"),
    "people.reveal": Text("odsłaniać dane osobowe", "reveal personal data"),
    "people.link": Text("łączyć i rozłączać osoby", "join and separate people"),
    "people.requests": Text("wydawać i usuwać dane osoby", "export and erase a person's data"),
    "segments.read": Text("oglądać segmenty", "see segments"),
    "segments.edit": Text("tworzyć segmenty", "build segments"),
    "campaigns.read": Text("oglądać kampanie", "see campaigns"),
    "campaigns.edit": Text("tworzyć kampanie", "write campaigns"),
    "messages.send": Text("wysyłać pojedyncze wiadomości z szablonu", "send single messages by template"),
    "campaigns.send": Text("wysyłać kampanie", "send campaigns"),
    "sources.read": Text("oglądać źródła", "see sources"),
    "sources.edit": Text("zakładać źródła i klucze", "make sources and keys"),
    "imports.run": Text("wczytywać pliki", "import files"),
    "settings.read": Text("oglądać ustawienia", "see settings"),
    "settings.edit": Text("zmieniać ustawienia i użytkowników", "change settings and users"),
    "audit.read": Text("oglądać dziennik działań", "see the audit log"),
}

_MARKETER = [*SEE, "segments.edit", "campaigns.edit", "campaigns.send", "events.read", "sources.read"]
_ENGINEER = [*SEE, "events.read", "events.replay", "sources.read", "sources.edit", "imports.run", "settings.read"]
_OFFICER = [*SEE, "people.reveal", "people.link", "people.requests", "audit.read", "events.read", "sources.read", "settings.read"]

ROLES: dict[str, Role] = {
    row.key: row
    for row in (
        Role("administrator", Text("administrator", "administrator"), frozenset(PERMISSIONS)),
        Role("marketer", Text("marketing", "marketer"), frozenset(_MARKETER)),
        Role("salesperson", Text("sprzedawca", "salesperson"), frozenset([*SEE, "people.reveal"])),
        Role("engineer", Text("inżynier", "engineer"), frozenset(_ENGINEER)),
        Role("dpo", Text("inspektor ochrony danych", "data-protection officer"), frozenset(_OFFICER)),
    )
}
