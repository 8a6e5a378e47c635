"""Every command, one row each: its words, its handler, what it does in both languages, and examples, which come first in `--help`.

`docs/reference/cli.md` is made from this table, and the words of options are explained once for all commands.
"""

from cegla.cli.commands import first, messages, people, sources
from cegla.vocabulary.text import Text

#: The command that a group means when its word is followed by none.
DEFAULTS = {"import": "file"}

GROUPS = {
    "import": Text("pliki: rozpoznanie, wczytanie, cofnięcie", "files: looking, importing, undoing"),
    "person": Text("osoby: co wiemy, wydanie i usunięcie danych", "people: what is known, giving out and erasing data"),
    "duplicates": Text("osoby, które są pewnie jedną", "people who are likely one"),
    "analyser": Text("analizatory: co wiadomo o ludziach i z czego", "analysers: what is known of people, and from what"),
    "identity": Text("kto jest kim: powiązania, ich cofanie, reguły", "who is who: links, undoing them, rules"),
    "account": Text("firmy i inne grupy: co o nich wiemy, kto do nich należy", "accounts: what is known of them, who belongs to them"),
    "trait": Text("cechy obliczane: definicje i ich wynik", "computed traits: definitions and what they give"),
    "segment": Text("segmenty: kto do nich należy i dlaczego", "segments: who is in them and why"),
    "letter": Text("listy: zapis, podgląd, próba, wersje", "letters: saving, preview, trial, versions"),
    "campaign": Text("kampanie: podgląd, próba na sucho, wysyłka", "campaigns: preview, dry run, sending"),
    "purpose": Text("cele: do czego wolno używać danych, jakimi słowami pytamy", "purposes: what data may be used for, by which words we ask"),
    "consent": Text("zgody: czy wolno było wysłać, z jakim dowodem", "consents: could we send it, with which proof"),
    "gateway": Text("bramki: którędy wychodzą SMS i e-mail od dostawcy", "gateways: what SMS, and e-mail by a provider, leave by"),
    "sms": Text("SMS: ile części i ile to kosztuje", "text messages: how many parts, and what they cost"),
    "deliverability": Text("dostarczalność: rekordy DNS, TLS, skargi i odbicia", "deliverability: DNS records, TLS, complaints and bounces"),
    "dkim": Text("klucze do podpisywania poczty i ich rekordy DNS", "keys for signing mail, and their DNS records"),
    "source": Text("źródła zdarzeń i ich klucze", "sources of events and their keys"),
    "portrait": Text("portrety klientów: ruchy, koszyki, upodobania, grupy", "portraits of customers: movements, baskets, affinities, groups"),
    "sync": Text("kto jeszcze dostaje zmiany segmentów", "who else is told of changes of segments"),
    "webhook": Text("webhooki: adres dla dostawcy i mapowanie na zdarzenia", "webhooks: an address for a provider and a mapping to events"),
    "plan": Text("plany: jakie zdarzenia ma przysyłać źródło", "tracking plans: which events a source should send"),
    "event": Text("zdarzenia i ich droga", "events and their way"),
    "warehouse": Text("hurtownia: czy historia jest cała, jak długo jest, na innym silniku", "the warehouse: is the history whole, how long is it kept"),
    "data": Text("dane o świecie: wersje, licencje, pobieranie", "data about the world: versions, licences, fetching"),
    "quarantine": Text("zdarzenia, których nie dało się użyć", "events that could not be used"),
}

COMMANDS = (*first.ROWS, *people.ROWS, *messages.ROWS, *sources.ROWS)
