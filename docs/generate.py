"""Writes docs/reference from the rows of the code, so that a page cannot say what the code does not do.

`make docs` writes the pages; the tests compare them.
"""

import dataclasses
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from cegla.activate import templating
from cegla.activate.rules.content import ROOTS
from cegla.activate.rules.filters import EXAMPLE_DATA, FILTERS
from cegla.api import message_shapes, metrics, shapes
from cegla.api.routes import ROUTES
from cegla.cli.commands import COMMANDS
from cegla.cli.main import command_tree
from cegla.collect import actions as collect
from cegla.collect import answers
from cegla.collect.rules import decode, door, limits, signatures, webhooks
from cegla.collect.rules import website as site
from cegla.collect.rules.columns import PROBLEMS
from cegla.collect.rules.mapping import ColumnForm, FileForm, IdsForm, Mapping, WhenForm
from cegla.compose import actions as compose
from cegla.govern import actions as govern
from cegla.govern.rules.purposes import Controller, Country, Notice, Purpose
from cegla.govern.rules.register_document import CONTROLLER_FIELDS, COUNTRY_FIELDS, NOTICE_FIELDS, PURPOSE_FIELDS
from cegla.http import protocol as http
from cegla.plan.rules.form import MODES, PERSONAL, Plan, PlannedEvent, Property, Words
from cegla.plan.rules.validator import VIOLATIONS
from cegla.profile import actions as profile
from cegla.profile.catalogue import ANALYSERS
from cegla.profile.rules.analysis import Analyser
from cegla.repair.rules.fix import CastForm, MoveForm, SetForm, StepForm, ValuesForm
from cegla.repair.rules.returning import OBSTACLES
from cegla.resolve import actions as resolve
from cegla.segment import actions as segment
from cegla.storage.engines.rows import ENGINES
from cegla.storage.settings import Section, Settings
from cegla.storage.warehouse import MOVES
from cegla.vocabulary import errors, events, identifier_rules

REFERENCE = Path(__file__).parent / "reference"
MADE = "<!-- Made by `make docs` from the rows of the code; change those. -->"
EXIT_CODES = (
    (0, "well"),
    (1, "failed"),
    (2, "wrong usage"),
    (3, "invalid data"),
    (4, "not found"),
    (5, "refused by consent, policy or permission"),
    (6, "busy or away for now"),
    (130, "interrupted"),
)


RULE_FIELDS = {
    "phone_region": "country of phone numbers written without one, ISO 3166-1",
    "plus_addressing": "`drop`: anna+shop@example.pl is anna@example.pl",
    "gmail_dots": "`drop`: a.nna@gmail.com is anna@gmail.com",
    "blocked": "patterns of values that are no identifiers of any type",
    "most_merges": "of one person: joins of two people who each held two identifiers or more",
    "most_identifiers": "of one person, all types together",
}
TYPE_FIELDS = {
    "priority": "1 decides first; a refused join drops the identifier with the greatest number",
    "limit": "how many values of this type one person may hold, or may gain within the window",
    "window": "`ever`, `yearly` (365 days), `monthly` (30) or `weekly` (7), counted back from the event; a value that came exactly one window ago is outside",
    "unique": "two people who each hold a value of this type are never joined",
    "personal": "names a human directly, so the value never leaves PostgreSQL",
    "blocked": "patterns of values that are no identifiers of this type",
    "found_in": "fields that carry it: `traits.NAME`, `properties.NAME` (secret keys only), `context.traits.NAME`; `context.externalIds` always do",
}
LINK_RULES = {
    "same": "one mailbox by the rules, such as a plus address",
    "alias": "an alias call; with a secret key it joins two users",
    "stated": "an identify call, or `context.traits`, gave both",
    "seen": "one event carried both",
}


