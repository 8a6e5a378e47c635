"""Amounts of money as whole micros: millionths of a currency unit.

Shops quote prices below a cent (Online Retail has 0.001 GBP), and sums of floats drift. An integer of
micros is exact, adds in any order to the same total, and fits 9.2 trillion units into 64 bits.
"""

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

MICROS = 1_000_000
LARGEST_MICROS = 9_000_000_000_000_000_000


def to_micros(amount: object) -> int | None:
    """Micros of an amount given as int, float, Decimal or text; None when it is not a finite amount that fits.

    Floats are read by their shortest decimal form, so 2.55 becomes 2_550_000 and never 2_549_999.
    """
    if isinstance(amount, bool) or amount is None:
        return None
    if isinstance(amount, int):
        micros = amount * MICROS
    elif isinstance(amount, float):
        if not -9e12 < amount < 9e12:  # also refuses NaN and the infinities
            return None
        micros = round(amount * MICROS)
    else:
        try:
            micros = int((Decimal(str(amount)) * MICROS).to_integral_value(ROUND_HALF_EVEN))
        except (InvalidOperation, ValueError, OverflowError):
            return None
    return micros if -LARGEST_MICROS <= micros <= LARGEST_MICROS else None


def from_micros(micros: int) -> Decimal:
    """The amount in currency units, exactly."""
    return Decimal(micros) / MICROS
