"""Attention: whether a person opened or clicked, or a machine did: a mail program's relay, an image proxy, a scanner of links.

Apple's privacy relay opens every message, scanners follow every link seconds after delivery; neither says that anybody read.
"""

import re
from collections.abc import Mapping
from typing import Any

from cegla.vocabulary.world import Network

OPENED = frozenset({"Email Opened", "Message Opened", "Push Opened"})
CLICKED = frozenset({"Email Link Clicked", "Message Clicked"})
WATCHED = OPENED | CLICKED
AT_ONCE_SECONDS = 5.0
TOLD = frozenset({"scanner", "at_once", "all_links", "trap"})
SCANNER_SYSTEMS = frozenset({34440, 26211, 13916, 22843, 52129, 15324, 8075})  #: Mimecast, Proofpoint, Barracuda, Microsoft's link check: of clicks only

_IMAGE_PROXY = re.compile(r"googleimageproxy|yahoomailproxy|ggpht\.com|outlookimageproxy", re.IGNORECASE)
_SCANNER = re.compile(r"barracuda|proofpoint|mimecast|safelinks|bitdefender|symantec|trend ?micro|messagelabs|fireeye|sophos|forcepoint|cloudmark|ironport|"
    r"phish|sandbox|urlscan|virustotal", re.IGNORECASE)  # fmt: skip


def machine_reason(name: str, agent: object, properties: Mapping[str, Any], network: Network) -> str | None:
    """Why an open or click is a machine's: privacy_proxy, image_proxy, scanner, head, at_once, all_links or trap; None when a person may have done it."""
    if isinstance(agent, str):
        if agent == "Mozilla/5.0" and name in OPENED:
            return "privacy_proxy"
        if _IMAGE_PROXY.search(agent):
            return "image_proxy"
        if _SCANNER.search(agent):
            return "scanner"
    if name in CLICKED and network.asn in SCANNER_SYSTEMS:
        return "scanner"
    if str(properties.get("method", "")).upper() == "HEAD":
        return "head"
    why = properties.get("machine_why")  # our own sender saw it; anybody else may send anything
    if isinstance(why, str) and why in TOLD:
        return why
    after = properties.get("seconds_after_delivery")
    if properties.get("machine") is True or (name in CLICKED and isinstance(after, (int, float)) and not isinstance(after, bool) and after < AT_ONCE_SECONDS):
        return "at_once"
    return "all_links" if properties.get("all_links") is True else None
