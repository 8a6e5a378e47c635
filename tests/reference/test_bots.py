"""Robots that say so; and people's devices whose names only sound like one."""

import pytest

from cegla.reference.library import Library

LIBRARY = Library()


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (Linux; Android 7.0; M bot 54) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/78.0.3904.96 Mobile Safari/537.36",
        "Mozilla/5.0 (Linux; Android 14; DISCOVERY_2_ME) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Mobile Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 10_0 like Mac OS X) AppleWebKit/602.1.50 (KHTML, like Gecko) News/582.1 Version/2.0",
        "Opera/9.80 NETTV/4.5.0 Mozilla/5.0 (Linux armv7i; CE-HTML/1.0; U; en) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/49.0.2623.75 Safari/537.36",
    ],
    ids=["phone", "tablet", "news app", "television"],
)
def test_a_device_that_sounds_like_a_robot_is_none(agent: str) -> None:
    assert not LIBRARY.names_itself_bot(agent)


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "bitdiscovery", "NextCloud-News/1.0", "python-requests/2.32.3",
        "Mozilla/5.0 (Linux; CentOS; compatible; semantic-visions-discovery; HTTPClient 4.5)",
    ],
)  # fmt: skip
def test_a_robot_that_says_so_is_one(agent: str) -> None:
    assert LIBRARY.names_itself_bot(agent)
