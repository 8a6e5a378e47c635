"""What comes in: sources and their limits, files, webhooks, tracking plans, quarantined events."""

from cegla.vocabulary.errors import InvalidInput, NotFound, Refused
from cegla.vocabulary.text import Text


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


class ChoiceUnknown(InvalidInput):
    """A form says something else than it may say."""

    code = "CEGLA-E0342"
    what = Text("Pole {field} ma wartość „{value}”, a może mieć: {values}.", "The field {field} says “{value}” and may say: {values}.")
    todo = Text("Wybierz jedną z tych wartości i wyślij ponownie.", "Choose one of these values and send again.")


class MappingInvalid(InvalidInput):
    """The import mapping does not fit its form or the file."""

    code = "CEGLA-E0310"
    what = Text("Mapowanie importu jest nieprawidłowe: {detail}", "The import mapping is not valid: {detail}")
    todo = Text("Popraw plik mapowania; wzór jest w docs/how-to/import-a-file.md.", "Correct the mapping file; a model is in docs/how-to/import-a-file.md.")


class SourceUnlike(InvalidInput):
    """An import names a source that is there and is not like the import."""

    code = "CEGLA-E0307"
    what = Text("Do źródła „{source}” ten plik nie może trafić: {detail}.", "This file cannot go to the source “{source}”: {detail}.")
    todo = Text("Podaj nazwę nowego źródła albo tę samą podstawę, co źródło.", "Give the name of a new source, or the basis that the source has.")


class ImportBegunOtherwise(InvalidInput):
    """A file is to be brought in by another mapping than the one by which its unfinished import began."""

    code = "CEGLA-E0308"
    what = Text(
        "Import {number} tego pliku zatrzymał się w połowie i zaczął się według innego mapowania.",
        "Import {number} of this file stopped half way, and it began with another mapping.",
    )
    todo = Text(
        "Dokończ go (cegla import resume {number}) albo cofnij (cegla import undo {number}), a potem wczytaj plik po nowemu.",
        "Go on with it (cegla import resume {number}), or take it back (cegla import undo {number}) and bring the file in anew.",
    )


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
    what = Text(
        "Plan jest nieprawidłowy (błędów: {count}). Pierwszy w wierszu {line}: {detail}",
        "The tracking plan is not valid ({count} problems). The first, in line {line}: {detail}",
    )
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
