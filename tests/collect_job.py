"""The main job as a user runs it, and what it leaves in its data set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gensim2_episodes.check import check_episode
from gensim2_episodes.reader import EpisodeReader
from gensim2_episodes.store import EpisodeStore
from launch_process import LaunchProcess

# The first two end on a tick of the observations, where time stands still.
SEED = 0
# Without cameras an episode takes a second or two.
FAST = ("task:=OpenBox", "obs:=state")


class Job:
    """Launches of the main file that end with the test."""

    def __init__(self, folder: Path, domains: Iterator[int]) -> None:
        self.folder = folder
        self._domains = domains
        self._started: list[LaunchProcess] = []

    def start(self, dataset: str, *arguments: str, domain: int | None = None) -> LaunchProcess:
        """Launches the main file for a data set, on a domain of its own if none is given."""
        where = f"dataset:={self.folder / dataset}"
        words = ("gensim2", "sim_collect.launch.py", where, *arguments)
        chosen = next(self._domains) if domain is None else domain
        self._started.append(LaunchProcess(self.folder, chosen, *words))
        return self._started[-1]

    def begin_second_episode(self, dataset: str, *arguments: str) -> LaunchProcess:
        """Launches and waits until one episode is stored and the next one is being written."""
        launch = self.start_collection(dataset, *arguments)
        self.wait_for_second_episode(launch, dataset)
        return launch

    def start_collection(self, dataset: str, *arguments: str) -> LaunchProcess:
        """Launches a collection that takes longer than any test."""
        return self.start(dataset, *arguments, "episodes:=50", f"seed:={SEED}")

    def wait_for_second_episode(self, launch: LaunchProcess, dataset: str) -> None:
        """Waits until one episode is stored and the next one is being written."""
        launch.until(r"OpenBox \d+/50 +success")
        launch.until_true(lambda: bool(self.store(dataset).scan().partial))

    def store(self, dataset: str) -> EpisodeStore:
        """A data set."""
        return EpisodeStore(self.folder / dataset)

    def episodes(self, dataset: str, *, writer_killed: bool = False) -> dict[int, EpisodeReader]:
        """The readable episodes by seed; every one must be sound, and no other visible.

        Args:
            dataset: name of the data set.
            writer_killed: whether the recorder was killed; then its hidden remains may be there.
        """
        store = self.store(dataset)
        scan = store.scan()
        assert scan.broken == ()
        assert scan.partial == (scan.abandoned if writer_killed else ())
        assert all(partial.path.name.startswith(".") for partial in scan.partial)
        assert [check_episode(store, info) for info in scan.episodes] == [[]] * len(scan.episodes)
        return {i.manifest.seed: store.open_episode(i.episode_id) for i in scan.episodes}

    def close(self) -> None:
        """Ends what still runs."""
        for launch in self._started:
            launch.kill()
