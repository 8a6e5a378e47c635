"""Referrers with known answers: address, kind, name and, where it is told, what was searched for.

`VECTORS` are the facts of snowplow-referer-parser's `referer-tests.json` (commit 05237c6), its addresses shortened; `POLISH` are our own.
"""

_GMX = ("de", "at", "ch", "fr", "es", "it", "com", "net", "co.uk")
_IONOS = ("de", "es", "fr", "it", "ca", "mx", "com", "co.uk")
_MAIL = {
    "1und1": "deref-1und1-02.de", "Bluewin": "rich-v01.bluewin.ch rich-v02.bluewin.ch email.bluewin.ch", "Infomaniak": "mail.infomaniak.com",
    "GMX": " ".join([*(f"deref-gmx.{end}" for end in _GMX), *(f"lightmailer.gmx.{end}" for end in _GMX), "lightmailer-bs.gmx.net lightmailer-bap.gmx.net"]),
    "Ionos": " ".join([*(f"email.ionos.{end}" for end in _IONOS), *(f"mailbusiness.ionos.{end}" for end in _IONOS)]),
    "Mail.com": "deref-mail.com 3c-lxa.mail.com lightmailer.mail.com", "Proton": "mail.proton.me", "T-online": "email.t-online.de", "TIM": "webmail.tim.it",
    "Orange Webmail": "mail01.orange.fr mail02.orange.fr wmail.orange.fr messageriepro3.orange.fr messagerie.orange.fr", "UPC": "upcmail.hispeed.ch",
    "Vodafone": "mail.vodafone.de", "Web.de": "deref-web.de 3c.web.de 3c-bap.web.de lightmailer-bap.web.de lightmailer-bs.web.de",
}  # fmt: skip
_OTHERS = {
    ("ads",
        "Google"): "tdsf.doubleclick.net www.adsensecustomsearchads.com syndicatedsearch.goog pagead2.googlesyndication.com safeframe.googlesyndication.com",
    ("search", "1und1"): "suche.1und1.de", ("search", "Babylon"): "search.babylon.com searchassist.babylon.com", ("search", "Meta.ua"): "meta.ua",
    ("search", "Brave"): "search.brave.com", ("social", "Lnk.Bio"): "lnk.bio", ("social", "Workplace"): "l.workplace.com lm.workplace.com",
}  # fmt: skip
VECTORS: tuple[tuple[str, ...], ...] = (
    ("http://www.google.fr/imgres?q=Ogham+the+celtic+oracle&hl=fr", "search", "Google Images", "Ogham the celtic oracle"),
    ("http://it.images.search.yahoo.com/images/view;_ylt=A0?back=http%3A%2F%2Fx&w=1064&p=Earth+Magic+Oracle+Cards", "search", "Yahoo! Images",
        "Earth Magic Oracle Cards"),
    ("http://isearch.avg.com/pages/images.aspx?q=tarot+card+change&sap=dsp", "search", "Google", "tarot card change"),
    ("http://www.google.com/search", "search", "Google"),
    ("http://www.google.com/search?q=gateway+oracle+cards+denise+linn&hl=en", "search", "Google", "gateway oracle cards denise linn"),
    ("http://es.search.yahoo.com/search;_ylt=A7?p=BIEDERMEIER+FORTUNE+TELLING+CARDS&ei=utf-8", "search", "Yahoo!", "BIEDERMEIER FORTUNE TELLING CARDS"),
    ("http://www.pricerunner.co.uk/search?displayNoHitsMessage=1&q=wild+wisdom+of+the+faery+oracle", "search", "PriceRunner",
        "wild wisdom of the faery oracle"),
    ("http://www.bing.com/images/search?q=psychic+oracle+cards&view=detail", "search", "Bing Images", "psychic oracle cards"),
    ("https://s3-us3.ixquick.com/do/search", "search", "IXquick"),
    ("http://aolsearch.aol.co.uk/aol/search?s_chn=hp&q=pendulums", "search", "AOL", "pendulums"),
    ("http://www.aolsearch.com/search?s_pt=hp&query=voorbeeld+cv+competenties", "search", "AOL", "voorbeeld cv competenties"),
    ("http://uk.search-results.com/web?qsrc=1&q=pendulums&dm=ctry", "search", "Ask", "pendulums"),
    ("http://go.mail.ru/search?q=Gothic%20Tarot%20Cards&where=any", "search", "Mail.ru", "Gothic Tarot Cards"),
    ("http://images.yandex.ru/yandsearch?text=Blue%20Angel%20Oracle%20Blue%20Angel%20Oracle", "search", "Yandex Images", "Blue Angel Oracle Blue Angel Oracle"),
    ("http://search.tb.ask.com/search/GGmain.jhtml?cb=AYY&searchfor=CARA+MEMASAK+CUMI+CUMI", "search", "Ask Toolbar", "CARA MEMASAK CUMI CUMI"),
    ("http://search.tb.ask.com/search/GGmain.jhtml?&st=hp&searchfor=test", "search", "Ask Toolbar", "test"),
    ("http://search.ke.voila.fr/?module=voila&bhv=web_fr&kw=test", "search", "Voila", "test"),
    ("http://www.dalesearch.com/?q=+lego.nl+%2Fclub&s=web", "search", "Dalesearch", " lego.nl /club"),
    ("http://t.co/chrgFZDb", "social", "Twitter"),
    ("http://www.facebook.com/l.php?u=http%3A%2F%2Fwww.psychicbazaar.com", "social", "Facebook"),
    ("http://m.facebook.com/l.php?u=http%3A%2F%2Fwww.psychicbazaar.com", "social", "Facebook"),
    ("http://www.odnoklassniki.ru/dk?cmd=logExternal", "social", "Odnoklassniki"),
    ("http://www.tumblr.com/dashboard", "social", "Tumblr"),
    ("http://psychicbazaar.tumblr.com/", "social", "Tumblr"),
    ("https://rich-v01.bluewin.ch/cp/applink/mail/LoadMessageContent", "mail", "Bluewin"),
    ("https://deref-gmx.net/mail/client/I_fLA6cRr54/dereferrer/", "mail", "GMX"),
    ("https://deref-web.de/mail/client/a6iXDy6UMao/dereferrer/", "mail", "Web.de"),
    ("http://36ohk6dgmcd1n-c.c.yom.mail.yahoo.net/om/api/1.0/openmail.app.invoke", "mail", "Yahoo! Mail"),
    ("http://co106w.col106.mail.live.com/default.aspx?rru=inbox", "mail", "Outlook.com"),
    ("http://webmail1m.orange.fr/webmail/fr_FR/read.html?FOLDER=SF_INBOX", "mail", "Orange Webmail"),
    *((f"https://{host}", "mail", name) for name, hosts in _MAIL.items() for host in hosts.split()),
    *((f"https://{host}", kind, name) for (kind, name), hosts in _OTHERS.items() for host in hosts.split()),
)
_POLISH = {
    ("mail", "WP Poczta"): "poczta.wp.pl profil.wp.pl", ("mail", "Onet Poczta"): "poczta.onet.pl", ("mail", "Interia Poczta"): "poczta.interia.pl",
    ("mail", "o2 Poczta"): "poczta.o2.pl", ("mail", "Gazeta Poczta"): "poczta.gazeta.pl", ("mail", "home.pl Poczta"): "poczta.home.pl",
    ("search", "Google"): "www.google.pl google.pl", ("search", "Onet Szukaj"): "szukaj.onet.pl", ("search", "WP Szukaj"): "szukaj.wp.pl",
    ("search", "NetSprint"): "netsprint.pl", ("social", "Wykop"): "wykop.pl www.wykop.pl", ("social", "Nasza-klasa.pl"): "nk.pl",
    ("social", "Goldenline"): "www.goldenline.pl", ("social", "Kwejk"): "kwejk.pl", ("social", "Demotywatory"): "demotywatory.pl",
    ("social", "JoeMonster"): "joemonster.org", ("social", "Elektroda"): "www.elektroda.pl", ("social", "Patronite"): "patronite.pl",
    ("social", "Facebook"): "pl-pl.facebook.com l.facebook.com lm.facebook.com m.facebook.com fb.me m.me", ("social",
        "Instagram"): "l.instagram.com instagram.com",
    ("social", "TikTok"): "www.tiktok.com vm.tiktok.com", ("social", "YouTube"): "youtu.be m.youtube.com", ("social", "LinkedIn"): "lnkd.in pl.linkedin.com",
    ("social", "Bluesky"): "bsky.app go.bsky.app", ("social", "WhatsApp"): "wa.me web.whatsapp.com", ("social", "Telegram"): "t.me", ("social",
        "Pinterest"): "pl.pinterest.com pin.it",
    ("marketplace", "Allegro"): "allegro.pl allegrolokalnie.pl", ("marketplace", "Ceneo"): "www.ceneo.pl", ("marketplace", "OLX"): "www.olx.pl",
    ("marketplace", "Empik"): "www.empik.com", ("marketplace", "Skąpiec"): "www.skapiec.pl", ("marketplace", "Pepper"): "www.pepper.pl", ("marketplace",
        "Opineo"): "www.opineo.pl",
    ("marketplace", "Vinted"): "www.vinted.pl", ("marketplace", "Erli"): "erli.pl", ("marketplace", "Amazon"): "www.amazon.pl", ("marketplace",
        "Temu"): "www.temu.com",
    ("assistant", "ChatGPT"): "chatgpt.com", ("assistant", "Gemini"): "gemini.google.com", ("assistant", "Copilot"): "copilot.microsoft.com",
    ("assistant", "Perplexity"): "www.perplexity.ai", ("assistant", "Claude"): "claude.ai", ("assistant", "Bielik"): "chat.bielik.ai",
    ("ads", "RTB House"): "creativecdn.com", ("ads", "Gemius"): "hit.gemius.pl",
}  # fmt: skip
POLISH = tuple((f"https://{host}/", kind, name) for (kind, name), hosts in _POLISH.items() for host in hosts.split())
