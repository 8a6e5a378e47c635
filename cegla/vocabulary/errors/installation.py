"""The installation itself: its database, its disk, its settings, its reference data."""

from cegla.vocabulary.errors import Broken, Busy, WrongUsage
from cegla.vocabulary.text import Text


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
    """The warehouse's file is not as it was written; the app starts anew, moves it aside and writes the history again."""

    code = "CEGLA-E0105"
    what = Text("Plik hurtowni jest uszkodzony.", "The warehouse's file is damaged.")
    todo = Text(
        "Sprawdź dysk. W ciągu minuty aplikacja zacznie od nowa: odłoży ten plik na bok i odtworzy historię z migawki i żądań. Zbieranie zdarzeń trwa.",
        "Check the disk. Within a minute the app starts anew: it moves the file aside and writes the history again from the snapshot and the requests. "
        "Events are collected meanwhile.",
    )


class SettingInvalid(WrongUsage):
    """A setting in the configuration file or environment is wrong."""

    code = "CEGLA-E0201"
    what = Text("Nieprawidłowe ustawienie: {detail}", "Wrong setting: {detail}")
    todo = Text("Popraw plik ustawień lub zmienną środowiskową.", "Correct the settings file or the environment variable.")


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


class WarehouseHalted(DiskFull):
    """The warehouse met the end of the disk and takes no more questions until it is opened again. The file itself is whole, and there is room again."""

    code = "CEGLA-E0621"
    what = Text("Hurtownia stanęła, bo zabrakło miejsca na dysku.", "The warehouse halted, since the disk was full.")
    todo = Text("Miejsce już jest: aplikacja sama zaczyna od nowa. Spróbuj za chwilę.", "There is room again: the app starts anew by itself. Try in a moment.")


class EngineAway(Busy):
    """An engine that holds the history, or shall hold a copy, does not answer, or says that it is not well."""

    code = "CEGLA-E0656"
    what = Text("{engine} nie odpowiada.", "{engine} does not answer.")
    todo = Text("Sprawdź, czy działa i czy adres jest poprawny; przerwane przenoszenie można powtórzyć.",
        "Check that it runs and that the address is right; a move that was cut off can be repeated.")  # fmt: skip


class EngineMissing(WrongUsage):
    """The packages that an engine needs are not installed."""

    code = "CEGLA-E0256"
    what = Text("Do hurtowni {engine} brakuje: {detail}", "A warehouse on {engine} lacks: {detail}")
    todo = Text("Zainstaluj: pip install 'cegla[engines]'. Spark potrzebuje też Javy 17 albo nowszej.",
        "Install it: pip install 'cegla[engines]'. Spark needs Java 17 or newer, too.")  # fmt: skip


class MoveRefused(WrongUsage):
    """A warehouse cannot be moved to that place."""

    code = "CEGLA-E0257"
    what = Text("Nie można przenieść hurtowni: {detail}.", "The warehouse cannot be moved: {detail}.")
    todo = Text("Cel musi być pusty albo zawierać początek tej samej historii; niczego w nim nie usunięto.",
        "The target must be empty or hold the beginning of the same history; nothing was removed from it.")  # fmt: skip


class EngineUnknown(WrongUsage):
    """No engine has such an address."""

    code = "CEGLA-E0258"
    what = Text("Żaden silnik hurtowni nie ma takiego adresu.", "No engine of the warehouse has such an address.")
    todo = Text("Podaj adres w jednej z postaci: {examples}.", "Give an address of one of these forms: {examples}.")
