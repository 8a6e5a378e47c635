"""Commands one meets first: starting, looking whether all is well, bringing files in."""

from cegla.cli import importing, sources, system
from cegla.cli.command import Command
from cegla.vocabulary.text import Text

ROWS = (
    Command("", "up", system.up, Text("uruchom instalację", "start an installation"), ("cegla up", "CEGLA_DATA_DIR=shop cegla up")),
    Command(
        "",
        "demo",
        system.demo,
        Text("uruchom instalację pokazową", "start an installation with a shop in it"),
        ("cegla demo", "cegla demo --once"),
        passes_on=True,
    ),
    Command(
        "import",
        "file",
        importing.import_file,
        Text("obejrzyj lub wczytaj plik; słowo file można pominąć", "look at a file, or import it; the word file may be left out"),
        (
            "cegla import clients.xlsx --propose clients.yaml",
            "cegla import orders.csv --map orders.yaml --dry-run",
            "cegla import orders.csv.gz --map orders.yaml --errors refused.csv",
        ),
    ),
    Command("import", "list", importing.listed, Text("wypisz importy", "list imports"), ("cegla import list",)),
    Command("import", "show", importing.show, Text("pokaż import i jego postęp", "show an import and how far it is"), ("cegla import show 3",)),
    Command("import", "resume", importing.resume, Text("wznów przerwany import", "go on with an import that stopped"), ("cegla import resume 3",)),
    Command(
        "import",
        "undo",
        importing.undo,
        Text("cofnij cały import, jakby go nie było", "take a whole import back, as if it had never been"),
        ("cegla import undo 3 --dry-run", "cegla import undo 3 --yes"),
    ),
    Command("", "status", system.status, Text("liczby i stan przyjmowania", "counts and how far intake is"), ("cegla status", "cegla status --json")),
    Command("", "doctor", system.doctor, Text("co wymaga uwagi człowieka", "what needs a person"), ("cegla doctor",)),
    Command(
        "",
        "send-test-event",
        sources.send_test_event,
        Text("wyślij zdarzenie próbne i poczekaj na nie", "send a test event and wait for it"),
        ("cegla send-test-event", "cegla send-test-event --source Shop"),
    ),
)
