"""A letter drawn as MJML: a frame with the letter's colors and its dark side, and a section for each block.

Everything typed into a form is escaped here; MJML of the author's own (the block "code", a letter in source view) is not, and the compiler and
the sandbox of the preview take care of it.
"""

import re
from collections.abc import Callable, Mapping, Sequence

from cegla.compose.rules import conditions, markup
from cegla.compose.rules.document import LOOK, Block, Document
from cegla.compose.rules.kinds import COLUMN_COUNT, NETWORKS
from cegla.vocabulary.errors.messages import TemplateInvalid
from cegla.vocabulary.text import Text

Snippets = Mapping[str, Document]  #: by the snippet's number as text
COLOR = re.compile(r"#[0-9a-fA-F]{3}(?:[0-9a-fA-F]{3})?")
DEEPEST_SNIPPET = 3
MOST_DRAWN = 1_000  #: blocks of a letter, with those of its snippets and of the snippets within them
TOO_MANY = Text("z wstawkami ma więcej niż {most} bloków", "with its snippets it has more than {most} blocks")
MOST_PRODUCTS = 12
SIZES = {"1": (30, 38), "2": (22, 30), "3": (17, 25)}
HISTORY = ("viewed", "abandoned", "together")
FEED_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")

FRAME = """<mjml lang="{language}">
  <mj-head>
    <mj-title>{subject}</mj-title>
{preview}    <mj-attributes>
      <mj-all font-family="'Segoe UI', Roboto, Helvetica, Arial, sans-serif" />
      <mj-text color="{ink}" font-size="16px" line-height="25px" padding="6px 0" />
      <mj-button background-color="{accent}" color="#ffffff" border-radius="8px" font-size="16px" font-weight="600" inner-padding="13px 26px" padding="8px 0" />
      <mj-image padding="6px 0" />
      <mj-section padding="0 32px" background-color="{paper}" />
    </mj-attributes>
    <mj-style>
      .ink p:last-child, .ink ul:last-child {{ margin-bottom: 0 !important; }}
      @media (prefers-color-scheme: dark) {{
        body, .page, .page > table {{ background: #161311 !important; }}
        .sheet, .sheet > table {{ background: #221d1a !important; }}
        .ink div, .ink td {{ color: #f0e8e2 !important; }}
        .ink a {{ color: #f0a58f !important; }}
        .soft div, .soft a {{ color: #bfb2a8 !important; }}
      }}
      @media (max-width: 480px) {{ .only-desktop {{ display: none !important; max-height: 0 !important; overflow: hidden !important; }} }}
      @media (min-width: 481px) {{ .only-phone {{ display: none !important; max-height: 0 !important; overflow: hidden !important; }} }}
    </mj-style>
  </mj-head>
  <mj-body background-color="{ground}" css-class="page">
    <mj-section background-color="{ground}" css-class="page" padding="12px"><mj-column><mj-spacer height="4px" /></mj-column></mj-section>
{blocks}
    <mj-section background-color="{ground}" css-class="page" padding="12px"><mj-column><mj-spacer height="4px" /></mj-column></mj-section>
  </mj-body>
</mjml>
"""


def mjml(document: Document, snippets: Snippets, language: str = "pl") -> str:
    """The MJML of a letter: its source, where it has one, or its blocks in the frame. Raises TemplateInvalid for more blocks than anybody reads."""
    if document.source is not None:
        return document.source
    if _count(document.blocks, snippets, 0, {}) > MOST_DRAWN:
        raise TemplateInvalid(where="blocks", detail=Text(TOO_MANY.say("pl", most=MOST_DRAWN), TOO_MANY.say("en", most=MOST_DRAWN)))
    look = colors(document.look)
    preview = f"    <mj-preview>{markup.escaped(document.preheader)}</mj-preview>\n" if document.preheader else ""
    blocks = "\n".join(drawn(block, look, snippets) for block in document.blocks)
    return FRAME.format(language=language, subject=markup.escaped(document.subject), preview=preview, blocks=blocks, **look)


def _count(blocks: Sequence[Block], snippets: Snippets, depth: int, known: dict[tuple[str, int], int]) -> int:
    """How many blocks would be drawn; each snippet is counted once at each depth, however often it stands there."""
    total = len(blocks)
    for block in blocks:
        name = block.fields.get("snippet", "")
        if block.kind == "snippet" and name in snippets and depth < DEEPEST_SNIPPET:
            if (name, depth) not in known:
                known[name, depth] = _count(snippets[name].blocks, snippets, depth + 1, known)
            total += known[name, depth]
    return total


def colors(look: Mapping[str, str]) -> dict[str, str]:
    """The letter's colors; what is no color is the usual one."""
    return {name: look[name] if COLOR.fullmatch(look.get(name, "")) else usual for name, usual in LOOK.items()}


