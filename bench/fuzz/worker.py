"""Runs the inputs of one family and tells about each block of them, a line of JSON at a time.

A process of its own: an input that ends the process, or hangs it, is told by what came last.
"""

from __future__ import annotations

import json
import signal
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

from families import load_family

TELL_PERIOD = 1.0  # s of wall time
HANG = 120  # s of wall time for one input, on a busy machine


class HangError(Exception):
    """An input took far too long."""


def _expired(*_: object) -> None:
    raise HangError(f"no answer within {HANG} s")


def run(name: str, first: int, count: int) -> None:
    """Runs the inputs with the seeds from `first` on."""
    # What overflows on the way to a refusal is no finding.
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, _expired)
    with tempfile.TemporaryDirectory(prefix="gensim2_fuzz_") as scratch:
        family = load_family(name, Path(scratch))
        accepted = refused = 0
        cpu, told = time.process_time(), 0.0
        for seed in range(first, first + count):
            # Before it runs, so that the input that ends the process is known.
            tell(begun=seed)
            signal.alarm(HANG)
            try:
                if family.run(seed):
                    accepted += 1
                else:
                    refused += 1
            except (Exception, SystemExit) as error:
                text = "".join(traceback.format_exception(error))
                tell(crash=seed, error=f"{type(error).__name__}: {error}", trace=text)
            finally:
                signal.alarm(0)
            now = time.monotonic()
            if now - told > TELL_PERIOD or seed == first + count - 1:
                told, spent = now, time.process_time() - cpu
                tell(accepted=accepted, refused=refused, cpu=spent)
                accepted = refused = 0
                cpu += spent


def tell(**values: object) -> None:
    """Writes a line for the parent."""
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
