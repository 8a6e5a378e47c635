"""Every error a user can meet: what happened, where, the value seen, what to do; one object in API, CLI and console.

    CeglaError                       (answers RFC 9457 problem details, an exit code and an HTTP status)
    ├── Terminal                     trying again changes nothing
    │   ├── InvalidInput   3 / 422   data, a mapping, a rule or a template is wrong
    │   ├── WrongUsage     2 / 400   the call itself is wrong
    │   ├── NotFound       4 / 404
    │   ├── Refused        5 / 403   consent, policy or permission says no
    │   └── Broken         1 / 500   the installation needs a person
    └── Transient                    trying again may work
        └── Busy           6 / 503   something else holds it, or it is away

Raise the most exact row below; add a row rather than a free text. Exit codes are those of `docs/reference/cli.md`.
"""

from typing import Any, ClassVar

from cegla.vocabulary.text import Language, Text


class CeglaError(Exception):
    """Something a user should read. `where` is a file:line, a JSON pointer or a setting; `seen` the value found there."""

    code: ClassVar[str] = "CEGLA-E0000"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1
    what: ClassVar[Text] = Text("Coś się nie udało.", "Something went wrong.")
    todo: ClassVar[Text] = Text("Zajrzyj do dziennika.", "Look into the log.")

    def __init__(self, *, where: str = "", seen: object = "", **facts: object) -> None:
        self.where = _showable(where, 500)
        self.seen = _showable(seen, 200)
        self.facts = {key: value if isinstance(value, Text) else _showable(value, 500) for key, value in facts.items()}
        super().__init__(self.say("en"))

    def say(self, language: Language) -> str:
        """What happened, in one sentence."""
        return self.what.say(language, **self._facts_in(language))

    def advice(self, language: Language) -> str:
        """What to do about it."""
        return self.todo.say(language, **self._facts_in(language))

    def _facts_in(self, language: Language) -> dict[str, str]:
        return {key: fact.say(language) if isinstance(fact, Text) else fact for key, fact in self.facts.items()}

    def problem(self, language: Language = "en") -> dict[str, Any]:
        """RFC 9457 problem details with our own members `code`, `where`, `seen` and `todo`."""
        return {
            "type": f"/docs/errors#{self.code}",
            "title": self.say(language),
            "status": self.status,
            "code": self.code,
            "where": self.where,
            "seen": self.seen,
            "todo": self.advice(language),
        }


def _showable(value: object, longest: int) -> str:
    """A value as text that every face can write out; half a surrogate pair, which no encoding holds, becomes a question mark."""
    return str(value)[:longest].encode("utf-8", "replace").decode()


class Terminal(CeglaError):
    """Trying again changes nothing."""


class Transient(CeglaError):
    """Trying again may work."""


class InvalidInput(Terminal):
    """Data, a mapping, a rule or a template is wrong."""

    code, status, exit_code = "CEGLA-E0300", 422, 3
    what = Text("Dane są nieprawidłowe: {detail}", "The input is not valid: {detail}")
    todo = Text("Popraw wskazaną wartość i spróbuj ponownie.", "Correct the value shown and try again.")


class WrongUsage(Terminal):
    """The call itself is wrong."""

    code, status, exit_code = "CEGLA-E0200", 400, 2
    what = Text("Nieprawidłowe wywołanie: {detail}", "Wrong usage: {detail}")
    todo = Text("Sprawdź pomoc polecenia.", "Check the command's help.")


class NotFound(Terminal):
    """The thing named does not exist."""

    code, status, exit_code = "CEGLA-E0400", 404, 4
    what = Text("Nie znaleziono: {thing}", "Not found: {thing}")
    todo = Text("Sprawdź, czy nazwa lub numer są poprawne.", "Check the name or number.")


class Refused(Terminal):
    """Consent, policy or permission says no."""

    code, status, exit_code = "CEGLA-E0500", 403, 5
    what = Text("Odmowa: {detail}", "Refused: {detail}")
    todo = Text("Potrzebna jest zgoda lub uprawnienie.", "A consent or a permission is needed.")


