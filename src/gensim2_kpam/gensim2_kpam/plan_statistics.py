"""How planning goes: counts and CPU times of the plans so far."""

from __future__ import annotations

import threading
from collections import Counter, deque

import numpy as np

from .plan import Plan, PlanCode, PlanFailure

KEPT = 1000  # CPU times; older ones are forgotten


class PlanStatistics:
    """Plans and failures of a planner, noted in one thread and read in another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._codes: Counter[PlanCode] = Counter()
        self._cpu_times: deque[float] = deque(maxlen=KEPT)
        self._last = "nothing planned yet"

    def note(self, outcome: Plan | PlanFailure) -> None:
        """Counts an outcome."""
        code = outcome.code if isinstance(outcome, PlanFailure) else PlanCode.NONE
        with self._lock:
            self._last = _name(code)
            self._codes[code] += 1
            self._cpu_times.append(outcome.cpu_time)

    def values(self) -> dict[str, str]:
        """Figures by name, as text; CPU times in s, those of failures included."""
        with self._lock:
            times = np.array(self._cpu_times)
            codes = dict(self._codes)
            values = {"last": self._last}
        values["plans"] = str(codes.pop(PlanCode.NONE, 0))
        values["failures"] = str(sum(codes.values()))
        values |= {f"failures: {_name(code)}": str(n) for code, n in sorted(codes.items())}
        if len(times):
            values["CPU time of the last"] = f"{times[-1]:.3f} s"
            values["CPU time, median"] = f"{np.median(times):.3f} s"
            values["CPU time, p95"] = f"{np.percentile(times, 95):.3f} s"
        return values


def _name(code: PlanCode) -> str:
    return "planned" if code is PlanCode.NONE else code.name.lower()
