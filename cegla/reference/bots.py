"""Robots that say so: one pattern over user agents, with a list of those it takes for robots by mistake."""

import re
from pathlib import Path

from cegla.reference.pack import read_json

LONGEST = 1_000
MOST_REMEMBERED = 50_000
# What the pattern takes for a robot and is none: televisions, news apps on Apple's library, Android's own downloader, old in-car browsers.
NO_BOTS = re.compile(
    r"hbbtv|\bcfnetwork/|androiddownloadmanager|\bcubot\b|dalvik/|; wv\)|\bsmart-?tv\b|web0s|tizen|googletv|bravia|netcast|roku/|"
    r"aft[a-z]{1,4}\b|crkey|"
    r"xbox|playstation|nintendo|opera mini|ucbrowser|ucweb|midp|symbian|series ?[64]0|"
    r"maemo|blackberry|\bbb10\b|windows phone|kaios|bada/|meego|"
    r"exoplayer|vlc/|itunes/|podcast|stagefright|lavf/|foobar2000|winamp|quicktime|applecoremedia|airpodcasts|"
    r"spotify/|deezer/|tunein|overcast/|castbox|gpodder|"
    r"nettv|ce-html|netrange|tbrowser|google tv|iptv|^amazon;(?:aft|echo)|amazonmusic|rhythmbox|musicbee|downcast|podcatcher|castro|bose/|zune/|mytuner|"
    r"\) news/\d|^iphone|^apple-ip|garmin|watch\d,|fb4a|whatsapp/[\d.]+ (?:iphone|android)|com\.google\.(?:android|ios|googleplus|googlemobile)|"
    r"\bx?(?:m|id|x)[ _]?bot[ _]|spider \d|android[^)]*; discovery|webster pro|tuneup html|chromeframe|"
    r"thunderbird/|outlook|lotus-notes|\bmailspring|the bat|postbox|evolution/",
    re.IGNORECASE,
)
# Named robots that come in the clothes of what the list above excuses, or that the pattern does not know.
OWN = re.compile(
    r"gptbot|chatgpt-user|oai-searchbot|claude(?:bot|-web|-user|-searchbot)|anthropic-ai|perplexity(?:bot|-user)|mistralai-user|bytespider|ccbot|"
    r"headless|phantomjs|selenium|puppeteer|playwright|webdriver|lighthouse|pagespeed|gtmetrix|pingdom|uptime|googleother|google-extended|feedfetcher|"
    r"googlebot|bingbot|yandexbot|applebot|petalbot|ahrefs|semrush|mj12bot|dotbot|imageproxy|barracuda|proofpoint|mimecast|safelinks|"
    r"^(?:curl|wget|httpie|java|ruby|perl|php|go-http-client|okhttp|axios|node-fetch|undici|got|python|libwww|lwp|aiohttp|httpx|guzzle|"
    r"apache-httpclient|postman|postmanruntime|insomnia|scrapy|k6|jmeter|faraday|reqwest)\b|python-requests|python-urllib|\+https?://|^mozilla/5\.0$|^-?$",
    re.IGNORECASE,
)


class Bots:
    """Whether a user agent says it is a robot; answers are remembered."""

    def __init__(self, folder: Path) -> None:
        self._pattern = re.compile(read_json(folder, "bots")["pattern"], re.IGNORECASE)
        self._known: dict[str, bool] = {}

    def named(self, agent: str) -> bool:
        """Whether this user agent is a crawler's, a tool's or another machine's without a person."""
        found = self._known.get(agent)
        if found is None:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            found = self._known[agent] = self._read(agent[:LONGEST])
        return found

    def _read(self, agent: str) -> bool:
        if OWN.search(agent):
            return True
        return self._pattern.search(agent) is not None and NO_BOTS.search(agent) is None
