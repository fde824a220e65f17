"""Goals of `collect` of any kind, and what must hold: a typed result, and nothing is broken."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
from gensim2_episodes.attempts import (
    CanceledError,
    GraphError,
    ResetReply,
    ResultCode,
    Stopped,
    TaskImpossibleError,
)
from gensim2_episodes.episode_manager_node import _request
from gensim2_episodes.manager import Collection, ManagerConfig
from gensim2_episodes.manifest import Rates, SoftwareRecord
from gensim2_tasks.catalogue import task_names
from rclpy.serialization import deserialize_message, serialize_message

from gensim2_msgs.action import CollectEpisodes

NAMES = ("", "OpenBx", "all", "é", "x" * 3000, "../x", "\t", "OpenBox,CloseBox")
WHOLE = (0, 1, 2, 3, 2**31, 2**32 - 1)


class _Cell:
    """A graph in which no scene can be built; it ends after some requests."""

    def __init__(self, fate: int) -> None:
        self.fate, self.asked = fate, 0

    def ready(self, stopped: Stopped) -> None:
        if error := stopped():
            raise error

    def reset(
        self, task: str, asset: str, seed: int, randomize: bool, stopped: Stopped
    ) -> ResetReply:
        assert task in task_names() and 0 <= seed < 2**64
        self.asked += 1
        if self.asked > 20:
            raise CanceledError("that is enough")
        if self.fate == 0:
            raise GraphError("scene/reset does not answer")
        if self.fate == 1:
            raise TaskImpossibleError("no such asset")
        return ResetReply(None, {}, "no free placement")

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} is used though there is no scene")


class Collections:
    """Goals with folders that are new, in use, files, or unwritable.

    Args:
        scratch: For data sets.
    """

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch

    def run(self, seed: int) -> bool:
        """Collects for one goal; True = it got as far as asking for a scene."""
        rng = np.random.default_rng(seed)
        folder = self._scratch / "case"
        folder.mkdir()
        try:
            return self._run(rng, folder)
        finally:
            shutil.rmtree(folder)

    def _run(self, rng: np.random.Generator, folder: Path) -> bool:
        tasks = [str(n) for n in rng.choice(task_names(), int(rng.integers(0, 4)))]
        if rng.random() < 0.3:
            tasks.append(str(rng.choice(NAMES)))
        goal = CollectEpisodes.Goal(
            tasks=tasks,
            asset=str(rng.choice(NAMES)),
            episodes=int(rng.choice(WHOLE)),
            max_attempts=int(rng.choice(WHOLE)),
            seed=(0, 1, 2**63, 2**64 - 1)[int(rng.integers(4))],
            randomize=bool(rng.integers(2)),
            keep_failures=bool(rng.integers(2)),
            dataset=_dataset(rng, folder),
            controller=str(rng.choice([*NAMES, "kpam_expert"])),
        )
        sent = deserialize_message(serialize_message(goal), CollectEpisodes.Goal)
        cell = _Cell(int(rng.integers(3)))
        config = ManagerConfig(rates=Rates(observation=10.0))
        collection = Collection(_request(sent), cell, config, software=SoftwareRecord())
        result = collection.run()
        assert result.code is not ResultCode.INTERNAL, (result.text, result.cause)
        assert result.text, "no reason"
        assert not any(attempt.success for attempt in result.attempts)
        if cell.asked:
            assert tasks and all(t in task_names() for t in tasks) and sent.episodes
        else:
            assert result.code in (ResultCode.UNKNOWN_TASK, ResultCode.DATASET_ERROR)
        return cell.asked > 0


def _dataset(rng: np.random.Generator, folder: Path) -> str:
    kind = int(rng.integers(9))
    if kind <= 2:
        return str(folder / "new")
    if kind == 3:
        (folder / "file").write_text("x")
        return str(folder / "file" / ("below" if rng.random() < 0.5 else ""))
    if kind == 4:
        (folder / "full").mkdir()
        (folder / "full" / "thing").write_text("x")
        return str(folder / "full")
    if kind == 5:
        (folder / "cut").mkdir()
        (folder / "cut" / "dataset.json").write_bytes(rng.bytes(int(rng.integers(30))))
        return str(folder / "cut")
    if kind == 6:
        (folder / "loop").symlink_to("loop")
        return str(folder / "loop")
    return str(folder / str(rng.choice(["x" * 3000, "é", "a/b/c", " ", "-"])))
