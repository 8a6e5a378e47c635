"""Referring hosts: which search engine, social network, assistant, mail service or marketplace a referrer belongs to."""

from collections.abc import Mapping, Sequence

from cegla.vocabulary.world import NOWHERE, Origin

MOST_SEGMENTS = 3  #: of a path that tell one service of a host from another


class Hosts:
    """Hosts, some with the beginning of a path; "google.{}" stands for every country's. Later tables go before earlier ones."""

    def __init__(self, *tables: Mapping[str, Mapping[str, Sequence[Sequence[str]]]]) -> None:
        self._known: dict[str, Origin] = {}
        for table in tables:
            for kind, names in table.items():
                for name, (hosts, parameters) in names.items():
                    for host in hosts:
                        self._known[host.lower().removeprefix("www.").rstrip("/")] = Origin(kind, name.replace("%2B", "+"), tuple(parameters))

    def find(self, host: str, path: str = "") -> Origin:
        """Whose host it is; `NOWHERE` when nobody's. The longest match wins: a path before none, a subdomain before its domain."""
        labels = host.removeprefix("www.").split(".")
        segments = [segment for segment in path.split("/")[1 : MOST_SEGMENTS + 1] if segment]
        paths = ["/" + "/".join(segments[:count]) for count in range(len(segments), 0, -1)]
        for start in range(max(1, len(labels) - 1)):
            tail = labels[start:]
            for form in _forms(tail):
                for ending in (*paths, ""):
                    if found := self._known.get(form + ending):
                        return found
        return NOWHERE


def _forms(labels: list[str]) -> list[str]:
    """How a table may name the host: itself, "google.{}" for google.pl and google.co.uk, "images.{}.ask.com" for images.uk.ask.com."""
    forms = [".".join(labels)]
    if len(labels) > 1:
        forms.append(".".join(labels[:-1]) + ".{}")
    if len(labels) > 2:
        if len(labels[-1]) == 2 and len(labels[-2]) <= 3:
            forms.append(".".join(labels[:-2]) + ".{}")
        forms += [".".join([labels[0], "{}", *labels[2:]]), ".".join(["{}", *labels[1:]])]
    return forms
