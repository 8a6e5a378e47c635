"""Confidence: how far a share that was seen can be trusted."""

import math

_Z = 1.959963984540054  # 95 % on both sides


def share_lower_bound(hits: float, tries: float) -> float:
    """Wilson's lower bound of a share (Wilson 1927): 0..1; 0 without evidence, and never above hits / tries."""
    if tries <= 0:
        return 0.0
    share = min(1.0, hits / tries)
    square = _Z * _Z / tries
    bound = (share + square / 2 - _Z * math.sqrt(share * (1 - share) / tries + square / (4 * tries))) / (1 + square)
    return min(share, max(0.0, bound))
