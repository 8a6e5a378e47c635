"""Texts as numbers: what a text is about, by a linear model over its words, its pairs of words and runs of letters.

    text ──words, pairs, runs of 3 to 5 letters──► hashed pieces ──TF-IDF, two halves of length 1──► weights ──► one score a class

The model is the sum of two linear ones that err differently: support vectors (each class against the rest, squared hinge), learnt by AdaGrad over the
texts in a fixed order, so that the same texts give the same model, and complement naive Bayes (Rennie et al. 2003).
Letters are compared without diacritics, since half of what people type has none. What was learnt is JSON.
"""

import base64
import re
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from cegla.vocabulary.folding import folded

BUCKETS = 2**14  #: of each half: words with pairs, and runs of letters
ROUNDS, BATCH, RATE, DECAY = 12, 256, 0.15, 1e-5
WORD = re.compile(r"[^\W_]+")
HELD_OUT, LEAST_HELD_OUT = 10, 40  #: every tenth row measures how sure the model may be, when there are enough of them
SMOOTHING, SHARE_OF_BAYES = 0.01, 1.5
UNMEASURED = 3.5  #: by what odds are multiplied where too few rows are there to measure it; 60 to 350 headlines asked for 3.8 to 5.7
_STEPS = 127.0  #: weights are kept as one signed byte
_crc = zlib.crc32


@dataclass(frozen=True)
class Rows:
    """Texts as hashed pieces: those of text i are `places[starts[i]:starts[i + 1]]`, with how often each occurs in `counts`."""

    starts: Any
    places: Any
    counts: Any
    buckets: int

    def __len__(self) -> int:
        return len(self.starts) - 1


def words_of(text: str) -> list[str]:
    """The words of a text, in lower case and without diacritics."""
    return WORD.findall(folded(text))


def hashed(texts: Iterable[str], buckets: int = BUCKETS, lemma: Callable[[str], str] | None = None) -> Rows:
    """Texts as rows; with `lemma` a word counts as its base form, while runs of letters are taken from the text as it is."""
    starts, places, counts = [0], list[int](), list[int]()
    for text in texts:
        found = _pieces(text, buckets, lemma)
        places += found.keys()
        counts += found.values()
        starts.append(len(places))
    return Rows(np.array(starts), np.array(places, np.int64), np.array(counts, np.float64), buckets)


def learn_classes(rows: Rows, classes: Sequence[int], count: int, rounds: int = ROUNDS) -> dict[str, Any]:
    """The model that tells `count` classes apart, from rows whose class is known.

    How far its odds may be believed is measured on a tenth of the rows that a trial model did not see (temperature scaling, Guo et al. 2017).
    """
    truth = np.asarray(classes, np.int64)
    learnt, held = np.arange(len(rows)) % HELD_OUT != 0, np.arange(len(rows)) % HELD_OUT == 0
    sharpness = UNMEASURED
    if held.sum() >= LEAST_HELD_OUT:
        trial = _learnt(_taken(rows, learnt), truth[learnt], count, rounds)
        sharpness = _sharpness(_odds(trial, _taken(rows, held)), truth[held])
    return _learnt(rows, truth, count, rounds) | {"sharpness": sharpness}


def _learnt(rows: Rows, truth: Any, count: int, rounds: int) -> dict[str, Any]:
    idf = _idf(rows)
    values = _weighted(rows, idf)
    weights, squares = np.zeros((2 * rows.buckets, count)), np.full((2 * rows.buckets, count), 1e-4)
    bias = 2.0 * (np.bincount(truth, minlength=count) + 1.0) / (len(truth) + count) - 1.0  # what the squared hinge asks of a text without words
    for turn in range(rounds):
        order = np.arange(len(rows)) * _stride(len(rows), turn) % max(len(rows), 1)
        for start in range(0, len(rows), BATCH):
            _step(rows, values, truth, order[start : start + BATCH], (weights, squares, bias))
    weights = _with_bayes(rows, values, truth, weights)
    largest = float(np.abs(weights).max(initial=1e-9))
    kept = np.round(weights / largest * _STEPS).astype(np.int8)
    return {"buckets": rows.buckets, "classes": count, "bias": (bias / (1.0 + SHARE_OF_BAYES)).round(5).tolist(), "scale": largest / _STEPS,
        "weights": _packed(kept), "idf": _packed(np.round(np.minimum(idf, 15.9) * 16).astype(np.uint8))}  # fmt: skip


def chances_of(model: Mapping[str, Any], rows: Rows) -> Any:
    """The chance of each class (columns) for each text (rows), as `learn_classes` learnt it."""
    return _softmax(_odds(model, rows) * model.get("sharpness", 1.0))


def _odds(model: Mapping[str, Any], rows: Rows) -> Any:
    weights, idf = _unpacked(model["weights"], model["idf"], model["classes"])
    return _summed(rows, _weighted(rows, idf), weights) * model["scale"] + np.asarray(model["bias"])


def _taken(rows: Rows, chosen: Any) -> Rows:
    """Some of the rows, in their order."""
    lengths = np.diff(rows.starts)
    pieces = np.repeat(chosen, lengths)
    return Rows(np.concatenate([[0], np.cumsum(lengths[chosen])]), rows.places[pieces], rows.counts[pieces], rows.buckets)


