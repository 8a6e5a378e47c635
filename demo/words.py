"""What the demonstration says, in Polish and English."""

from cegla.vocabulary.text import Text

STARTED = Text(
    "Instalacja działa: PostgreSQL, dwa kolektory, aplikacja i serwer poczty",
    "The installation runs: PostgreSQL, two collectors, the app and a mail server"
)
IMPORTING = Text("Import historii Online Retail", "Importing the Online Retail history")
IMPORTED = Text(
    "{file}: {rows} wierszy, odrzuconych {errors}; {events} zdarzeń o sumie {total}, co do pensa jak w pliku",
    "{file}: {rows} rows, {errors} refused; {events} events worth {total}, the file's sum to the penny",
)
SENDING = Text("Wysyłanie historii sklepu do kolektora", "Sending the shop's history to the collector")
SENT = Text(
    "Sklep Gliniane Podwórko ({people} osób, 8 tygodni): {events} zdarzeń w {requests} żądaniach, ponowień {retries}",
    "The shop Gliniane Podwórko ({people} people, 8 weeks): {events} events in {requests} requests, {retries} retried",
)
TAKING_IN = Text("Przyjmowanie do profili", "Taking in")
TAKEN_IN = Text(
    "Osób: {people}. Zdarzenia: przyjęte {accepted} = w historii {applied} + powtórzone {repeated} + w kwarantannie {quarantined} + czekają {waiting}: {whole}",
    "People: {people}. Events: accepted {accepted} = in history {applied} + repeated {repeated} + in quarantine {quarantined} + waiting {waiting}: {whole}",
)
WHOLE = Text("bilans się zgadza", "it adds up")
NOT_WHOLE = Text("BILANS SIĘ NIE ZGADZA", "IT DOES NOT ADD UP")
SCORED = Text(
    "Prawda symulatora: u {right} z {of} sprawdzonych osób liczba zamówień jest dokładna",
    "The simulator's truth: {right} of {of} people checked have exactly their true number of orders",
)
ANALYSING = Text("Analizatory czytają historię", "The analysers read the history")
ANALYSED = Text(
    "Analizatory (włączone {on} z {of}): {people} osób; urządzenie znane u {device}, miejsce u {place}, pora dnia u {rhythm}",
    "Analysers ({on} of {of} on): {people} people; the device of {device} is known, the place of {place}, the time of day of {rhythm}",
)
BUYERS_NAME = Text("Kupili w ostatnich 60 dniach", "Bought in the last 60 days")
SEGMENTED = Text("Segmentów: {segments}, w tym grupy RFM; „{name}”: {members} osób", "{segments} segments, with the RFM groups; “{name}”: {members} people")
CAMPAIGN_SENT = Text(
    "Kampania ({state}): z {members} osób {reachable} może dostać list; pozostali: {reasons}; w lokalnej skrzynce {messages} listów",
    "Campaign ({state}): {reachable} of {members} people may get it; the others: {reasons}; {messages} messages in the local mailbox",
)
ANSWERED = Text(
    "Odpowiedzi: link otwarto jako {clicked} i {opened} razy jako ktoś, kto nie zgodził się na pomiar; wypisano {left}",
    "Answers: a link was opened as {clicked}, and {opened} times as somebody who did not agree to being measured; {left} unsubscribed",
)
CLICKS = Text(
    "Kliknięcia niczyje: {clicks}, w {links} linku/linkach raportu kampanii {campaign}; wiadomo ile, nie wiadomo czyje",
    "Clicks that are nobody's: {clicks}, on {links} link(s) of the report of campaign {campaign}; how many is known, and whose is not",
)
LIVE = Text(
    "Ruch na żywo: {events} zdarzeń w {seconds} s, profil najwyżej {lag} s za zdarzeniem",
    "Live traffic: {events} events in {seconds} s, profiles at most {lag} s behind",
)

READY = Text("Gotowe po {seconds} s", "Ready after {seconds} s")
LOGIN = Text("login: admin   hasło: [bold]{password}[/bold]", "name: admin   password: [bold]{password}[/bold]")
OLD_LOGIN = Text("login: admin, hasło z pierwszego uruchomienia", "name: admin, the password of the first run")
FIVE = Text("Pięć rzeczy do wypróbowania:", "Five things to try:")
TRY = (
    Text(
        "Osoby: wyszukaj {email} i zobacz, skąd wiadomo każdą rzecz  ({url}/people)",
        "People: search {email} and see how each thing is known  ({url}/people)",
    ),
    Text(
        "Segmenty: zbuduj własny i patrz na licznik na żywo  ({url}/segments)",
        "Segments: build one of your own and watch the live count  ({url}/segments)",
    ),
    Text(
        "Kampania {campaign}: kto nie dostał listu i dlaczego  ({url}/campaigns)",
        "Campaign {campaign}: who did not get the message, and why  ({url}/campaigns)",
    ),
    Text(
        "Skrzynka demo: otwórz list, kliknij link i po kilkunastu sekundach zobacz go w raporcie kampanii  ({url}/mailbox)",
        "Demo mailbox: open a message, click a link, and some ten seconds later see it in the campaign's report  ({url}/mailbox)",
    ),
    Text("Wyślij własne zdarzenie:  {command}", "Send an event of your own:  {command}"),
)
SEND_COMMAND = "curl -u {key}: {collector}/v1/track -d '{event}'"
OWN_EVENT = '{"event":"Hello","anonymousId":"me","context":{"consent":{"categoryPreferences":{"analytics":true}}}}'
TRICKLING = Text("Sklep działa dalej; koniec: Ctrl+C", "The shop goes on; stop with Ctrl+C")
ENDED = Text("Zatrzymano. Dane zostały w {data_dir}", "Stopped. The data stays in {data_dir}")
