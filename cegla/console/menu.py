"""The menu: screens in the order of the way of a datum, each with its shortcut; and what a page may say after a write."""

from dataclasses import dataclass
from pathlib import Path

from cegla.storage.settings import Settings


@dataclass(frozen=True)
class Item:
    """One entry of the menu. `label` is a message; `key` opens it after "g"; without a permission it is for every user."""

    href: str
    label: str
    icon: str
    key: str
    permission: str


def marked(message: str) -> str:
    """Marks a message for translation where it is written; it is translated where it is shown."""
    return message


MENU = (
    Item("/", marked("Dziś"), "today", "t", "reports.read"),
    Item("/events", marked("Zdarzenia"), "events", "e", "events.read"),
    Item("/people", marked("Ludzie"), "people", "p", "people.read"),
    Item("/segments", marked("Segmenty"), "segments", "s", "segments.read"),
    Item("/letters", marked("Listy"), "letters", "l", "campaigns.read"),
    Item("/campaigns", marked("Kampanie"), "campaigns", "c", "campaigns.read"),
    Item("/sources", marked("Źródła"), "sources", "z", "sources.read"),
    Item("/mailbox", marked("Skrzynka"), "mailbox", "m", "campaigns.read"),
    Item("/settings", marked("Ustawienia"), "settings", "u", ""),
)

DONE = {
    "saved": marked("Zapisano."),
    "replayed": marked("Zdarzenia wracają do przyjęcia; pojawią się w historii za chwilę."),
    "discarded": marked("Zdarzenia odrzucone; powód jest w dzienniku działań."),
    "password": marked("Hasło zmienione. Inne sesje tego użytkownika zostały zakończone."),
    "published": marked("Wersja zapisana; dostały ją kampanie, które jej używają i nie są wysłane."),
    "test-sent": marked("Wiadomość testowa została wysłana."),
    "sending": marked("Wysyłka ruszyła."),
    "paused": marked("Wysyłka wstrzymana."),
    "cancelled": marked("Kampania anulowana."),
    "looked": marked("Sprawdzono."),
    "compared": marked("Wszyscy porównani."),
    "joined": marked("Połączono w jedną osobę."),
    "apart": marked("Zapamiętano: to dwie osoby. Ta para nie wróci."),
    "undone": marked("Powiązanie cofnięte. Osoby, cechy i segmenty są takie, jakby go nigdy nie było."),
    "file-dropped": marked("Plik porzucony i usunięty."),
    "erased": marked("Dane osoby usunięte."),
    "forgotten": marked("Usunięto z hurtowni i migawki. Bajty znikną z pliku najbliższej nocy."),
}


def mailbox_folder(settings: Settings) -> Path:
    """Where the demo's mail server keeps what it received, one .eml file a message."""
    return settings.data_dir / "demo-mailbox"


def has_mailbox(settings: Settings) -> bool:
    """Whether this installation has the demo's mailbox."""
    return mailbox_folder(settings).is_dir()