def _sharpness(odds: Any, truth: Any) -> float:
    """By what odds are to be multiplied so that rows that were not learnt from are least surprising."""
    tried = np.geomspace(0.25, 16.0, 73)
    surprise = [-np.log(np.maximum(_softmax(odds * one)[np.arange(len(truth)), truth], 1e-12)).mean() for one in tried]
    return round(float(tried[int(np.argmin(surprise))]), 4)


def _pieces(text: str, buckets: int, lemma: Callable[[str], str] | None) -> dict[int, int]:
    """How often each bucket is hit: words and pairs in the first half of the buckets, runs of letters in the second."""
    plain = words_of(text)
    words = plain if lemma is None else [folded(lemma(word)) for word in WORD.findall(text.lower())]
    found: dict[int, int] = {}
    for piece in (*words, *(f"{one} {other}" for one, other in pairwise(words))):
        place = _crc(piece.encode()) % buckets
        found[place] = found.get(place, 0) + 1
    for word in plain:
        framed = f"<{word}>".encode()
        for length in (3, 4, 5):
            for start in range(len(framed) - length + 1):
                place = buckets + _crc(framed[start : start + length]) % buckets
                found[place] = found.get(place, 0) + 1
    return found


def _idf(rows: Rows) -> Any:
    return np.log((1.0 + len(rows)) / (1.0 + np.bincount(rows.places, minlength=2 * rows.buckets))) + 1.0


def _weighted(rows: Rows, idf: Any) -> Any:
    """TF-IDF with the logarithm of counts; each half of a text has length 1, so that long words do not drown the words."""
    values = (1.0 + np.log(rows.counts)) * idf[rows.places]
    row = np.repeat(np.arange(len(rows)), np.diff(rows.starts)) * 2 + (rows.places >= rows.buckets)
    length = np.sqrt(np.bincount(row, values**2, 2 * len(rows)))
    return values / np.maximum(length, 1e-12)[row]


def _with_bayes(rows: Rows, values: Any, truth: Any, weights: Any) -> Any:
    """The weights of both models together, each counting by how far it usually goes; their mean is less sure than either."""
    count = weights.shape[1]
    of_class = truth[np.repeat(np.arange(len(rows)), np.diff(rows.starts))]
    sums = np.bincount(rows.places * count + of_class, values, 2 * rows.buckets * count).reshape(-1, count) + SMOOTHING
    rest = sums.sum(axis=1, keepdims=True) - sums
    bayes = -np.log(rest / rest.sum(axis=0))
    bayes -= bayes.mean(axis=1, keepdims=True)
    far, further = _summed(rows, values, weights).std(), _summed(rows, values, bayes).std()
    return (weights + SHARE_OF_BAYES * bayes * float(far) / max(float(further), 1e-12)) / (1.0 + SHARE_OF_BAYES)


def _summed(rows: Rows, values: Any, weights: Any) -> Any:
    """What the pieces of each text weigh together, a column a class."""
    if not len(rows):
        return np.zeros((0, weights.shape[1]))
    padded = np.vstack([values[:, None] * weights[rows.places], np.zeros((1, weights.shape[1]))])
    return np.where((np.diff(rows.starts) > 0)[:, None], np.add.reduceat(padded, rows.starts[:-1], axis=0), 0.0)


def _step(rows: Rows, values: Any, truth: Any, chosen: Any, model: tuple[Any, Any, Any]) -> None:
    """One step of AdaGrad on some texts; `model` is changed in place."""
    weights, squares, bias = model
    lengths = (rows.starts[1:] - rows.starts[:-1])[chosen]
    ends = np.cumsum(lengths)
    own = np.arange(ends[-1]) - np.repeat(ends - lengths, lengths) + np.repeat(rows.starts[chosen], lengths)
    row = np.repeat(np.arange(len(chosen)), lengths)
    touched, inverse = np.unique(rows.places[own], return_inverse=True)
    part, weigh = weights[touched], values[own]
    count = weights.shape[1]
    odds = np.column_stack([np.bincount(row, weigh * part[inverse, one], len(chosen)) for one in range(count)]) + bias
    side = np.where(np.arange(count) == truth[chosen, None], 1.0, -1.0)
    wrong = -side * np.maximum(1.0 - side * odds, 0.0)
    slope = np.column_stack([np.bincount(inverse, weigh * wrong[row, one], len(touched)) for one in range(count)]) / len(chosen) + DECAY * part
    squares[touched] += slope**2
    weights[touched] = part - RATE * slope / np.sqrt(squares[touched])


def _stride(rows: int, turn: int) -> int:
    """A step that visits every row once in an order that looks mixed: coprime to the number of rows."""
    step = int(rows * 0.6180339887) + 2 * turn + 1
    while rows > 1 and np.gcd(step, rows) != 1:
        step += 1
    return max(step, 1)


def _softmax(odds: Any) -> Any:
    raised = np.exp(odds - odds.max(axis=1, keepdims=True, initial=-1e300))
    return raised / raised.sum(axis=1, keepdims=True)


def _packed(numbers: Any) -> str:
    return base64.b64encode(zlib.compress(numbers.tobytes(), 6)).decode()


@lru_cache(maxsize=4)
def _unpacked(weights: str, idf: str, count: int) -> tuple[Any, Any]:
    kept = np.frombuffer(zlib.decompress(base64.b64decode(weights)), np.int8).reshape(-1, count)
    return kept.astype(np.float32), np.frombuffer(zlib.decompress(base64.b64decode(idf)), np.uint8).astype(np.float64) / 16
