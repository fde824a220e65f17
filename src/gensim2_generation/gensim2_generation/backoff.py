"""How long to wait before asking a busy server again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

import numpy as np


@dataclass(frozen=True)
class Patience:
    """How often and how long a server is asked.

    Attributes:
        tries: Of one question.
        base: Of the first wait, s; each one is twice as long as the one before.
        longest: Wait, s, also of those that the server asks for.
        request: s for one reply from its beginning to its end.
        connect: s to reach the server.
    """

    tries: int = 5
    base: float = 1.0
    longest: float = 60.0
    request: float = 180.0
    connect: float = 15.0


def wait_time(
    patience: Patience, attempt: int, headers: Mapping[str, str], rng: np.random.Generator
) -> float:
    """Time to wait, s.

    Args:
        patience: See there.
        attempt: Tries before, 1 or more.
        headers: Of the reply; what the server asks for there is granted, up to the longest wait.
        rng: So that several who wait do not come back together.
    """
    asked = retry_after(headers)
    grown = min(patience.longest, patience.base * 2.0 ** min(attempt - 1, 100))
    own = grown * float(rng.uniform(0.5, 1.0))
    return own if asked is None else min(patience.longest, max(asked, 0.0))


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Time that a server asks to wait, s; None = it does not, or nobody understands it."""
    found = {k.lower(): v for k, v in headers.items()}
    for name, scale in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        text = found.get(name, "").strip()
        if text.replace(".", "", 1).isdecimal() and text.isascii():
            return float(text) * scale
        if name == "retry-after" and text:
            try:
                then = parsedate_to_datetime(text)
            except (TypeError, ValueError):
                return None
            if then.tzinfo is None:
                then = then.replace(tzinfo=timezone.utc)
            return (then - (now or datetime.now(timezone.utc))).total_seconds()
    return None
