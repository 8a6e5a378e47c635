"""Commands about messages: campaigns, what may be sent by which words, and what mail and texts leave by."""

from cegla.cli import campaigns, channels, consents, deliverability, dkim, letters
from cegla.cli.command import Command
from cegla.vocabulary.text import Text

ROWS = (
    Command("campaign", "list", campaigns.listed, Text("wypisz kampanie", "list campaigns"), ("cegla campaign list",)),
    Command(
        "campaign",
        "preview",
        campaigns.preview,
        Text("podgląd wiadomości dla osoby", "the message as one person would get it"),
        ("cegla campaign preview 1 p12", "cegla campaign preview 1 p12 --variant B"),
    ),
    Command(
        "campaign", "dry-run", campaigns.dry_run, Text("kto dostanie, kto nie i dlaczego", "who would get it, who not, and why"), ("cegla campaign dry-run 1",)
    ),
    Command("campaign", "send", campaigns.send, Text("wyślij kampanię", "send a campaign"), ("cegla campaign send 1", "cegla campaign send 1 --yes")),
    Command("campaign", "pause", campaigns.pause, Text("wstrzymaj kampanię", "pause a campaign"), ("cegla campaign pause 1",)),
    Command(
        "campaign", "resume", campaigns.resume, Text("wznów wstrzymaną kampanię", "go on with a paused campaign"),
        ("cegla campaign resume 1", "cegla campaign resume 1 --missed spread"),
    ),
    Command("campaign", "cancel", campaigns.cancel, Text("anuluj kampanię albo wyjmij z kalendarza", "call a campaign off"), ("cegla campaign cancel 1",)),
    Command(
        "campaign", "choose", campaigns.choose, Text("wybierz wariant dla reszty odbiorców", "choose the variant for the rest of the audience"),
        ("cegla campaign choose 1 B", "cegla campaign choose 1 none"),
    ),
    Command("campaign", "report", campaigns.report, Text("co z niej wyszło", "what came of it"), ("cegla campaign report 1",)),
    Command("letter", "list", letters.listed, Text("wypisz listy i wstawki", "list letters and snippets"), ("cegla letter list",)),
    Command("letter", "show", letters.show, Text("szkic listu jako YAML", "a letter's draft as YAML"), ("cegla letter show 3", "cegla letter show 3 --json")),
    Command(
        "letter", "save", letters.save, Text("zacznij list z pliku albo zmień szkic", "begin a letter from a file, or change its draft"),
        ("cegla letter save autumn.yaml --dry-run", "cegla letter save autumn.yaml"),
    ),
    Command(
        "letter", "preview", letters.preview, Text("list dla osoby albo z wartościami zapasowymi", "the letter for a person, or with every fallback"),
        ("cegla letter preview 3 p12", "cegla letter preview 3 --html"),
    ),
    Command("letter", "test", letters.test, Text("wyślij próbę do siebie", "send a trial to yourself"), ("cegla letter test 3 anna@example.pl",)),
    Command("letter", "publish", letters.publish, Text("zrób ze szkicu następną wersję", "make the draft the next version"), ("cegla letter publish 3",)),
    Command(
        "letter", "give", letters.give, Text("daj list kampanii, której jeszcze nie wysłano", "give the letter to a campaign not sent yet"),
        ("cegla letter give 3 1", "cegla letter give 3 1 --variant B"),
    ),
    Command("purpose", "list", consents.purposes, Text("wypisz cele", "list purposes"), ("cegla purpose list",)),
    Command("purpose", "show", consents.show, Text("pokaż cały rejestr", "show the whole register"), ("cegla purpose show",)),
    Command("purpose", "check", consents.check_file, Text("sprawdź plik z rejestrem", "check a register"), ("cegla purpose check register.yaml",)),
    Command(
        "purpose",
        "apply",
        consents.apply,
        Text("wprowadź rejestr jako nową wersję", "put a register in force as a new version"),
        ("cegla purpose apply register.yaml --dry-run", 'cegla purpose apply register.yaml --why "a loyalty club"'),
    ),
    Command(
        "consent",
        "ask",
        consents.ask,
        Text("czy wolno było wysłać to tej osobie, na jakiej podstawie", "could we send this to a person, and on what basis"),
        ("cegla consent ask p12", "cegla consent ask anna@example.pl --purpose marketing --channel sms --at 2026-11-02"),
    ),
    Command(
        "consent",
        "campaign",
        consents.campaign,
        Text("to samo dla każdej osoby z kampanii", "the same for everybody of a campaign"),
        ("cegla consent campaign 3", "cegla consent campaign 3 --output basis.csv"),
    ),
    Command("consent", "receipt", consents.receipt, Text("pokaż pełny zapis zgody", "show one consent record in full"), ("cegla consent receipt 118",)),
    Command("consent", "check", consents.check, Text("sprawdź, czy księga zgód jest cała", "check whether the ledger is whole"), ("cegla consent check",)),
    Command("gateway", "list", channels.listed, Text("wypisz bramki i dostawców", "list gateways and providers"), ("cegla gateway list",)),
    Command(
        "gateway",
        "set",
        channels.set_up,
        Text("ustaw bramkę kanału", "put a gateway at work for its channel"),
        ("cegla gateway set sms smsapi sender=Sklep price=0.09 key-from=SMSAPI_TOKEN", "cegla gateway set email postmark key-from=POSTMARK_TOKEN"),
    ),
    Command("gateway", "drop", channels.drop, Text("usuń bramkę", "forget a gateway"), ("cegla gateway drop sms",)),
    Command(
        "sms",
        "measure",
        channels.measure,
        Text("policz części i cenę SMS", "count the parts and the price of a text message"),
        ("cegla sms measure 'Rabat 20% do piątku'",),
    ),
    Command(
        "deliverability",
        "look",
        deliverability.look,
        Text("sprawdź SPF, DKIM, DMARC, PTR i TLS", "look at SPF, DKIM, DMARC, PTR and TLS"),
        ("cegla deliverability look", "cegla deliverability look --json"),
    ),
    Command(
        "deliverability",
        "rates",
        deliverability.rates,
        Text("pokaż skargi i odbicia obok granic", "show complaints and bounces beside their limits"),
        ("cegla deliverability rates",),
    ),
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
)
