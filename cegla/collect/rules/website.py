"""What the script for websites can be told and what it tells: the rows that docs/reference/website.md is made of.

The tests compare them with the script: options with their defaults, calls, and every event with its properties.
"""

from typing import NamedTuple


class Option(NamedTuple):
    """One `data-` attribute of the <script> line."""

    name: str
    default: str
    what: str


class Call(NamedTuple):
    """One call of a page: cegla('name', ...)."""

    name: str
    arguments: str
    what: str


class SiteEvent(NamedTuple):
    """An event the script makes by itself. `part` is its word in `data-auto`."""

    name: str
    part: str
    when: str
    properties: tuple[tuple[str, str], ...]


OPTIONS = (
    Option("key", "", "the write key of the source; the only one that is needed"),
    Option("host", "", "where events go; empty: where the script came from"),
    Option(
        "consent",
        "call",
        "where consent comes from: `call` (the page calls `consent`), `gtag` (Google's consent mode), `tcf` (IAB TCF), the name of a function of the page "
        "(`cmp.onConsent`: it gets a function to call with the categories, or returns them), or `granted` (the script is put into the page only after consent)",
    ),
    Option(
        "before",
        "hold",
        "what happens before consent: `hold` (kept in the memory of the page, sent once somebody agrees), `drop`, or `aggregate` (names and paths are "
        "counted without any identifier)",
    ),
    Option("mode", "stored", "`cookieless`: nothing is ever stored, and the anonymous id lasts as long as the page is open"),
    Option("auto", "page reading clicks links forms search", "what the script watches by itself; a list, empty for nothing"),
    Option("profiles", "", "the address of `/api/v1/visitor` of the app, where `visitor` asks; empty: nowhere"),
    Option("push", "", "the address of `/api/v1/visitor/push` of the app, where `push` subscribes; empty: no web push"),
    Option("search", "q query s search szukaj fraza phrase keyword", "parameters of an address that hold what was searched for on the site"),
)

CALLS = (
    Call("page", "[name], [properties]", "a page was viewed; done by itself unless `data-auto` leaves it out"),
    Call("track", "event, [properties]", "something happened"),
    Call("identify", "[userId], [traits]", "who it is; another userId than before begins a new anonymousId"),
    Call("group", "groupId, [traits]", "the visitor belongs to a company or another group"),
    Call("alias", "userId, [previousId]", "two ids are one person"),
    Call("reset", "", "somebody signs out: what follows belongs to somebody new"),
    Call("consent", "categories, [proof]", "what the visitor said, by category; what is left out stays as it was"),
    Call("visitor", "", "returns a promise of what is marked for the site of this visitor: `{traits, segments}`; empty when in doubt"),
    Call(
        "push",
        "[worker]",
        "asks for notifications and subscribes this browser, once consent to `marketing_push` was said; returns a promise of `subscribed`, `denied`, "
        "`no consent`, `unsupported` or `later`",
    ),
    Call("state", "", "returns what the script may do now, the consent, whether Global Privacy Control is on, and the ids"),
)

_PAGE = (
    ("title", "the title"),
    ("url", "the address without secrets and personal data"),
    ("path", "its path"),
    ("name", "the name given in the call"),
    ("canonical", "the canonical address"),
    ("description", "meta description or og:description, at most 300 characters"),
    ("language", "the language of the page"),
    ("topics", "keywords, article tags, schema.org keywords and about; at most 20"),
    ("section", "article:section or articleSection"),
    ("kind", "what it is about: the schema.org type or og:type"),
    ("subject", "the schema.org headline or name"),
    ("subject_category", "the schema.org category"),
    ("published", "when it was published"),
    ("breadcrumbs", "the names of the schema.org breadcrumbs"),
)

EVENTS = (
    SiteEvent("page", "page", "a page is opened, comes back, or changes without loading", _PAGE),
    SiteEvent(
        "Page Left",
        "reading",
        "a page is left, hidden or exchanged after a second or more; the seconds of one page add up",
        (("seconds", "how long it was visible and in focus since the last such event"), ("scroll_depth", "the deepest place seen, in percent of the page")),
    ),
    SiteEvent(
        "Element Clicked",
        "clicks",
        "a click, once it is known whether the page answered",
        (
            ("element", "a short selector that leads to exactly this element; of masked elements the mask's"),
            ("tag", "its tag"),
            ("x", "where on the element, 0 to 1 from the left"),
            ("y", "where on the element, 0 to 1 from the top"),
            ("page_x", "where on the page, as a share of its width"),
            ("page_y", "where on the page, pixels from its top"),
            ("page_height", "the page's height in pixels"),
            ("viewport", "phone (below 600 pixels), tablet (below 1024), desktop (below 1440) or wide"),
            ("fixed", "true: the element does not scroll with the page"),
            ("dead", "true: nothing happened for 2.5 seconds although it looks like something to click"),
            ("rage", "true: the third click within a second on one spot"),
        ),
    ),
    SiteEvent(
        "Site Searched",
        "search",
        "a page is opened whose address holds a search",
        (("query", "what was searched for, without e-mail addresses and phone numbers"), ("parameter", "the parameter it stood in")),
    ),
    SiteEvent("Outbound Link Clicked", "links", "a link to another host", (("address", "where to, without query"), ("host", "the host"))),
    SiteEvent("File Downloaded", "links", "a link to a file", (("address", "its address"), ("file", "its name"), ("extension", "its extension"))),
    SiteEvent("Form Submitted", "forms", "a form is sent; never what is in it", (("form", "data-cegla-name, name, id or place of the form"),)),
    SiteEvent("Segment Consent Preference Updated", "", "consent was given, changed or withdrawn; the consent is in the context", ()),
)

CONTEXT = (
    ("library", "`cegla-onsite` and its version"),
    ("page", "path, referrer, search, title and url of the page it happened on"),
    ("locale", "the browser's language"),
    ("timezone", "the browser's time zone"),
    ("viewport", "phone, tablet, desktop or wide"),
    ("touchPoints", "how many fingers the screen feels; tells a tablet from a desktop"),
    ("webdriver", "true: the browser says that a program steers it"),
    ("userAgentData", "platform, mobile, model and platformVersion, asked for after consent"),
    ("consent", "categoryPreferences and their proof"),
    ("gpc", "true: the browser sends Global Privacy Control"),
    ("cookieless", "true: the anonymous id lasts for one page load"),
    ("aggregate", "true: about nobody, only counted"),
)
