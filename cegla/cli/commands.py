"""Every command, one row each: its words, its handler, what it does in both languages, and examples, which come first in `--help`.

`docs/reference/cli.md` is made from this table, and the words of options are explained once for all commands.
"""

from collections.abc import Callable
from typing import NamedTuple

from cegla.cli import accounts, campaigns, data, dkim, duplicates, events, identity, importing, people, plans, quarantine, segments, sources, system, webhooks
from cegla.vocabulary.text import Text


class Command(NamedTuple):
    """One command. `group` is "" for a word of its own; `passes_on` hands unknown words to somebody else."""

    group: str
    name: str
    handler: Callable[..., None]
    what: Text
    examples: tuple[str, ...]
    passes_on: bool = False

    @property
    def words(self) -> str:
        """As it is typed."""
        return " ".join(filter(None, ["cegla", self.group, self.name]))


#: The command that a group means when its word is followed by none.
DEFAULTS = {"import": "file"}

GROUPS = {
    "import": Text("pliki: rozpoznanie, wczytanie, cofnięcie", "files: looking, importing, undoing"),
    "person": Text("osoby: co wiemy, wydanie i usunięcie danych", "people: what is known, giving out and erasing data"),
    "duplicates": Text("osoby, które są pewnie jedną", "people who are likely one"),
    "identity": Text("kto jest kim: powiązania, ich cofanie, reguły", "who is who: links, undoing them, rules"),
    "account": Text("firmy i inne grupy: co o nich wiemy, kto do nich należy", "accounts: what is known of them, who belongs to them"),
    "segment": Text("segmenty: kto do nich należy i dlaczego", "segments: who is in them and why"),
    "campaign": Text("kampanie: podgląd, próba na sucho, wysyłka", "campaigns: preview, dry run, sending"),
    "dkim": Text("klucze do podpisywania poczty i ich rekordy DNS", "keys for signing mail, and their DNS records"),
    "source": Text("źródła zdarzeń i ich klucze", "sources of events and their keys"),
    "webhook": Text("webhooki: adres dla dostawcy i mapowanie na zdarzenia", "webhooks: an address for a provider and a mapping to events"),
    "plan": Text("plany: jakie zdarzenia ma przysyłać źródło", "tracking plans: which events a source should send"),
    "event": Text("zdarzenia i ich droga", "events and their way"),
    "data": Text("dane o świecie: wersje, licencje, pobieranie", "data about the world: versions, licences, fetching"),
    "quarantine": Text("zdarzenia, których nie dało się użyć", "events that could not be used"),
}

