"""How planning goes: counts and CPU times of the plans so far."""

from __future__ import annotations

from collections import Counter, deque

import numpy as np

from .plan import Plan, PlanCode, PlanFailure

KEPT = 1000  # CPU times; older ones are forgotten


class PlanStatistics:
    """Plans and failures of a planner. Not thread-safe."""

    def __init__(self) -> None:
        self._codes: Counter[str] = Counter()
        self._cpu_times: deque[float] = deque(maxlen=KEPT)
        self._last = "none"

    def note(self, outcome: Plan | PlanFailure) -> None:
        """Counts an outcome."""
        code = outcome.code if isinstance(outcome, PlanFailure) else PlanCode.NONE
        self._last = "planned" if code is PlanCode.NONE else code.name.lower()
        self._codes[self._last] += 1
        self._cpu_times.append(outcome.cpu_time)

    def values(self) -> dict[str, str]:
        """Figures by name, as text; CPU times in s."""
        values = {"last": self._last, "plans": str(self._codes["planned"])}
        if self._cpu_times:
            times = np.array(self._cpu_times)
            values["cpu_median"] = f"{np.median(times):.3f} s"
            values["cpu_p95"] = f"{np.percentile(times, 95):.3f} s"
        failures = {code: n for code, n in self._codes.items() if code != "planned"}
        return values | {f"failed_{code}": str(n) for code, n in sorted(failures.items())}