class Broken(Terminal):
    """The installation needs a person."""

    code, status, exit_code = "CEGLA-E0100", 500, 1
    what = Text("Instalacja wymaga uwagi: {detail}", "The installation needs attention: {detail}")


class Busy(Transient):
    """Something else holds it, or it is away."""

    code, status, exit_code = "CEGLA-E0600", 503, 6
    what = Text("Zajęte lub chwilowo niedostępne: {detail}", "Busy or away for now: {detail}")
    todo = Text("Spróbuj ponownie za chwilę.", "Try again in a moment.")


class AlreadyRunning(Busy):
    """Another Cegla holds this data directory."""

    code = "CEGLA-E0601"
    what = Text("Ten katalog danych jest już używany przez inną Ceglę (proces {pid}).", "Another Cegla (process {pid}) already uses this data directory.")
    todo = Text("Zatrzymaj tamten proces albo wskaż inny katalog: CEGLA_DATA_DIR.", "Stop that process or choose another directory with CEGLA_DATA_DIR.")


class DatabaseAway(Busy):
    """PostgreSQL does not answer."""

    code = "CEGLA-E0602"
    what = Text("PostgreSQL nie odpowiada.", "PostgreSQL does not answer.")
    todo = Text("Sprawdź, czy działa i czy adres (dsn) jest poprawny.", "Check that it runs and that the address (dsn) is right.")


class DatabaseWontStart(Broken):
    """The embedded PostgreSQL ended while starting."""

    code = "CEGLA-E0102"
    what = Text("Wbudowany PostgreSQL nie wystartował.", "The embedded PostgreSQL did not start.")
    todo = Text("Przeczytaj ostatnie wiersze dziennika wskazanego obok.", "Read the last lines of the log named beside.")


class UnsafeDatabase(Broken):
    """PostgreSQL runs with a setting that can lose accepted events."""

    code = "CEGLA-E0103"
    what = Text(
        "PostgreSQL działa z ustawieniem {setting}, które może zgubić przyjęte zdarzenia.", "PostgreSQL runs with {setting}, which can lose accepted events."
    )
    todo = Text("Włącz to ustawienie na serwerze i uruchom Ceglę ponownie.", "Turn the setting on at the server and start Cegla again.")


class DiskFailing(Broken):
    """The disk under PostgreSQL reported that a write did not succeed; accepting stopped, and nothing is tried again."""

    code = "CEGLA-E0104"
    what = Text(
        "Dysk nie zapisał danych PostgreSQL. Cegla przestała przyjmować zdarzenia; potwierdzone nie zostało nic, co nie jest zapisane.",
        "The disk failed to write PostgreSQL's data. Cegla stopped accepting events; nothing was acknowledged that is not written.",
    )
    todo = Text(
        "Sprawdź dysk (dmesg, SMART), zrób kopię katalogu danych na innym dysku i dopiero wtedy uruchom Ceglę ponownie.",
        "Check the disk (dmesg, SMART), copy the data directory to another disk, and only then start Cegla again.",
    )


class WarehouseDamaged(Broken):
    """The warehouse's file is not as it was written; the next start moves it aside and writes the history again."""

    code = "CEGLA-E0105"
    what = Text("Plik hurtowni jest uszkodzony.", "The warehouse's file is damaged.")
    todo = Text(
        "Sprawdź dysk. Przy następnym starcie Cegla odłoży ten plik na bok i odtworzy historię z przyjętych żądań.",
        "Check the disk. At the next start Cegla moves the file aside and writes the history again from the accepted requests.",
    )


class SettingInvalid(WrongUsage):
    """A setting in the configuration file or environment is wrong."""

    code = "CEGLA-E0201"
    what = Text("Nieprawidłowe ustawienie: {detail}", "Wrong setting: {detail}")
    todo = Text("Popraw plik ustawień lub zmienną środowiskową.", "Correct the settings file or the environment variable.")


