"""Sends many inputs of every kind to the checks of the project and counts what becomes of them.

Usage: ./ws python bench/fuzz --inputs 100000 --seed 1

An input is refused with a reason, or carried out within what must hold; anything else is a crash,
and makes the exit code 1. `--only NAME --seed SEED --inputs 1` repeats one.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from families import FAMILIES, split

WORKER = Path(__file__).with_name("worker.py")
MAX_CRASHES = 1000  # of one family


@dataclass
class Tally:
    """What became of the inputs of one family."""

    accepted: int = 0
    refused: int = 0
    cpu: float = 0.0
    wall: float = 0.0
    crashes: list[tuple[int, str, str]] = field(default_factory=list)

    @property
    def inputs(self) -> int:
        """Inputs that were sent."""
        return self.accepted + self.refused + len(self.crashes)


def run_family(name: str, seed: int, count: int) -> Tally:
    """Runs the inputs of one family; a worker that dies is replaced after the input it died of."""
    tally, started, at, end = Tally(), time.monotonic(), seed, seed + count
    while at < end and len(tally.crashes) < MAX_CRASHES:
        command = [sys.executable, str(WORKER), name, str(at), str(end - at)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
            assert worker.stdout is not None
            begun, since = None, 0
            for line in worker.stdout:
                told = json.loads(line) if line.startswith("{") else {}
                if "begun" in told:
                    begun, since = int(told["begun"]), since + 1
                elif "crash" in told:
                    tally.crashes.append((told["crash"], told["error"], told["trace"]))
                    since -= 1
                    if len(tally.crashes) >= MAX_CRASHES:
                        worker.terminate()
                elif "accepted" in told:
                    tally.accepted += told["accepted"]
                    tally.refused += told["refused"]
                    tally.cpu += told["cpu"]
                    since = 0
                    progress(name, tally, count, started)
        if worker.returncode == 0:
            break
        if begun is None:
            tally.crashes.append((at, f"the worker cannot start: {worker.returncode}", ""))
            break
        if len(tally.crashes) < MAX_CRASHES:
            # What was told last does not count the inputs since; they were neither of the two.
            tally.refused += since - 1
            tally.crashes.append((begun, f"the process ended with {worker.returncode}", ""))
        at = begun + 1
    tally.wall = time.monotonic() - started
    return tally


def progress(name: str, tally: Tally, count: int, started: float) -> None:
    """Writes the line over itself, or lines of their own where this is no terminal."""
    seconds = time.monotonic() - started
    text = f"{name:17s} {tally.inputs:6d}/{count}  {len(tally.crashes)} crashes  {seconds:6.0f} s"
    if sys.stdout.isatty():
        print(f"\r{text}", end="", flush=True)
    elif tally.inputs == count or int(seconds) % 30 == 0:
        print(text, flush=True)


def main() -> int:
    """Runs all families; returns 1 after a crash."""
    parser = argparse.ArgumentParser(prog="bench/fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000, help="over all families")
    parser.add_argument("--seed", type=int, default=1, help="of the first input of every family")
    parser.add_argument("--only", choices=FAMILIES, help="one family, with all the inputs")
    wanted = parser.parse_args()
    if wanted.inputs < 1 or wanted.seed < 0:
        parser.error("--inputs must be 1 or more, --seed 0 or more")
    counts = {wanted.only: wanted.inputs} if wanted.only else split(wanted.inputs)
    tallies = {}
    for name, count in counts.items():
        tallies[name] = run_family(name, wanted.seed, count)
        if sys.stdout.isatty():
            print()
    print(f"\n{'family':17s} {'inputs':>7s} {'accepted':>8s} {'refused':>8s} {'crashes':>7s} CPU s")
    for name, tally in tallies.items():
        print(
            f"{name:17s} {tally.inputs:7d} {tally.accepted:8d} {tally.refused:8d} "
            f"{len(tally.crashes):7d} {tally.cpu:7.1f}"
        )
    total = sum(tally.inputs for tally in tallies.values())
    spent = sum(tally.cpu for tally in tallies.values())
    crashes = [(name, *crash) for name, tally in tallies.items() for crash in tally.crashes]
    print(f"{total} inputs, {len(crashes)} crashes, {spent:.1f} s of CPU time")
    shown = set()
    for name, seed, error, trace in crashes:
        print(f"\ncrash: --only '{name}' --seed {seed} --inputs 1: {error}")
        lines = trace.strip().splitlines()
        place = lines[-3] if len(lines) > 2 else ""
        if place not in shown:
            shown.add(place)
            print(trace)
    return 1 if crashes else 0


if __name__ == "__main__":
    sys.exit(main())