COMMANDS = (
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
    Command(
        "person",
        "show",
        people.show,
        Text("pokaż osobę i powód każdej cechy", "show a person with the reason for each trait"),
        ("cegla person show p12", "cegla person show anna@example.pl --reveal"),
    ),
    Command(
        "person",
        "export",
        people.export,
        Text("wydaj wszystko, co wiadomo o osobie", "give out everything held on a person"),
        ("cegla person export p12 --output anna.json",),
    ),
    Command(
        "person",
        "erase",
        people.erase,
        Text("usuń osobę na zawsze", "erase a person for good"),
        ("cegla person erase p12 --dry-run", "cegla person erase p12 --yes"),
    ),
    Command(
        "duplicates",
        "list",
        duplicates.listed,
        Text("wypisz prawdopodobne duplikaty z dowodami", "list likely duplicates with their evidence"),
        ("cegla duplicates list", "cegla duplicates list --state refused"),
    ),
    Command("duplicates", "find", duplicates.find, Text("porównaj teraz wszystkich", "compare everybody now"), ("cegla duplicates find",)),
    Command(
        "duplicates",
        "decide",
        duplicates.decide,
        Text("powiedz, że to jedna osoba albo dwie", "say that it is one person, or two"),
        ("cegla duplicates decide 7 same --yes", "cegla duplicates decide 8 different"),
    ),
    Command("account", "list", accounts.listed, Text("wypisz firmy", "list accounts"), ("cegla account list", "cegla account list acme")),
    Command("account", "show", accounts.show, Text("pokaż firmę, jej cechy i osoby", "show an account, its traits and people"), ("cegla account show a12",)),
    Command("identity", "links", identity.links, Text("wypisz powiązania osoby", "list the links of a person"), ("cegla identity links p12",)),
    Command("identity", "undo", identity.undo, Text("cofnij powiązanie", "undo a link"), ("cegla identity undo 345", "cegla identity undo 345 --yes")),
    Command(
        "identity",
        "warnings",
        identity.warnings,
        Text("wypisz odmówione powiązania z powodami", "list refused links with their reasons"),
        ("cegla identity warnings", "cegla identity warnings --reason limit"),
    ),
    Command("identity", "rules", identity.rules, Text("pokaż obowiązujące reguły", "show the rules in force"), ("cegla identity rules",)),
    Command(
        "identity",
        "try",
        identity.try_rules,
        Text("sprawdź reguły na całej historii, nic nie zmieniając", "try rules on all history and change nothing"),
        ("cegla identity try rules.yaml",),
    ),
    Command("identity", "apply", identity.apply_rules, Text("wprowadź reguły w życie", "put rules in force"), ("cegla identity apply rules.yaml",)),
    Command(
        "event",
        "show",
        events.show,
        Text("pokaż drogę zdarzenia od żądania do profilu", "follow an event from its request to the profile"),
        ("cegla event show 9b0d-order-17", "cegla event show e1204", "cegla event show q31 --reveal complaint"),
    ),
    Command("segment", "list", segments.listed, Text("wypisz segmenty", "list segments"), ("cegla segment list",)),
    Command("segment", "show", segments.show, Text("pokaż segment i jego liczebność", "show a segment with its count"), ("cegla segment show champions",)),
    Command("segment", "save", segments.save, Text("utwórz lub zmień segment", "make or change a segment"), ("cegla segment save Regulars rule.yaml",)),
    Command(
        "segment",
        "explain",
        segments.explain,
        Text("dlaczego osoba jest w segmencie", "why a person is in a segment"),
        ("cegla segment explain champions p12",),
    ),
    Command("campaign", "list", campaigns.listed, Text("wypisz kampanie", "list campaigns"), ("cegla campaign list",)),
    Command(
        "campaign",
        "preview",
        campaigns.preview,
        Text("podgląd wiadomości dla osoby", "the message as one person would get it"),
        ("cegla campaign preview 1 p12",),
    ),
    Command(
        "campaign", "dry-run", campaigns.dry_run, Text("kto dostanie, kto nie i dlaczego", "who would get it, who not, and why"), ("cegla campaign dry-run 1",)
    ),
    Command("campaign", "send", campaigns.send, Text("wyślij kampanię", "send a campaign"), ("cegla campaign send 1", "cegla campaign send 1 --yes")),
    Command("campaign", "report", campaigns.report, Text("co z niej wyszło", "what came of it"), ("cegla campaign report 1",)),
    Command("dkim", "list", dkim.listed, Text("wypisz klucze DKIM", "list DKIM keys"), ("cegla dkim list",)),
    Command(
        "dkim",
        "make",
        dkim.make,
        Text("utwórz klucz i pokaż rekord do opublikowania", "make a key and show the record to publish"),
        ("cegla dkim make example.com", "cegla dkim make example.com --algorithm ed25519"),
    ),
    Command("dkim", "use", dkim.use, Text("podpisuj odtąd tym kluczem", "sign with this key from now on"), ("cegla dkim use example.com s1",)),
    Command("dkim", "drop", dkim.drop, Text("usuń klucz, który nie podpisuje", "forget a key that does not sign"), ("cegla dkim drop example.com s1",)),
    Command("webhook", "ready", webhooks.ready, Text("wypisz gotowe mapowania", "list the mappings that come with the product"), ("cegla webhook ready",)),
    Command(
        "webhook",
        "add",
        webhooks.add,
        Text("dodaj źródło z webhookiem", "add a source with a webhook"),
        ("cegla webhook add Mail --from sendgrid --basis contract",),
    ),
    Command(
        "webhook",
        "try",
        webhooks.try_out,
        Text("wypróbuj mapowanie na treści żądania z pliku", "try a mapping on a request's body in a file"),
        ("cegla webhook try order.json --from shopify", "cegla webhook try calls.csv --map calls.yaml --content-type text/csv"),
    ),
    Command("source", "list", sources.listed, Text("wypisz źródła i los ich zdarzeń", "list sources and what became of their events"), ("cegla source list",)),
    Command("source", "add", sources.add, Text("dodaj źródło", "add a source"), ("cegla source add Shop --kind website --basis consent",)),
    Command(
        "source",
        "change",
        sources.change,
        Text("zmień limity, dozwolone strony, włącz lub wyłącz", "change limits and allowed origins, switch on or off"),
        ("cegla source change Shop --set requests_per_second=200 --origin https://shop.example", "cegla source change Shop --set most_events=default"),
    ),
    Command(
        "source",
        "rotate-key",
        sources.rotate_key,
        Text("nadaj nowy klucz; stary działa do unieważnienia", "give a new key; the old one works until it is revoked"),
        ("cegla source rotate-key Shop", "cegla source rotate-key Shop --secret"),
    ),
    Command(
        "source", "revoke-keys", sources.revoke_keys, Text("unieważnij dawne klucze", "revoke the keys it had before"), ("cegla source revoke-keys Shop --yes",)
    ),
    Command(
        "quarantine",
        "list",
        quarantine.listed,
        Text("wypisz odłożone zdarzenia", "list events set aside"),
        ("cegla quarantine list", "cegla quarantine list --reason unreadable_time", "cegla quarantine list --where source=Shop --where since=2026-11-01"),
    ),
    Command("quarantine", "show", quarantine.show, Text("pokaż odłożone zdarzenie i jego historię", "show an event set aside"), ("cegla quarantine show 17",)),
    Command(
        "quarantine",
        "fix",
        quarantine.fix,
        Text("napraw odłożone zdarzenia i wyślij je ponownie", "fix events set aside and send them again"),
        ("cegla quarantine fix fix.yaml --where reason=plan_violation --dry-run", "cegla quarantine fix fix.yaml 17 18"),
    ),
    Command(
        "quarantine",
        "replay",
        quarantine.replay,
        Text("wyślij odłożone zdarzenia ponownie", "send events set aside again"),
        ("cegla quarantine replay 17 18", "cegla quarantine replay --where reason=unplanned_event", "cegla quarantine replay --all"),
    ),
    Command(
        "quarantine",
        "discard",
        quarantine.discard,
        Text("uznaj odłożone zdarzenia za niepotrzebne", "decide that events set aside are not needed"),
        ("cegla quarantine discard 17 --why test --yes",),
    ),
    Command("quarantine", "runs", quarantine.runs, Text("wypisz decyzje i ich postęp", "list decisions and how far they are"), ("cegla quarantine runs",)),
    Command(
        "plan",
        "infer",
        plans.infer,
        Text("zaproponuj plan z tego, co przyszło", "propose a plan from what came"),
        ("cegla plan infer --source Shop", "cegla plan infer --source Shop --days 7"),
    ),
    Command(
        "plan",
        "check",
        plans.check,
        Text("sprawdź plan, a z nim zdarzenia; bez instalacji", "check a plan, and events against it; needs no installation"),
        ("cegla plan check shop.yaml", "cegla plan check shop.yaml --events events.jsonl --json"),
    ),
    Command(
        "plan",
        "diff",
        plans.diff,
        Text("porównaj dwa plany i pokaż, co psuje", "compare two plans and show what breaks"),
        ("cegla plan diff old.yaml new.yaml", "cegla plan diff 1 2 --source Shop"),
    ),
    Command(
        "plan",
        "apply",
        plans.apply,
        Text("ustaw plan źródła", "make a plan hold for a source"),
        ("cegla plan apply shop.yaml --source Shop --dry-run", "cegla plan apply --version 1 --source Shop"),
    ),
    Command("plan", "withdraw", plans.withdraw, Text("zdejmij plan ze źródła", "let go of a source's plan"), ("cegla plan withdraw --source Shop",)),
    Command("plan", "show", plans.show, Text("wypisz plan źródła", "print a source's plan"), ("cegla plan show --source Shop",)),
    Command("plan", "list", plans.listed, Text("wypisz wersje planu", "list the versions of a plan"), ("cegla plan list --source Shop",)),
    Command(
        "plan",
        "schema",
        plans.schema,
        Text("wypisz zdarzenie planu jako JSON Schema", "print an event of a plan as JSON Schema"),
        ("cegla plan schema shop.yaml Signup",),
    ),
    Command(
        "data",
        "status",
        data.status,
        Text("wypisz zbiory danych, ich wersje i licencje", "print the data sets, their versions and licences"),
        ("cegla data status",),
    ),
    Command(
        "data",
        "update",
        data.update,
        Text("pobierz nowsze dane o świecie", "fetch newer data about the world"),
        ("cegla data update", "cegla data update asn"),
    ),
)