class WrongPassword(Refused):
    """Sign-in failed; which of the two was wrong is not said."""

    code, status = "CEGLA-E0501", 401
    what = Text("Nieprawidłowy login lub hasło.", "Wrong name or password.")
    todo = Text("Sprawdź wielkość liter i spróbuj ponownie.", "Check capitals and try again.")


class WrongKey(Refused):
    """A write key, secret key or session is not known."""

    code, status = "CEGLA-E0502", 401
    what = Text("Nieznany klucz.", "Unknown key.")
    todo = Text("Skopiuj klucz ze strony Źródła lub Ustawienia.", "Copy the key from the Sources or Settings page.")


class ForeignRequest(Refused):
    """A form came from another site, or its protection token is missing or old."""

    code = "CEGLA-E0503"
    what = Text("Formularz nie pochodzi z tej konsoli albo jest przeterminowany.", "The form does not come from this console, or is out of date.")
    todo = Text("Odśwież stronę i wyślij formularz ponownie.", "Reload the page and send the form again.")


class NotPermitted(Refused):
    """The user's role lacks a permission."""

    code = "CEGLA-E0504"
    what = Text("Twoja rola na to nie pozwala ({permission}).", "Your role does not allow this ({permission}).")
    todo = Text("Poproś administratora o uprawnienie.", "Ask an administrator for the permission.")


class SiteNotAllowed(Refused):
    """A page asked for its visitor with a key that does not belong to a website which lists the page's origin."""

    code = "CEGLA-E0505"
    what = Text("Ta strona nie może pytać o odwiedzającego.", "This page may not ask for its visitor.")
    todo = Text("Wpisz domenę strony na listę w ustawieniach źródła.", "List the page's origin in the settings of the source.")


class LimitOutOfRange(InvalidInput):
    """A limit of a source is not above zero, or larger than anything here can hold."""

    code = "CEGLA-E0350"
    what = Text("Limit „{limit}” musi być większy od zera i nie większy niż {most}.", "The limit “{limit}” must be above zero and at most {most}.")
    todo = Text("Podaj liczbę z tego zakresu albo nic: wtedy obowiązuje limit instalacji.", "Give such a number, or none for the installation's limit.")


class NotAnOrigin(InvalidInput):
    """What should be the origin of a web page is something else."""

    code = "CEGLA-E0351"
    what = Text("To nie jest adres strony w postaci https://sklep.pl.", "This is not the origin of a web page, such as https://shop.example.")
    todo = Text("Podaj protokół i domenę, bez ścieżki.", "Give the scheme and the host, without a path.")


class FieldMissing(InvalidInput):
    """A form or a call lacks a value it needs."""

    code = "CEGLA-E0341"
    what = Text("Brakuje wartości w polu {field}.", "The field {field} needs a value.")
    todo = Text("Uzupełnij pole i wyślij ponownie.", "Fill it in and send again.")


class PasswordTooWeak(InvalidInput):
    """A new password is too short or too easy to guess."""

    code = "CEGLA-E0340"
    what = Text("To hasło jest za krótkie albo łatwe do zgadnięcia.", "This password is too short or easy to guess.")
    todo = Text("Użyj co najmniej {shortest} znaków, najlepiej kilku słów.", "Use at least {shortest} characters, best several words.")


class TooManyTries(Busy):
    """Too many wrong passwords in a row."""

    code, status = "CEGLA-E0603", 429
    what = Text("Za dużo nieudanych prób logowania.", "Too many wrong passwords.")
    todo = Text("Odczekaj minutę i spróbuj ponownie.", "Wait a minute and try again.")


class MappingInvalid(InvalidInput):
    """The import mapping does not fit its form or the file."""

    code = "CEGLA-E0310"
    what = Text("Mapowanie importu jest nieprawidłowe: {detail}", "The import mapping is not valid: {detail}")
    todo = Text("Popraw plik mapowania; wzór jest w docs/how-to/import-a-file.md.", "Correct the mapping file; a model is in docs/how-to/import-a-file.md.")


