"""Confidence: how far a share that was seen can be trusted."""

import math
from typing import Any

import numpy as np

_Z = 1.959963984540054  # 95 % on both sides


def share_lower_bound(hits: float, tries: float) -> float:
    """Wilson's lower bound of a share (Wilson 1927): 0..1; 0 without evidence, and never above hits / tries."""
    if tries <= 0:
        return 0.0
    share = min(1.0, hits / tries)
    square = _Z * _Z / tries
    bound = (share + square / 2 - _Z * math.sqrt(share * (1 - share) / tries + square / (4 * tries))) / (1 + square)
    return min(share, max(0.0, bound))


def chance_above(hits: Any, tries: Any, border: float = 0.5) -> Any:
    """How probable it is that the true share lies above a border, of whole columns: the Beta posterior over a uniform prior, taken as normal.

    For an answer that is a side ("the place seen most"), this is the chance that it is right; a share's lower bound would be too modest.
    """
    hits, tries = np.nan_to_num(np.asarray(hits, np.float64)), np.nan_to_num(np.asarray(tries, np.float64))
    one, other = hits + 1.0, np.maximum(tries - hits, 0.0) + 1.0
    mean = one / (one + other)
    spread = np.sqrt(mean * (1.0 - mean) / (one + other + 1.0))
    return _NORMAL((mean - border) / spread)


_NORMAL = np.vectorize(lambda score: 0.5 * (1.0 + math.erf(score / math.sqrt(2.0))), otypes=[np.float64])


def share_lower_bounds(hits: Any, tries: Any) -> Any:
    """`share_lower_bound` of whole columns."""
    hits, tries = np.nan_to_num(np.asarray(hits, np.float64)), np.nan_to_num(np.asarray(tries, np.float64))
    some = np.where(tries > 0, tries, 1.0)
    share = np.clip(hits / some, 0.0, 1.0)
    square = _Z * _Z / some
    bound = (share + square / 2 - _Z * np.sqrt(share * (1 - share) / some + square / (4 * some))) / (1 + square)
    return np.where(tries > 0, np.minimum(share, np.maximum(0.0, bound)), 0.0)
