"""Runs episodes without the graph, in several processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from multiprocessing import get_context
from pathlib import Path
from queue import Empty

from .evaluation import Judged
from .headless_worker import Job, Wanted, work

POLL = 1.0  # s


def calibration_file(text: str) -> Path:
    """The calibration of the cameras that is named; empty = that of the project."""
    if text:
        return Path(text).expanduser()
    from ament_index_python.packages import get_package_share_directory

    return Path(get_package_share_directory("gensim2")) / "config" / "cameras.yaml"


def run_episodes(job: Job, wanted: Sequence[Wanted], jobs: int) -> Iterator[Judged]:
    """The episodes, in the order in which they end.

    Raises:
        RuntimeError: A process has ended before its episodes have.
    """
    # Not forked: neither PyTorch nor the renderer may be used on both sides of a fork.
    context = get_context("spawn")
    results = context.Queue()
    count = min(jobs, len(wanted))
    workers = [
        context.Process(target=work, args=(job, wanted[k::count], results), daemon=True)
        for k in range(count)
    ]
    for worker in workers:
        worker.start()
    left = len(wanted)
    try:
        while left:
            try:
                result = results.get(timeout=POLL)
            except Empty:
                if any(worker.exitcode for worker in workers):
                    raise RuntimeError("a process of the evaluation has crashed") from None
                continue
            if isinstance(result, str):
                raise RuntimeError(result)
            left -= 1
            yield result
    finally:
        for worker in workers:
            worker.terminate()
            worker.join()
