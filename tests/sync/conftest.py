"""The shop of campaigns, for those who are told of its segments."""

from tests.activate.conftest import postbox, shop

__all__ = ["postbox", "shop"]