class MappingFieldMissing(MappingInvalid):
    """The import mapping lacks a field it must have."""

    code = "CEGLA-E0312"
    what = Text("W mapowaniu importu brakuje pola {field}.", "The import mapping lacks the field {field}.")


class MappingFieldUnknown(MappingInvalid):
    """The import mapping has a field that does not exist."""

    code = "CEGLA-E0313"
    what = Text("Mapowanie importu nie zna pola {field}.", "The import mapping knows no field {field}.")


class ColumnUnknown(MappingInvalid):
    """The import mapping names a column that the file does not have."""

    code = "CEGLA-E0314"
    what = Text("W pliku nie ma kolumny {column}. Są: {columns}.", "The file has no column {column}. It has: {columns}.")


class FileUnreadable(InvalidInput):
    """A file is missing, is no readable text, or is not what its name says."""

    code = "CEGLA-E0311"
    what = Text("Nie można odczytać pliku: {detail}", "The file cannot be read: {detail}")
    todo = Text("Sprawdź ścieżkę, kodowanie i format pliku.", "Check the path, the encoding and the format.")


class BasisMissing(InvalidInput):
    """A list without its origin and basis."""

    code = "CEGLA-E0370"
    what = Text("Bez pochodzenia i podstawy nie wczytamy listy: brakuje {field}.", "No list comes in without origin and basis: {field} is missing.")


class RuleInvalid(InvalidInput):
    """A segment's rule tree does not fit the language."""

    code = "CEGLA-E0320"
    what = Text("Reguła segmentu jest nieprawidłowa: {detail}", "The segment's rule is not valid: {detail}")
    todo = Text(
        "Popraw wskazaną regułę; lista operatorów jest w docs/reference/segments.md.",
        "Correct the rule shown; the operators are in docs/reference/segments.md.",
    )


class IdentityRulesInvalid(InvalidInput):
    """A document of identity rules does not fit its form."""

    code = "CEGLA-E0380"
    what = Text("Reguły tożsamości są nieprawidłowe: {detail}", "The identity rules are not valid: {detail}")
    todo = Text(
        "Popraw wskazane miejsce; wszystkie pola są w docs/reference/identity.md.", "Correct the place shown; all fields are in docs/reference/identity.md."
    )


class RuleVersionOld(InvalidInput):
    """The identity rules changed while somebody looked at a trial of them."""

    code, status = "CEGLA-E0381", 409
    what = Text("Reguły zmieniły się po tej próbie: obowiązuje już wersja {number}.", "The rules changed after this trial: version {number} is in force now.")
    todo = Text("Powtórz próbę i zastosuj jej wynik.", "Run the trial again and apply what it says.")


class LinkRefused(InvalidInput):
    """Two people cannot be joined: the identity rules set a limit."""

    code, status = "CEGLA-E0390", 409
    what = Text("Tych osób nie można połączyć: {detail}", "These people cannot be joined: {detail}")
    todo = Text("Zmień limit w regułach tożsamości albo zostaw dwie osoby.", "Change the limit in the identity rules, or leave them two people.")


class TraitInvalid(InvalidInput):
    """The definition of a computed trait does not fit its form."""

    code = "CEGLA-E0385"
    what = Text("Definicja cechy jest nieprawidłowa: {detail}", "The trait's definition is not valid: {detail}")
    todo = Text("Popraw wskazane miejsce; pola opisuje docs/reference/traits.md.", "Correct the place shown; the fields are in docs/reference/traits.md.")


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


class ReferenceAway(Busy):
    """Reference data could not be fetched."""

    code = "CEGLA-E0630"
    what = Text("Nie udało się pobrać danych {where_from}: {detail}", "The data of {where_from} could not be fetched: {detail}")
    todo = Text(
        "Sprawdź sieć i program npm, albo podaj adres rejestru w reference.registry. Bez tych danych wszystko działa dalej: cegla data status.",
        "Check the network and the npm tool, or give a registry's address in reference.registry. Everything works on without: cegla data status.",
    )


