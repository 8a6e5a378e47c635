"""The tables of `catalog`: rows in, frozen values out."""

from dataclasses import dataclass
from datetime import datetime

from cegla.storage import statements

SQL = statements.load(__file__)


@dataclass(frozen=True)
class Feed:
    """A feed: where it is fetched from (empty: uploaded), how old it may grow, what it holds, when it was read (UTC), and why it could not be."""

    id: int
    name: str
    address: str
    hours: int
    format: str
    products: int
    left_out: int
    fetched_at: datetime | None
    tried_at: datetime | None
    trouble: str | None
    revision: int
