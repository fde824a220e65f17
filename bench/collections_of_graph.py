"""Collections over the graph, each made once for all the figures that come from it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

from figures import BenchError, Settings
from first_motion_node import FirstMotion
from gensim2_episodes.errors import StoreError
from gensim2_episodes.store import EpisodeStore
from graph_run import GraphRun, MemoryPeak
from processes import pick_domain

TASK = "OpenBox"
SAMPLE_PERIOD = 0.5  # s
# More than are waited for: every run is ended by Ctrl-C in the middle of an episode.
_ENDLESS = 1000


@dataclass(frozen=True)
class Stored:
    """An episode on disk: number of frames, and bytes."""

    frames: int
    size: int


@dataclass(frozen=True)
class Collection:
    """What one launch has shown. Times in s.

    Attributes:
        obs: What was observed.
        first_process: From the start of the command to the line about the first process.
        first_state: From the start of the command to the first joint state.
        first_motion: From the start of the command to the first motion.
        start_cpu: CPU time up to the first motion, by process.
        walls: Wall time of each whole episode after the first.
        cpus: CPU time of the graph in each of those, by process.
        ctrl_c: From Ctrl-C until nothing is left.
        memory: The peak.
        episodes: What lies on disk.
    """

    obs: str
    first_process: float
    first_state: float
    first_motion: float
    start_cpu: dict[str, float]
    walls: list[float]
    cpus: list[dict[str, float]]
    ctrl_c: float
    memory: MemoryPeak
    episodes: list[Stored]


class Collections:
    """Makes collections on demand."""

    def __init__(self, settings: Settings) -> None:
        """Makes none yet."""
        self._settings = settings
        self._made: dict[str, Collection | BenchError] = {}

    def get(self, obs: str) -> Collection:
        """Gives the collection with an observation: `state`, `pointcloud` or `image`.

        Raises:
            BenchError: The job did not do what it should.
        """
        if obs not in self._made:
            # The first episode is part of the start; pictures of the last are for the disk only.
            count = self._settings.times({"state": 6, "pointcloud": 4}.get(obs, 2), 2)
            try:
                self._made[obs] = self._collect(obs, count)
            except BenchError as error:
                # What failed fails again: the other figures of it need not wait for that.
                self._made[obs] = error
        made = self._made[obs]
        if isinstance(made, BenchError):
            raise made
        return made

    def _collect(self, obs: str, attempts: int) -> Collection:
        settings = self._settings
        domain = pick_domain(len(self._made))
        folder = settings.folder / f"{obs}"
        folder.mkdir()
        dataset = folder / "data"
        words = [f"task:={TASK}", f"obs:={obs}", f"episodes:={_ENDLESS}", f"dataset:={dataset}"]
        words.append(f"seed:={settings.seed}")
        if settings.asset_root is not None:
            words.append(f"asset_root:={settings.asset_root}")
        settings.say(f"graph: {attempts} episodes with obs:={obs}, domain {domain}")
        listener = FirstMotion(domain)
        memory = MemoryPeak()
        run = GraphRun(folder, domain, words)
        try:
            with _watched(run, memory):
                run.until(lambda: listener.moved is not None, "the first motion")
                start = run.moment().cpu_since()
                listener.close()
                for number in range(1, attempts + 1):
                    run.until(lambda n=number: len(run.attempts) >= n, f"episode {number}")  # type: ignore[misc]
                    settings.say(f"graph: obs:={obs}, episode {number} of {attempts} is over")
                run.until(lambda: _is_writing(EpisodeStore(dataset)), "the next episode")
            ended = run.interrupt()
        finally:
            listener.close()
            run.kill()
        assert listener.heard is not None and listener.moved is not None
        pairs = list(pairwise(run.attempts[:attempts]))
        return Collection(
            obs=obs,
            first_process=next((t for t, line in run.lines if "started with pid" in line), 0.0),
            first_state=listener.heard - run.started,
            first_motion=listener.moved - run.started,
            start_cpu=start,
            walls=[b.t - a.t for a, b in pairs],
            cpus=[b.cpu_since(a) for a, b in pairs],
            ctrl_c=ended,
            memory=memory,
            episodes=_stored(EpisodeStore(dataset)),
        )


@contextmanager
def _watched(run: GraphRun, memory: MemoryPeak) -> Iterator[None]:
    ended = threading.Event()
    watch = threading.Thread(target=run.watch_memory, args=(memory, SAMPLE_PERIOD, ended))
    watch.start()
    try:
        yield
    finally:
        ended.set()
        watch.join()


def _is_writing(store: EpisodeStore) -> bool:
    return bool(store.scan().partial)


def _stored(store: EpisodeStore) -> list[Stored]:
    try:
        episodes = store.episodes()
    except StoreError as error:
        raise BenchError(f"the data set cannot be read: {error}") from error
    return [Stored(info.manifest.frames, info.size_bytes) for info in episodes]
