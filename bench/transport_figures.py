"""Figures of the transport between two processes, with the settings that `./ws` makes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from figures import BenchError, Figure, Settings, Spread, ratio
from processes import pick_domain
from transport_pair_node import CLOUD_RATE, POINTS, STATE_RATE

_PAIR = Path(__file__).with_name("transport_pair_node.py")
_GUARD = 60.0
_PROFILE = "FASTRTPS_DEFAULT_PROFILES_FILE"
_LABELS = {
    "cloud": f"clouds of {POINTS} points at {CLOUD_RATE:g} Hz",
    "state": f"joint states at {STATE_RATE:g} Hz",
}


def measure_transport(settings: Settings) -> list[Figure]:
    """Measures loss, latency and CPU time of clouds and joint states sent together."""
    seconds = settings.times(20, 3)
    profile = os.environ.get(_PROFILE)
    if not profile:
        raise BenchError(f"{_PROFILE} is not set: run this as ./ws python bench")
    settings.say(f"transport: clouds and joint states for {seconds} s")
    sender, hearer = _run(seconds)
    found = []
    for name, label in _LABELS.items():
        ages = [1000 * age for age in hearer["ages"][name]]
        sent = sender["sent"][name]
        share = 100 * ratio(len(ages), sent)
        found.append(
            Figure(f"transport.{name}.received", f"{label}, received", share, "%", None, sent)
        )
        found += Spread(ages).figures(
            f"transport.{name}.latency", f"{label}, latency", "ms", "median", "p95"
        )
    for name, result in (("sender", sender), ("receiver", hearer)):
        found.append(
            Figure(f"transport.{name}.cpu", f"{name}, CPU per wall", 100 * result["cpu"], "%")
        )
    return found


def _run(seconds: float) -> tuple[dict[str, Any], dict[str, Any]]:
    environment = {**os.environ, "ROS_DOMAIN_ID": str(pick_domain(4))}
    words = {"hear": ["hear"], "send": ["send", str(seconds)]}
    started = {
        name: subprocess.Popen(
            [sys.executable, str(_PAIR), *rest],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name, rest in words.items()
    }
    results = {}
    try:
        for name in ("send", "hear"):
            output, _ = started[name].communicate(timeout=seconds + _GUARD)
            if started[name].returncode != 0:
                raise BenchError(f"{_PAIR.name} {name} failed, see above")
            results[name] = json.loads(output)
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"{_PAIR.name}: {error}") from error
    finally:
        for process in started.values():
            process.kill()
            process.wait()
    return results["send"], results["hear"]