def drawn(block: Block, look: Mapping[str, str], snippets: Snippets, depth: int = 0) -> str:
    """The sections of a block, within the conditions that say who sees it."""
    inner = _snippet(block, look, snippets, depth) if block.kind == "snippet" else DRAWN[block.kind](block.fields, look) if block.kind in DRAWN else ""
    hidden = conditions.style_class(block.shown)
    if hidden:
        inner = re.sub(r'(<mj-section\b[^>]*?css-class=")', rf"\g<1>{hidden} ", inner)
    opening, closing = conditions.opening(block.shown), conditions.closing(block.shown)
    return f"{_raw(opening)}{inner}{_raw(closing)}"


def _raw(tags: str) -> str:
    return f"    <mj-raw>{tags}</mj-raw>\n" if tags else ""


def _snippet(block: Block, look: Mapping[str, str], snippets: Snippets, depth: int) -> str:
    found = snippets.get(block.fields.get("snippet", ""))
    if found is None or depth >= DEEPEST_SNIPPET:
        return ""
    return "\n".join(drawn(one, look, snippets, depth + 1) for one in found.blocks)


def section(inner: str, padding: str = "8px 32px") -> str:
    """One section with one column."""
    return f'    <mj-section css-class="sheet" padding="{padding}"><mj-column>{inner}</mj-column></mj-section>\n'


def number(text: str, usual: int, most: int, least: int = 1) -> int:
    """A number of a form within its bounds."""
    return min(max(int(text), least), most) if text.isascii() and text.isdigit() and len(text) < 8 else usual


def _side(fields: Mapping[str, str]) -> str:
    side = fields.get("side", "")
    return side if side in ("left", "center", "right") else "left"


def _heading(fields: Mapping[str, str], look: Mapping[str, str]) -> str:
    level = fields.get("level", "1") if fields.get("level") in SIZES else "1"
    size, line = SIZES[level]
    inner = markup.inline(fields.get("text", ""), look["accent"])
    element = f'<h{level} style="margin:0;font-size:{size}px;line-height:{line}px;font-weight:700">{inner}</h{level}>'
    return section(f'<mj-text css-class="ink" align="{_side(fields)}" font-size="{size}px" line-height="{line}px">{element}</mj-text>', "16px 32px 4px")


def _text(fields: Mapping[str, str], look: Mapping[str, str]) -> str:
    return section(f'<mj-text css-class="ink" align="{_side(fields)}">{markup.html(fields.get("text", ""), look["accent"])}</mj-text>')


def _picture(source: str, alt: str, address: str, width: int | None = None) -> str:
    if not source:
        return ""
    href = f' href="{markup.escaped(markup.safe_address(address))}"' if address else ""
    wide = f' width="{width}px"' if width else ""
    return f'<mj-image src="{markup.escaped(markup.safe_address(source))}" alt="{markup.escaped(alt)}"{href}{wide} />'


def _image(fields: Mapping[str, str], look: Mapping[str, str]) -> str:
    picture = _picture(fields.get("image", ""), fields.get("alt", ""), fields.get("address", ""), number(fields.get("width", ""), 536, 600, 16))
    return section(picture) if picture else ""


def _press(label: str, address: str, color: str, side: str = "left") -> str:
    if not label:
        return ""
    return f'<mj-button href="{markup.escaped(markup.safe_address(address))}" align="{side}" background-color="{color}">{markup.escaped(label)}</mj-button>'


def _button(fields: Mapping[str, str], look: Mapping[str, str]) -> str:
    color = fields.get("color", "")
    return section(_press(fields.get("label", ""), fields.get("address", ""), color if COLOR.fullmatch(color) else look["accent"], _side(fields)))


def _columns(fields: Mapping[str, str], look: Mapping[str, str]) -> str:
    made: list[str] = []
    for place in range(1, COLUMN_COUNT + 1):
        own = {name: fields.get(f"{name}_{place}", "") for name in ("image", "alt", "title", "text", "label", "address")}
        if not any(own.values()):
            continue
        parts = _picture(own["image"], own["alt"], own["address"])
        if own["title"]:
            title = markup.inline(own["title"], look["accent"])
            parts += f'<mj-text css-class="ink" font-size="17px"><h3 style="margin:0;font-size:17px;line-height:25px;font-weight:700">{title}</h3></mj-text>'
        if own["text"]:
            parts += f'<mj-text css-class="ink">{markup.html(own["text"], look["accent"])}</mj-text>'
        made.append(f'<mj-column padding="0 6px">{parts}{_press(own["label"], own["address"], look["accent"])}</mj-column>')
    return f'    <mj-section css-class="sheet" padding="8px 26px">{"".join(made)}</mj-section>\n' if made else ""


def _divider(fields: Mapping[str, str], look: Mapping[str, str]) -> str:
    color = fields.get("color", "")
    width = number(fields.get("width", ""), 1, 12)
    return section(f'<mj-divider border-width="{width}px" border-color="{color if COLOR.fullmatch(color) else "#e5ded7"}" padding="8px 0" />')


