"""Text messages: are they cut as an outside calculator cuts them? Twilio's `sms-segments-calculator` is fetched by npm and asked about the same texts.

    3,000 random texts (seeded: GSM letters, its double signs, Polish, typography, emoji, Cyrillic) ─► ours and theirs ─► alphabet and parts

The two must agree on every one. Needs node and npm; nothing of the calculator ships with the project.
"""

import argparse
import json
import random
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from bench.result import Result
from cegla.activate.rules import sms

PACKAGE = "sms-segments-calculator@1.3.0"
TEXTS = 3_000
LETTERS = (
    "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789 .,!?;:-+%&()/'\"@£$¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉÄÖÑÜ§¿äöñüà¡",
    "^{}[]~\\|€", "ąćęłńóśźżĄĆĘŁŃÓŚŹŻ", "„”’–…\u00a0", "😀🎁👍🏽🇵🇱❤️", "приветмир", "\n",
)  # fmt: skip
ASK = """
const { SegmentedMessage } = require('sms-segments-calculator');
const texts = JSON.parse(require('fs').readFileSync(0, 'utf8'));
console.log(JSON.stringify(texts.map((text) => { const m = new SegmentedMessage(text); return [m.encodingName, m.segmentsCount]; })));
"""


def main(options: list[str]) -> list[Result]:
    """`--texts N`, `--seed S`."""
    parser = argparse.ArgumentParser(prog="bench sms")
    parser.add_argument("--texts", type=int, default=TEXTS)
    parser.add_argument("--seed", type=int, default=7)
    wanted = parser.parse_args(options)
    texts = random_texts(wanted.texts, wanted.seed)
    theirs = asked(texts)
    began = time.process_time()
    ours = [sms.cut(text) for text in texts]
    seconds = time.process_time() - began
    names = {"gsm-7": "GSM-7", "ucs-2": "UCS-2"}
    apart = [
        (text, (names[own.encoding], own.parts), other)
        for text, own, other in zip(texts, ours, theirs, strict=True)
        if [names[own.encoding], own.parts] != other
    ]
    for text, own, other in apart[:10]:
        print(f"apart: {text!r}: ours {own}, theirs {other}")
    several = sum(one.parts > 1 for one in ours)
    print(
        f"{len(texts):,} texts (seed {wanted.seed}), {several:,} of several parts, {sum(one.encoding == 'ucs-2' for one in ours):,} in UCS-2; {PACKAGE} by npm"
    )
    return [
        Result("SMS: cut as the outside calculator cuts them", len(texts) - len(apart), "texts", f"{len(texts):,} of {len(texts):,}", not apart, PACKAGE),
        Result("SMS: texts cut", len(texts) / seconds, "/s", "shown", True, "processor time"),
    ]


def random_texts(count: int, seed: int) -> list[str]:
    """Texts whose lengths crowd where parts begin and end."""
    chance = random.Random(seed)
    edges = (1, 20, 69, 70, 71, 134, 135, 152, 153, 154, 159, 160, 161, 201, 305, 306, 307, 459, 460, 600)
    texts: list[str] = []
    for _ in range(count):
        kinds = [LETTERS[0], *(kind for kind in LETTERS[1:] if chance.random() < 0.25)]
        weights = [chance.choice((30, 100, 300)), *(chance.choice((1, 3, 10)) for _ in kinds[1:])]
        length = max(0, chance.choice(edges) + chance.randint(-2, 2))
        texts.append("".join(_sign(chance, chance.choices(kinds, weights)[0]) for _ in range(length)))
    return texts


def _sign(chance: random.Random, kind: str) -> str:
    return chance.choice(kind) if "😀" not in kind else chance.choice("😀🎁👍🚀🛒")


def asked(texts: list[str]) -> list[list[object]]:
    """What the outside calculator says of each text: its alphabet and its parts."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise SystemExit("this bench needs node and npm")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", PACKAGE], cwd=folder, check=True, capture_output=True)
        Path(folder, "ask.js").write_text(ASK, encoding="utf-8")
        found = subprocess.run(["node", "ask.js"], input=json.dumps(texts), cwd=folder, check=True, capture_output=True, text=True)
    return json.loads(found.stdout)
