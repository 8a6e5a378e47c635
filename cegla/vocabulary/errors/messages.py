"""What goes out: templates, campaigns, mail servers and the mailbox of returns."""

from cegla.vocabulary.errors import Busy, InvalidInput
from cegla.vocabulary.text import Text


class TemplateInvalid(InvalidInput):
    """A message template does not parse, or asked for more than its limits."""

    code = "CEGLA-E0330"
    what = Text("Szablon wiadomości jest nieprawidłowy: {detail}", "The message template is not valid: {detail}")
    todo = Text("Popraw szablon we wskazanym miejscu.", "Correct the template at the place shown.")


class HeaderRefused(TemplateInvalid):
    """A merged value would break out of a header of the message."""

    code = "CEGLA-E0332"
    what = Text("Niedozwolony znak w nagłówku {header}, na przykład koniec wiersza.", "A forbidden character in the header {header}, such as a line break.")
    todo = Text("Usuń ten znak z tematu, nadawcy lub danych osoby.", "Remove it from the subject, the sender or the person's data.")


class CampaignNotReady(InvalidInput):
    """The campaign cannot do this in its present state."""

    code, status = "CEGLA-E0331", 409
    what = Text("Kampania nie może tego teraz zrobić: {detail}", "The campaign cannot do this now: {detail}")
    todo = Text("Odśwież stronę i sprawdź stan kampanii.", "Reload the page and look at the campaign's state.")


class LetterChanged(InvalidInput):
    """Somebody else's page wrote to the letter in between."""

    code, status = "CEGLA-E0394", 409
    what = Text("Ten list zmienia też kto inny ({who}).", "Somebody else changes this letter too ({who}).")
    todo = Text("Obejrzyj tamtą zmianę albo zapisz swoją na jej miejsce; obie da się cofnąć.",
        "See their change or put yours in its place; either can be undone.")  # fmt: skip


class ImageRefused(InvalidInput):
    """An upload is no image that mail programs show."""

    code = "CEGLA-E0395"
    what = Text("Tego obrazu nie można przyjąć: {detail}.", "This image cannot be taken: {detail}.")
    todo = Text("Zapisz obraz jako PNG, JPEG albo GIF, najwyżej 1 MB, i wgraj go jeszcze raz.",
        "Save it as PNG, JPEG or GIF, 1 MB at most, and upload it again.")  # fmt: skip


class FeedRefused(InvalidInput):
    """A catalog cannot be read or fetched."""

    code = "CEGLA-E0396"
    what = Text("Katalogu nie da się odczytać: {detail}", "The catalog cannot be read: {detail}")
    todo = Text("Sprawdź adres i plik: CSV, JSON albo XML Google Merchant, najwyżej 20 MB.",
        "Check address and file: CSV, JSON or Google Merchant XML, 20 MB at most.")  # fmt: skip


class MessageKeyUsed(InvalidInput):
    """The key of a message to one person stands for another message already."""

    code, status = "CEGLA-E0368", 409
    what = Text("Tym kluczem oznaczono już inną wiadomość.", "This key stands for another message already.")
    todo = Text("Ponawiając, podaj te same dane; do nowej wiadomości weź nowy klucz.", "Give the same data to try again, or a new key for a new message.")


class DkimKeyRefused(InvalidInput):
    """A key for signing messages cannot be made or used as asked."""

    code = "CEGLA-E0333"
    what = Text("Klucza DKIM nie można tak użyć: {detail}", "The DKIM key cannot be used like this: {detail}")
    todo = Text("Sprawdź domenę, selektor i algorytm: cegla dkim list.", "Check domain, selector and algorithm: cegla dkim list.")


class MailServerRefused(Busy):
    """The SMTP server refused, or cannot be reached."""

    code = "CEGLA-E0610"
    what = Text("Serwer poczty odmówił lub nie odpowiada: {detail}", "The mail server refused or does not answer: {detail}")
    todo = Text("Sprawdź adres, port i hasło w Ustawieniach (smtp).", "Check address, port and password in Settings (smtp).")


class ReturnMailboxAway(Busy):
    """The mailbox with returned mail refused, or cannot be reached."""

    code = "CEGLA-E0611"
    what = Text("Skrzynka ze zwrotami odmówiła lub nie odpowiada: {detail}", "The mailbox of returned mail refused or does not answer: {detail}")
    todo = Text("Sprawdź ustawienia returns.imap_*.", "Check the settings returns.imap_*.")


class ReceiverAddress(InvalidInput):
    """Nothing may be sent to the address of a receiver of segments."""

    code = "CEGLA-E0386"
    what = Text("Na ten adres nie można wysyłać ({reason}).", "Nothing may be sent to this address ({reason}).")
    todo = Text(
        "host: dopisz hosta do ustawienia sync.hosts; scheme: adres ma zaczynać się od https; "
        "address: adres hosta nie jest publiczny (sync.private_addresses); unreachable: takiej nazwy nie ma.",
        "host: add the host to the setting sync.hosts; scheme: the address has to begin with https; "
        "address: the host's address is not a public one (sync.private_addresses); unreachable: there is no such name.",
    )