def page(title: str, intro: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", MADE, intro, *(part for part in parts if part)]) + "\n"


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    return "\n".join(lines + [f"| {' | '.join(cell(value) for value in row)} |" for row in rows])


def cell(value: Any) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")


def code(value: Any) -> str:
    return f"`{value}`" if str(value) else ""


def errors_page() -> str:
    rows = sorted({row for row in _descendants(errors.CeglaError) if "code" in vars(row)} | {errors.CeglaError}, key=lambda row: row.code)
    listed = table(
        ["Code", "What happened", "Co się stało", "What to do", "HTTP", "Exit"],
        ([f'<a id="{row.code}"></a>{row.code}', row.what.en, row.what.pl, row.todo.en, row.status, row.exit_code] for row in rows),
    )
    intro = """Every refusal is one object, the same in API, command line and console: what happened, where, the value seen and what to do.
The API answers RFC 9457 problem details with `code`, `where`, `seen`, `todo` and `exit_code`; `Accept-Language: pl` gives them in Polish."""
    return page("Errors", intro, listed)


def engines_page() -> str:
    listed = table(
        ["Engine", "Address", "To know", "Expressions that answer otherwise than on DuckDB"],
        (
            [
                one.label,
                code(one.example),
                "; ".join(limit.en for limit in one.limits),
                "; ".join(f"{key}: {why.en}" for key, why in one.gaps.items()) or "none",
            ]
            for one in ENGINES.values()
        ),
    )
    intro = """An installation keeps its history in a DuckDB file unless the setting `warehouse` names another engine's address. `cegla warehouse move URL`
copies it there and back ([how](../how-to/move-the-history.md)). The tests ask ClickHouse's engine (chDB) what they ask DuckDB; `make test-engines` asks it once
more over the wire, by ClickHouse's own client, and asks Spark. `python -m bench engines` times twenty segments on each."""
    return page("Engines", intro, listed)


def settings_page() -> str:
    intro = """A YAML file named by `CEGLA_CONFIG`, or `cegla.yaml` in the working directory, and environment variables over it. Every
setting has a default that works as it is; a name that is not listed here is refused."""
    parts: list[str] = []
    for name, section in [("", Settings), *((name, field.annotation) for name, field in Settings.model_fields.items() if _is_section(field.annotation))]:
        fields = [(key, field) for key, field in section.model_fields.items() if not _is_section(field.annotation)]
        rows = ([code(_setting(name, key)), code(_variable(name, key)), code(_default(field)), field.description] for key, field in fields)
        parts.append((f"## {name}\n\n" if name else "") + table(["Setting", "Variable", "Default", "Meaning"], rows))
    return page("Settings", intro, *parts)


def events_page() -> str:
    kinds = {
        "identify": "who somebody is: `userId`, `traits`",
        "track": "something happened: `event`, `properties`",
        "page": "a page was viewed",
        "screen": "a screen of an app was viewed",
        "group": "somebody belongs to an account: `groupId`",
        "alias": "two ids are one person: `previousId`, `userId`",
    }
    types = (
        [code(row.key), row.priority, row.limit, "yes" if row.unique else "", "yes" if row.personal else ""] for row in identifier_rules.DEFAULT_RULES.types
    )
    return page(
        "Events",
        "Cegla takes the six calls of the common tracking contract, alone or in a `batch`, by write key. Times are ISO 8601. What the script for websites\n"
        "sends by itself is listed in [its own reference](website.md).",
        table(["Call", "Says"], ([code(kind), kinds[kind]] for kind in events.KINDS)),
        "## Identifiers\n\nSmaller priority decides first. Two people who each hold a value of a unique type are never joined.",
        table(["Type", "Priority", "Values per person", "Unique", "Personal"], types),
        "## Why an event is set aside\n\nThe list is closed. Such an event lies in quarantine with its reason and can be replayed.",
        table(["Reason", "Meaning", "Znaczenie"], ([code(reason.value), events.REASONS[reason].en, events.REASONS[reason].pl] for reason in events.Reason)),
    )


def identity_page() -> str:
    intro = """What a document of identity rules may say: only what differs from the defaults. How to change them: [change identity
rules](../how-to/change-identity-rules.md). Patterns are plain: `*` is any run of characters, `?` is one; capitals do not matter."""
    rules = identifier_rules.DEFAULT_RULES
    fields = ([code(key), code(_in_words(getattr(rules, key))), meaning] for key, meaning in RULE_FIELDS.items())
    of_types = ([code(key), code(_in_words(getattr(rules.other, key))), meaning] for key, meaning in TYPE_FIELDS.items())
    types = (
        [code(row.key), row.priority, row.limit, row.window, "yes" if row.unique else "", "yes" if row.personal else ""] for row in (*rules.types, rules.other)
    )
    return page(
        "Identity rules",
        intro,
        table(["Field", "Default", "Meaning"], fields),
        "## types.*\n\n" + table(["Field", "Default of a new type", "Meaning"], of_types),
        "## Types as they come\n\nSmaller priority decides first.\n\n"
        + table(["Type", "Priority", "Values per person", "Window", "Unique", "Personal"], types),
        "## What links two identifiers\n\n" + table(["Rule", "Meaning"], ([code(key), meaning] for key, meaning in LINK_RULES.items())),
        "## Why a link is refused\n\nThe list is closed. The event finds its person all the same.\n\n"
        + table(["Reason", "Meaning", "Znaczenie"], ([code(key), text.en, text.pl] for key, text in resolve.links.WARNINGS.items())),
        "## The log of merges in the warehouse\n\nTable `moves`, one row for each identity that changed its person; numbers and times only.\n\n"
        + table(["Column", "Type"], ([code(column.name), str(column.type)] for column in MOVES)),
    )


def purposes_page() -> str:
    intro = """The register of purposes as one document: `cegla purpose show` prints it, `cegla purpose apply` puts one in force as a new version. How to:
[manage purposes and consents](../how-to/manage-consents.md). Why it works so: [may we?](../explanation/consent.md)"""
    parts = (
        ("purposes.*", Purpose, PURPOSE_FIELDS, "key"), ("countries.*", Country, COUNTRY_FIELDS, "code"),
        ("notices", Notice, NOTICE_FIELDS, ""), ("controller", Controller, CONTROLLER_FIELDS, ""),
    )  # fmt: skip
    tables = (
        f"## {title}\n\n" + table(["Field", "Meaning"], ([code(one.name), told[one.name]] for one in dataclasses.fields(kind) if one.name != key))
        for title, kind, told, key in parts
    )
    methods = ([code(key), text.en, text.pl, kind] for key, (text, kind) in govern.METHODS.items())
    return page(
        "Purposes and consents", intro, *tables,
        "`default_country` names the rule that holds where a person's country is not known.",
        "## What ships\n\n```yaml\n" + govern.register.text_of(govern.SHIPPED) + "```",
        "## How a decision was made\n\n" + table(["Method", "Meaning", "Znaczenie", "event_type"], methods),
    )  # fmt: skip


def cli_page() -> str:
    tree = command_tree("en")
    parts = ["## Exit codes", table(["Code", "Meaning"], EXIT_CODES)]
    for row in COMMANDS:
        group = tree.commands[row.group] if row.group else tree
        parameters = [one for one in group.commands[row.name].params if one.name != "help"]
        examples = "\n".join(row.examples)
        options = table(
            ["Word", "Meaning"], ([code(", ".join(one.opts) if one.param_type_name == "option" else one.name.upper()), one.help] for one in parameters)
        )
        parts.append(f"## {row.words}\n\n{row.what.en[0].upper()}{row.what.en[1:]}. *{row.what.pl[0].upper()}{row.what.pl[1:]}.*\n\n```sh\n{examples}\n```")
        if parameters:
            parts.append(options)
    intro = """`cegla` is a client of the API: of the running installation, or of one it starts for a moment. Data go to standard output, words
and progress to standard error; `--json` makes the answer one JSON value. The language follows `CEGLA_LANGUAGE`, then the terminal."""
    return page("Command line", intro, *parts)


def api_page() -> str:
    intro = """All paths begin with `/api/v1`; `/api/v1/openapi.json` describes them to programs. Send `Authorization: Bearer KEY` with a source's
secret key (reads, masked), or the token in `run/app.json` of the data directory (everything); the console's session works too."""
    roles = list(govern.ROLES.values())
    matrix = ([code(key), text.en, *("yes" if key in role.permissions else "" for role in roles)] for key, text in govern.PERMISSIONS.items())
    named = (vars(shapes) | vars(message_shapes)).values()
    bodies = [one for one in named if isinstance(one, type) and issubclass(one, shapes.Shape) and one is not shapes.Shape]
    return page(
        "API",
        intro,
        table(["Route", "Needs", "Does"], ([code(f"{route.method} {route.path}"), code(route.permission) or "nothing", route.summary] for route in ROUTES)),
        "## Bodies\n\nUnknown fields are refused.",
        *(_body(one) for one in sorted(bodies, key=lambda one: one.__name__)),
        "## Roles",
        table(["Permission", "Allows to", *(role.label.en for role in roles)], matrix),
    )


def segments_page() -> str:
    intro = """A rule is a tree: `{"all": [...]}`, `{"any": [...]}`, `{"not": ...}` over leaves, each with its operator in `op`. The same JSON
works in console, API and command line. Days are counted back from now."""
    listed = table(
        ["Operator", "Meaning", "Znaczenie", "Sentence", "Zdanie", "Parameters", "Example"],
        (
            [code(row.key), row.label.en, row.label.pl, row.sentence.en, row.sentence.pl, _parameters(row), code(json.dumps(row.example, ensure_ascii=False))]
            for row in segment.OPERATORS.values()
        ),
    )
    return page("Segments", intro, listed)


SCHEDULES = {"on_event": "right after an event, and at night", "hourly": "every hour, of whom there is news", "nightly": "every night"}
LOOKS_AT = {
    "nothing": "the events themselves", "anything": "`property`, `field`, or neither: then the moment", "amount": "`property` (a number) or `field: value`",
    "text": "`property` or `field`",
}  # fmt: skip
DEFINITIONS = """What somebody defines in a file (`cegla trait apply`) or in the console under *Traits*. The file has a field
`traits`: a name and its fields each; and, if wanted, `ranking`: names of sources, the most credible first (`cegla trait ranking`).

| Field | |
|---|---|
| `label` | `{pl: …, en: …}`; without it the name |
| `compute` | one of the calculations below |
| `event`, `where` | which events; `where` is a list of the conditions that segments have (`{property: color, is: red}`) |
| `property` or `field` | what to look at in an event: a property of its own, or one of the fields that segments know |
| `days` | the window, back from now, in days of 24 hours; without it all of history |
| `per` | of a ratio: the `event` (and `where`) to divide by |
| `purpose` | a purpose of the register; `analytics` without it. People who objected to profiling have no value that serves profiling or marketing |
| `retention_days` | the value is forgotten this long after the newest event it rests on |
| `on_site` | `true`: a page's own script may read it (see [the profile API](../how-to/read-profiles.md)) |

Values follow each batch within seconds, and time alone within a minute. Segments know a trait as `computed.NAME`, messages as
`{{ person.NAME }}`. An amount is in micros of a unit; messages also know it in units."""


def traits_page() -> str:
    intro = """What Cegla works out about a person. Every trait comes with its confidence, the evidence it rests on, the method and its version,
the time it was computed and the purpose it may be used for."""
    calculations = table(
        ["`compute`", "Meaning", "Znaczenie", "Looks at", "Value", "Example"],
        (
            [code(row.key), row.label.en, row.label.pl, LOOKS_AT[row.wants], row.kind or "as what it looks at", code(json.dumps(dict(row.example)))]
            for row in segment.computed.WAYS
        ),
    )
    listed = table(
        ["Trait", "Label", "Nazwa", "Type", "Purpose", "Method", "Least evidence"],
        ([code(row.key), row.label.en, row.label.pl, row.value_type, row.purpose, code(row.method), row.min_evidence] for row in profile.TRAITS),
    )
    return page("Traits", intro, listed, "## Computed traits", DEFINITIONS, calculations)


def analysers_page() -> str:
    intro = """What works out what is known of a person. Each row is one file of `cegla/profile/analysers/`; sensitive ones are off until somebody
sets a purpose. Robots, datacentres and what machines opened are left out, people known to be under 16 are not looked at, and nothing that reveals a
special category (GDPR art. 9) is ever written. How to add one: [write an analyser](../how-to/write-an-analyser.md)."""
    return page("Analysers", intro, *(_analyser(row) for row in ANALYSERS))


def _analyser(row: Analyser) -> str:
    facts = [
        ("Answers", row.promise.en), ("Odpowiada", row.promise.pl), ("How", row.method.en), ("Jak", row.method.pl), ("Runs", SCHEDULES[row.schedule]),
        ("Purpose", row.purpose + ("" if row.on_by_default else ", off until somebody sets one")), ("Legal class", row.legal_class),
        ("Method", row.method_version),
        ("Half-life", f"{row.half_life_days:g} days" if row.half_life_days else "none"), ("Least evidence", row.min_evidence),
        ("Learns from the own base", "every night" if row.fit else "no"), ("Reference data", row.data or "none"), ("Sees", ", ".join(map(code, row.inputs))),
    ]  # fmt: skip
    traits = table(
        ["Trait", "Label", "Nazwa", "Type", "Least evidence", "Why"],
        ([code(one.key), one.label.en, one.label.pl, one.value_type, row.least(one), code(one.sentence.en)] for one in row.traits),
    )
    return f"## {row.label.en} / {row.label.pl}\n\n{table(['', code(row.key)], facts)}\n\n{traits}"


def imports_page() -> str:
    intro = """What a mapping of `cegla import` may say. Text with `{column}` in it is a template: a lone column keeps its type, and a template
with an empty column is empty. Text without braces, numbers and booleans are constants. How to write one: [import a file](../how-to/import-a-file.md)."""
    forms = (("", Mapping), ("file", FileForm), ("columns.*", ColumnForm), ("ids", IdsForm), ("when.*", WhenForm))
    parts = [(f"## {name}\n\n" if name else "") + table(["Field", "Required", "Default", "Meaning"], _form_fields(form)) for name, form in forms]
    problems = table(["Problem", "What it means", "Co to znaczy"], ([code(key), text.en, text.pl] for key, text in PROBLEMS.items()))
    return page("Import mappings", intro, *parts, f"## Why a row was not used\n\n{problems}")


def fixes_page() -> str:
    intro = """What a fix of quarantined events may say: a list of `steps`, each with exactly one of the words below. A path names fields from
the top of the event with dots between them; `[]` means every element of a list, and a name with a dot in it is written in double quotes.
`messageId`, `writeKey` and consents cannot be changed. How to use one: [repair quarantined events](../how-to/repair-quarantined-events.md)."""
    forms = (("A step", StepForm), ("move", MoveForm), ("set", SetForm), ("cast", CastForm), ("values", ValuesForm))
    parts = [f"## {name}\n\n{form.__doc__}\n\n" + table(["Field", "Required", "Default", "Meaning"], _form_fields(form)) for name, form in forms]
    rows = ([code(key.value), text.en, text.pl] for key, text in OBSTACLES.items())
    obstacles = table(["Obstacle", "Why the event stays", "Dlaczego zdarzenie zostaje"], rows)
    return page("Fixes", intro, *parts, f"## What cannot come back\n\n{obstacles}")


def website_page() -> str:
    intro = """One line installs it: `<script async src="https://HOST/c.js" data-key="wk_..."></script>`. How to use it: [connect a
website](../how-to/connect-a-website.md). Before consent it stores nothing, reads nothing of the device and sends no identifier."""
    events: list[str] = []
    for row in site.EVENTS:
        events.append(f"### {row.name}\n\n{row.when[0].upper()}{row.when[1:]}.")
        if row.properties:
            events.append(table(["Property", "Meaning"], ([code(key), what] for key, what in row.properties)))
    return page(
        "The script for websites",
        intro,
        table(["Attribute", "Default", "Meaning"], ([code(f"data-{row.name}"), code(row.default), row.what] for row in site.OPTIONS)),
        "## Calls\n\n`cegla('name', ...)`, before or after the script is there.",
        table(["Call", "Arguments", "Does"], ([code(row.name), row.arguments, row.what] for row in site.CALLS)),
        "## What it tells by itself\n\nAbsent facts are left out.",
        *events,
        "## In the context of each event",
        table(["Field", "Meaning"], ([code(key), what] for key, what in site.CONTEXT)),
    )


def webhooks_page() -> str:
    intro = """A provider posts to `/v1/webhooks/TOKEN` on the collector. The request is kept as received and answered after the commit; intake
maps it to events. Text with `{path}` in it is a template; a path is names joined by dots (`data.items.0.sku`), `meta[key=vat].value`
picks from a list, and `$headers.x-topic`, `$query.id`, `$body.total` look beside the item. How to: [connect a webhook](../how-to/connect-a-webhook.md)."""
    forms = (("", webhooks.WebhookMapping), ("rules", webhooks.Rule), ("a value with more than a template", webhooks.Taken),
             ("a list of objects", webhooks.Lines), ("a condition", webhooks.Condition))  # fmt: skip
    parts = [(f"## {name}\n\n" if name else "") + table(["Field", "Required", "Default", "Meaning"], _form_fields(form)) for name, form in forms]
    schemes = ([code(row.key), row.label.en, row.label.pl, code(row.header), code(row.signed) if row.kind in ("hmac", "sha1", "public_key") else "",
                f"{row.tolerance_seconds} s" if row.tolerance_seconds else "", row.secret.en] for row in signatures.SCHEMES.values())  # fmt: skip
    ready = ([code(row.key), row.label.en, row.about.en, code(row.scheme), f"[documentation]({row.documentation})"] for row in collect.ready_made().values())
    return page(
        "Webhooks", intro, *parts,
        "## What `as` makes\n\n" + table(["as", "Meaning", "Znaczenie"], ([code(key), text.en, text.pl] for key, text in webhooks.CASTS.items())),
        "## Signatures\n\nEmpty header: the shop says which.\n\n"
        + table(["Scheme", "Signature", "Podpis", "Header", "Signed", "Window", "Secret"], schemes),
        "## Ready mappings\n\n" + table(["Key", "For", "About", "Scheme", "Shape"], ready),
    )  # fmt: skip


def collector_page() -> str:
    intro = """What the collector takes and answers: the calls of Segment's and RudderStack's SDKs, changed in their host only. How to:
[connect an SDK you have](../how-to/connect-an-sdk.md), [connect a website](../how-to/connect-a-website.md)."""
    paths = ([code(row.method), code(row.path), row.does.value, code(row.call or ""), row.callers] for row in door.PATHS)
    own = [[code(row.key), row.label.en, row.label.pl, f"{row.most:,}", row.beyond.en] for row in limits.LIMITS]
    fixed = [
        ("headers of a request", f"{http.LARGEST_HEAD_BYTES:,} bytes", "431"),
        ("time from the first byte of a request to its last", f"{http.RECEIVING_SECONDS:.0f} s", "408"),
        ("a connection without a request", f"{http.IDLE_SECONDS:.0f} s", "the connection is closed"),
        ("connections of one process", f"{http.MOST_CONNECTIONS:,}", "503"),
        ("bodies in one process that are not answered yet", f"{http.MOST_HELD_BYTES:,} bytes", "429"),
        ("nesting of an event", f"{decode.DEEPEST} levels", "quarantine"),
        ("properties or traits of an event", decode.MOST_FIELDS, "quarantine"),
        ("messageId", f"{decode.LONGEST_MESSAGE_ID} characters", "quarantine"),
    ]
    said = ([one.status, code(one.body.decode()) if one.body[:1] == b"{" else "", one.retry_after_seconds or "", one.when] for one in answers.ANSWERS)
    return page(
        "The collector", intro,
        "A slash more at the end or between does not matter, the Content-Type neither; nothing is ever redirected. The script of Segment's snippet "
        "(`/analytics.js/v1/.../analytics.min.js`) is not served and gets 404: load it from where it is now, or use [our own](website.md).",
        table(["Method", "Path", "Does", "Call", "Asked by"], paths),
        "## The key\n\nThe first that is there: `Authorization: Basic` with the key, with or without the colon after it, in Base64; `writeKey` in the body; "
        "`?writeKey=`. The secret key goes into `Authorization` and marks events as trusted: they may join two people (`alias` of two users, `merge`). "
        "A replaced key works until `cegla source revoke-keys`.",
        "## Headers\n\n`Content-Encoding: gzip` (also found without being said), `Sec-GPC`, `User-Agent`, `traceparent` (W3C Trace Context: "
        "[Follow a trace](../how-to/monitor.md)), and `X-Forwarded-For` and `X-Forwarded-Proto` "
        "of a proxy on the same machine or named in `collector.trusted_proxies` ([Run behind a reverse proxy](../how-to/run-behind-a-proxy.md)). "
        "Browsers may send `Authorization`, `X-Retry-Count` and what else an SDK is told to; they may read `Retry-After` "
        "and `X-RateLimit-Reset`. A source with origins of its own takes browsers' requests from those only.",
        "## Limits of a source\n\nSet for all in [settings](settings.md), for one by `cegla source change`.",
        table(["Limit", "Meaning", "Znaczenie", "At most", "Beyond it"], own),
        "## Limits of every collector",
        table(["What", "At most", "Beyond it"], fixed),
        "## Answers\n\nAn event that is wrong inside a good request never gets a refusal: it goes to quarantine alone, with a "
        "[reason](events.md).",
        table(["Status", "Body", "Retry-After, s", "When"], said),
    )  # fmt: skip


def metrics_page() -> str:
    intro = """What `/api/v1/metrics` says, in Prometheus text. How to watch them: [monitor](../how-to/monitor.md)."""
    rows = ([code(row.name), row.kind, ", ".join(map(code, row.labels)), row.about.en, row.about.pl] for row in metrics.METRICS.values())
    return page("Metrics", intro, table(["Metric", "Kind", "Labels", "Meaning", "Znaczenie"], rows))


def plans_page() -> str:
    intro = """What a tracking plan may say, in YAML or JSON. Unknown fields are refused. A JSON Schema of one event (with `$schema`) is read as
a plan, too. How to write one: [write a tracking plan](../how-to/write-a-tracking-plan.md)."""
    forms = (("", Plan), ("events[]", PlannedEvent), ("events[].properties.*", Property), ("label, about", Words))
    parts = [(f"## {name}\n\n" if name else "") + table(["Field", "Required", "Default", "Meaning"], _form_fields(form)) for name, form in forms]
    words = [(f"## {title}\n\n{said}", header, rows) for title, said, header, rows in (
        ("Modes", "What happens to an event that is not as planned. The nearest word decides: of the event, else of the plan.", "Mode", MODES),
        ("Classes of personal data", "The last four stay out of the warehouse; their values are kept apart for 90 days.", "Class", PERSONAL),
        ("What is not as planned", "The list is closed; each is counted by source, event and property.", "Kind", VIOLATIONS),
    )]  # fmt: skip
    tables = [
        said + "\n\n" + table([header, "Meaning", "Znaczenie"], ([code(key.value), text.en, text.pl] for key, text in rows.items()))
        for said, header, rows in words
    ]
    return page("Tracking plans", intro, *parts, *tables)


def liquid_page() -> str:
    intro = """What a letter's text and MJML may say between `{{ }}` and `{% %}`: Liquid as Ruby's has it, with limits. How to write one:
[write a letter](../how-to/write-a-letter.md). A template runs in a process of its own that may use 256 MB and half a second a message; loops, nesting,
includes and output are bounded. `safe` does not exist: values are escaped in HTML."""
    plain = templating.environment(escape=False)
    filters = ([code(row.name), row.does.en, row.does.pl, code(row.example), code(_rendered(plain, row.example))] for row in FILTERS)
    roots = ([code(name), text.en, text.pl] for name, text in ROOTS.items())
    blocks = ([row.label.en, row.label.pl, row.about.en, ", ".join(field.label.en for field in row.fields)] for row in compose.BLOCKS.values())
    conditions = ([row.label.en, row.label.pl, row.hint.en] for row in compose.CONDITIONS.values())
    limits = [
        ("rounds of all loops", templating.LimitedEnvironment.loop_iteration_limit),
        ("blocks within one another", templating.LimitedEnvironment.block_nesting_limit),
        ("includes within one another", templating.LimitedEnvironment.context_depth_limit), ("bytes of output", templating.OUTPUT_BYTES),
        ("items of a list given to a filter", templating.LONGEST_SEQUENCE), ("bytes of memory", templating.MEMORY),
    ]  # fmt: skip
    return page("Liquid and blocks", intro, "## What may be read\n\n" + table(["Root", "Meaning", "Znaczenie"], roots),
        "## Filters\n\n" + table(["Filter", "Does", "Co robi", "Example", "Result"], filters), "## Limits\n\n" + table(["Of", "At most"], limits),
        "## Blocks\n\n" + table(["Block", "Blok", "What for", "Fields"], blocks),
        "## Who sees a block\n\n" + table(["Condition", "Warunek", "Holds for"], conditions))  # fmt: skip


def _rendered(plain: templating.LimitedEnvironment, example: str) -> str:
    return plain.from_string(example).render(**EXAMPLE_DATA)


PAGES: dict[str, Callable[[], str]] = {
    "analysers.md": analysers_page,
    "api.md": api_page,
    "cli.md": cli_page,
    "engines.md": engines_page,
    "errors.md": errors_page,
    "events.md": events_page,
    "fixes.md": fixes_page,
    "identity.md": identity_page,
    "imports.md": imports_page,
    "liquid.md": liquid_page,
    "metrics.md": metrics_page,
    "purposes.md": purposes_page,
    "segments.md": segments_page,
    "settings.md": settings_page,
    "tracking-plans.md": plans_page,
    "traits.md": traits_page,
    "website.md": website_page,
    "collector.md": collector_page,
    "webhooks.md": webhooks_page,
}


def _form_fields(form: type[BaseModel]) -> Iterable[Sequence[Any]]:
    for key, field in form.model_fields.items():
        default = "" if field.is_required() or field.default_factory or field.default in (None, "", ()) else code(field.default)
        yield [code(field.alias or key), "yes" if field.is_required() else "", default, field.description]


def _descendants(kind: type[errors.CeglaError]) -> Iterable[type[errors.CeglaError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _descendants(child)


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Section)


def _setting(section: str, key: str) -> str:
    return f"{section}.{key}" if section else key


def _variable(section: str, key: str) -> str:
    return "_".join(filter(None, ["CEGLA", section, key])).upper()


def _default(field: Any) -> Any:
    return field.default if field.default != "" else '""'


def _body(shape: type[BaseModel]) -> str:
    rows = (
        [code(key), "yes" if field.is_required() else "", code(field.default) if not field.is_required() else ""] for key, field in shape.model_fields.items()
    )
    return f"### {shape.__name__}\n\n{shape.__doc__}\n\n{table(['Field', 'Required', 'Default'], rows)}"


def _in_words(value: Any) -> str:
    return "[]" if value == () else str(value).lower() if isinstance(value, bool) else str(value)


def _parameters(row: Any) -> str:
    """Names and kinds; a default or a question mark where one may be left out."""
    words: list[str] = []
    for one in row.parameters:
        left_out = "" if one.required else f" = {json.dumps(one.default, ensure_ascii=False)}" if one.default is not None else "?"
        words.append(code(f"{one.name}: {getattr(one.kind, 'value', one.kind)}{left_out}"))
    return ", ".join(words)


def main() -> None:
    REFERENCE.mkdir(exist_ok=True)
    for name, make in PAGES.items():
        (REFERENCE / name).write_text(make(), encoding="utf-8")
        print(f"docs/reference/{name}")


if __name__ == "__main__":
    main()