#: What an option or argument means, wherever it stands.
WORDS: dict[str, Text] = {
    "as_json": Text("odpowiedz jednym JSON-em na standardowe wyjście", "answer with one JSON value on standard output"),
    "person": Text("p12 albo identyfikator: e-mail, telefon, id użytkownika", "p12, or an identifier: e-mail, phone, user id"),
    "reveal": Text("pokaż dane osobowe bez maski; zapisuje się w dzienniku działań", "show personal data unmasked; the audit log remembers it"),
    "output": Text("plik, do którego zapisać", "the file to write to"),
    "dry_run": Text("pokaż, co by się stało, i nic nie zmieniaj", "say what would happen and change nothing"),
    "yes": Text("nie pytaj o potwierdzenie", "do not ask for confirmation"),
    "segment": Text("numer, klucz lub nazwa segmentu", "the segment's number, key or name"),
    "campaign": Text("numer lub nazwa kampanii", "the campaign's number or name"),
    "name": Text("nazwa", "the name"),
    "domain": Text("domena z nagłówka From", "the domain of the From header"),
    "selector": Text("selektor DKIM; pusty: z algorytmu i daty", "the DKIM selector; empty: made from algorithm and day"),
    "algorithm": Text("algorytm klucza", "the key's algorithm"),
    "rule": Text("plik JSON lub YAML z regułą", "a JSON or YAML file with the rule"),
    "kind": Text("rodzaj źródła", "the kind of source"),
    "basis": Text("podstawa prawna zbierania", "the lawful basis of collecting"),
    "enabled": Text("czy źródło przyjmuje zdarzenia", "whether the source takes events"),
    "origin": Text("strona, która może użyć klucza; można powtórzyć; any: każda", "a web origin that may use the key; may be repeated; any: every one"),
    "own": Text("własny limit źródła; można powtórzyć", "a limit of the source's own; may be repeated"),
    "secret": Text("klucz tajny zamiast klucza zapisu", "the secret key instead of the write key"),
    "reason": Text("tylko z tego powodu", "only those for this reason"),
    "limit": Text("ile najwyżej", "how many at most"),
    "ids": Text("numery zdarzeń w kwarantannie", "numbers of events in quarantine"),
    "state": Text("stan propozycji", "the state of proposals"),
    "proposal": Text("numer propozycji", "the number of the proposal"),
    "answer": Text("same: jedna osoba; different: dwie", "same: one person; different: two"),
    "source": Text("numer lub nazwa źródła", "the source's number or name"),
    "link": Text("numer powiązania, z cegla identity links", "the number of a link, from cegla identity links"),
    "rules_file": Text("plik YAML z tym, co ma być inne niż domyślnie", "a YAML file with what differs from the default rules"),
    "file": Text("plik: CSV, Excel, JSON Lines lub Parquet, także spakowany (.gz)", "a file: CSV, Excel, JSON Lines or Parquet, also as .gz"),
    "propose": Text("nowy plik, do którego zapisać proponowane mapowanie", "a new file to write the proposed mapping to"),
    "acquired_from": Text("skąd jest lista: formularz, targi, system, firma", "where the list is from: a form, fair, system or company"),
    "acquired_date": Text("kiedy ją pozyskano", "the day it was obtained"),
    "notice": Text("na co zgodziły się te osoby: wersja lub treść", "what people agreed to: version or wording"),
    "proof": Text("gdzie leży dowód: segregator, umowa, numer sprawy", "where the proof lies: a folder, contract or ticket"),
    "map": Text("mapowanie kolumn na zdarzenia, YAML", "the mapping of columns to events, YAML"),
    "errors": Text("plik CSV na odrzucone wiersze z powodami", "a CSV file for refused rows with their reasons"),
    "ready": Text("klucz gotowego mapowania; lista: cegla webhook ready", "key of a mapping that comes with the product; see cegla webhook ready"),
    "content_type": Text("nagłówek Content-Type żądania", "the request's Content-Type header"),
    "plan_file": Text("plan w YAML albo JSON", "a plan in YAML or JSON"),
    "fix_file": Text("naprawa w YAML (docs/reference/fixes.md)", "a fix in YAML (docs/reference/fixes.md)"),
    "old": Text("plik albo numer wersji", "a file, or the number of a version"),
    "new": Text("plik albo numer wersji", "a file, or the number of a version"),
    "days": Text("z ilu ostatnich dni", "of how many last days"),
    "events": Text("zdarzenia do sprawdzenia, jeden JSON w wierszu", "events to check, one JSON a line"),
    "event": Text("nazwa zdarzenia", "the event's name"),
    "number": Text("numer: importu albo zdarzenia w kwarantannie", "the number of an import, or of an event in quarantine"),
    "version": Text("numer wersji planu", "the number of a plan's version"),
    "where": Text(
        "tylko zdarzenia, dla których POLE=WARTOŚĆ (reason, source, event, text, since, until, state); można powtórzyć",
        "only events with FIELD=VALUE (reason, source, event, text, since, until, state); may be repeated",
    ),
    "everything": Text("wszystkie czekające zdarzenia", "all events that wait"),
    "why": Text("dlaczego; zapisuje się w dzienniku działań", "why; the audit log remembers it"),
    "event_id": Text("messageId, e12 (historia), q5 (kwarantanna) albo miejsce 3-17-0", "a messageId, e12 (history), q5 (quarantine) or a place, 3-17-0"),
    "data_sets": Text("zbiory do pobrania; żaden: wszystkie", "the sets to fetch; none: all of them"),
    "help": Text("pokaż tę pomoc", "show this help"),
}