class DiskFull(Busy):
    """No room left to write safely."""

    code, status = "CEGLA-E0620", 507
    what = Text("Brak miejsca na dysku.", "The disk is full.")
    todo = Text("Zwolnij miejsce; Cegla podejmie pracę sama.", "Free some space; Cegla goes on by itself.")


class FixInvalid(InvalidInput):
    """A fix for quarantined events is wrong."""

    code = "CEGLA-E0360"
    what = Text("Nieprawidłowa naprawa: {detail}", "The fix is not valid: {detail}")
    todo = Text("Popraw wskazany krok; opis: docs/reference/fixes.md.", "Correct the step shown; see docs/reference/fixes.md.")


class NotReplayable(Refused):
    """An event of the quarantine cannot come back."""

    code, status = "CEGLA-E0361", 409
    what = Text("Tego zdarzenia nie można powtórzyć: {why}.", "This event cannot be replayed: {why}.")
    todo = Text("Obejrzyj jego historię poleceniem cegla quarantine show.", "Look at its history with cegla quarantine show.")


class WebhookMappingInvalid(InvalidInput):
    """The mapping of a webhook does not fit its form."""

    code = "CEGLA-E0375"
    what = Text("Mapowanie webhooka jest nieprawidłowe: {detail}", "The webhook's mapping is not valid: {detail}")
    todo = Text("Popraw wskazane miejsce; pola opisuje docs/reference/webhooks.md.", "Correct the place shown; the fields are in docs/reference/webhooks.md.")


class WebhookSchemeUnknown(InvalidInput):
    """There is no such signature scheme or ready mapping."""

    code = "CEGLA-E0376"
    what = Text("Nie ma takiego sposobu podpisu ani gotowego mapowania: {name}", "There is no such signature scheme or ready mapping: {name}")
    todo = Text("Lista jest w docs/reference/webhooks.md.", "They are listed in docs/reference/webhooks.md.")


class WebhookSecretMissing(InvalidInput):
    """The scheme needs a secret, a header's name or a public key that was not given or cannot be read."""

    code = "CEGLA-E0377"
    what = Text("Ten sposób podpisu wymaga pola {field}.", "This signature scheme needs the field {field}.")
    todo = Text("Skopiuj wartość z panelu dostawcy.", "Copy the value from the provider's settings.")


class WebhookAbsent(NotFound):
    """The source has no webhook."""

    code = "CEGLA-E0378"
    what = Text("To źródło nie ma webhooka.", "This source has no webhook.")
    todo = Text("Dodaj go na stronie źródła.", "Add one on the source's page.")


class PlanInvalid(InvalidInput):
    """A tracking plan is wrong."""

    code = "CEGLA-E0362"
    what = Text("Plan jest nieprawidłowy (błędów: {count}): {detail}", "The tracking plan is not valid ({count} problems): {detail}")
    todo = Text("Sprawdź plik poleceniem cegla plan check.", "Check the file with cegla plan check.")


class PlanChanged(Refused):
    """Somebody else changed the plan meanwhile."""

    code, status = "CEGLA-E0363", 409
    what = Text("Ktoś w międzyczasie zmienił ten plan.", "Somebody changed this plan in the meantime.")
    todo = Text("Obejrzyj nową wersję, nanieś zmiany i zapisz ponownie.", "Look at the new version, make your changes there and save again.")


class PlanNotPossible(Refused):
    """Our own messages' events follow no plan."""

    code, status = "CEGLA-E0364", 409
    what = Text("Źródło wewnętrzne nie ma planu.", "An internal source has no tracking plan.")
    todo = Text("Wybierz źródło, które przysyła zdarzenia z zewnątrz.", "Choose a source that sends events from outside.")


class AnalyserPurposeMissing(InvalidInput):
    """An analyser is turned on without a purpose of the register that somebody chose."""

    code = "CEGLA-E0365"
    what = Text("Analizator {analyser} wymaga celu z rejestru celów.", "The analyser {analyser} needs a purpose from the register.")
    todo = Text("Podaj jeden z celów: {purposes}.", "Give one of these purposes: {purposes}.")