def _spacer(fields: Mapping[str, str], look: Mapping[str, str]) -> str:
    return section(f'<mj-spacer height="{number(fields.get("height", ""), 24, 200)}px" />', "0 32px")


def _social(fields: Mapping[str, str], look: Mapping[str, str]) -> str:
    pairs = [(network, fields.get(network.lower(), "")) for network in NETWORKS]
    style = f"color:{look['accent']};font-weight:600;text-decoration:none"
    links = [f'<a href="{markup.escaped(markup.safe_address(address))}" style="{style}">{network}</a>' for network, address in pairs if address]
    side = fields.get("side", "center") if fields.get("side") in ("left", "center", "right") else "center"
    return section(f'<mj-text css-class="ink" align="{side}" font-size="15px">{" &#160;·&#160; ".join(links)}</mj-text>') if links else ""


def _footer(fields: Mapping[str, str], look: Mapping[str, str]) -> str:
    style = 'style="color:#655b54"'
    postal = "<br/>".join(markup.escaped(line) for line in fields.get("postal", "").splitlines() if line.strip())
    who = f"<strong>{markup.escaped(fields.get('company', ''))}</strong><br/>{postal}"
    ways = " &#160;·&#160; ".join(
        f'<a href="{{{{ {target} }}}}" {style}>{markup.escaped(label)}</a>'
        for target, label in (("preferences_url", fields.get("choose") or "?"), ("unsubscribe_url", fields.get("leave") or "?"))
    )
    text = 'css-class="soft" align="center" font-size="13px" line-height="20px" color="#655b54"'
    why = markup.inline(fields.get("why", "").replace("\n", " "), look["accent"])
    inner = f"<mj-text {text}>{why}</mj-text><mj-text {text}>{ways}</mj-text><mj-text {text}>{who}</mj-text>"
    return f'    <mj-section background-color="{look["ground"]}" css-class="page" padding="20px 32px"><mj-column>{inner}</mj-column></mj-section>\n'


def chosen(fields: Mapping[str, str]) -> str:
    """The Liquid that picks a block's products into `chosen`: the person's own, then the catalog's."""
    feed = fields.get("feed", "") if FEED_NAME.fullmatch(fields.get("feed", "")) else ""
    category = fields.get("category", "").replace("'", "’").replace("{", "").replace("}", "").replace("%", "")
    shelf = f"feeds.{feed}" + (f" | where: 'category', '{category}'" if category else "") if feed else ""
    source = fields.get("source", "feed")
    if source not in HISTORY:
        return f"{{% assign chosen = {shelf or 'nil'} %}}"
    own = f"{{% assign chosen = person.{source}_products %}}"
    return own + (f"{{% unless chosen.size > 0 %}}{{% assign chosen = {shelf} %}}{{% endunless %}}" if shelf and fields.get("fallback") else "")


def _products(fields: Mapping[str, str], look: Mapping[str, str]) -> str:
    count = number(fields.get("count", ""), 3, MOST_PRODUCTS)
    title = _heading({"text": fields["title"], "level": "2"}, look) if fields.get("title") else ""
    label = markup.escaped(fields.get("label", ""))
    link = f'<br/><a href="{{{{ product.link }}}}" style="color:{look["accent"]};font-weight:600">{label}</a>' if label else ""
    price = (
        "{% if product.sale_price %}<s>{{ product.price | money: product.currency }}</s> <strong>{{ product.sale_price | money: product.currency }}</strong>"
        "{% elsif product.price %}<strong>{{ product.price | money: product.currency }}</strong>{% endif %}"
    )
    picture = (
        '{% if product.image %}<a href="{{ product.link }}"><img src="{{ product.image }}" alt="" width="120" style="display:block;width:100%;max-width:120px;'
        'height:auto;border:0;border-radius:6px" /></a>{% endif %}'
    )
    row = (
        '    <mj-section css-class="sheet" padding="8px 32px"><mj-group>'
        f'<mj-column width="30%"><mj-text css-class="ink" padding="6px 12px 6px 0">{picture}</mj-text></mj-column>'
        f'<mj-column width="70%"><mj-text css-class="ink"><strong>{{{{ product.title }}}}</strong><br/>{price}{link}</mj-text></mj-column>'
        "</mj-group></mj-section>\n"
    )
    opening = f"{chosen(fields)}{{% if chosen.size > 0 %}}"
    return f"{_raw(opening)}{title}{_raw(f'{{% for product in chosen limit: {count} %}}')}{row}{_raw('{% endfor %}')}{_raw('{% endif %}')}"


def _code(fields: Mapping[str, str], look: Mapping[str, str]) -> str:
    return fields.get("mjml", "") + "\n"


DRAWN: dict[str, Callable[[Mapping[str, str], Mapping[str, str]], str]] = {
    "heading": _heading,
    "text": _text,
    "image": _image,
    "button": _button,
    "columns": _columns,
    "divider": _divider,
    "spacer": _spacer,
    "social": _social,
    "products": _products,
    "footer": _footer,
    "code": _code,
}
