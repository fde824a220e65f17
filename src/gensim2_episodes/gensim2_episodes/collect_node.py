"""Console script `collect`: asks the episode manager for demonstrations and shows how it goes."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import rclpy
from gensim2_control.ros.parameters import (
    declare_parameters,
    parameter,
    reject_unknown_parameters,
)
from gensim2_control.ros.start_error import StartError
from gensim2_tasks.catalogue import TaskError, select_tasks
from rclpy.node import Node
from rich.filesize import decimal

from gensim2_episodes.attempts import Attempt, CanceledError, CollectionError, ResultCode
from gensim2_episodes.collect_report import attempt_line, look_at_dataset, summary_table
from gensim2_episodes.collection_client_node import CollectionClient
from gensim2_episodes.controllers import controller_node
from gensim2_episodes.dataset_cli import make_console
from gensim2_msgs.action import CollectEpisodes

EXIT_INTERRUPTED = 130
_FAILED = 1


@dataclass(frozen=True)
class CollectParameters:
    """What to collect."""

    task: str = parameter("OpenBox", "One task, a comma list, or all.")
    asset: str = parameter("", "Asset reference or id; empty = drawn by seed.")
    episodes: int = parameter(1, "Successful episodes wanted per task.", low=1, high=10**6)
    seed: int = parameter(0, "Seed of the first attempt; attempt k has seed + k - 1.", low=0)
    randomize: bool = parameter(True, "Draw pose and openness of the objects.")
    dataset: str = parameter("gensim2_dataset", "Folder of the data set; made if missing.")
    keep_failures: bool = parameter(False, "Store failed attempts too.")
    max_attempts: int = parameter(
        0, "Attempts per task; 0 = three times the episodes, and five.", low=0, high=10**7
    )
    controller: str = parameter(
        "kpam_expert", "Who performs the tasks: kpam, policy, teleop, or the name of a node."
    )
    server_timeout: float = parameter(
        120.0, "Longest wait for episode_manager to appear, s of wall time.", low=0.1
    )
    silence_timeout: float = parameter(
        20.0,
        "Silence on diagnostics after which a node that was heard there before counts as dead, "
        "four times as long as hung where it is still seen in the graph, s of wall time. Longer "
        "than that of episode_manager, which knows more.",
        low=2.0,
        high=3600.0,
    )


class CollectNode(Node):
    """Sends one goal, reports what comes back, and ends with an exit code."""

    def __init__(self) -> None:
        super().__init__("collect")
        self.exit_code = _FAILED
        self._wanted = declare_parameters(self, CollectParameters).value
        reject_unknown_parameters(self)
        try:
            self._tasks = select_tasks(self._wanted.task)
        except TaskError as error:
            raise StartError(str(error)) from None
        self._dataset = Path(self._wanted.dataset).expanduser().absolute()
        self._console = make_console()
        self._interrupted = threading.Event()
        self._client = CollectionClient(self, self._wanted.silence_timeout, self._say, self._note)
        self._thread = threading.Thread(target=self._run, name="collect")
        self._thread.start()

    def close(self) -> None:
        """Ends the collection: cancels the goal and waits for the manager."""
        self._interrupted.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            self.exit_code = self._exit_code()
        finally:
            if not self._interrupted.is_set():
                rclpy.try_shutdown()

    def _exit_code(self) -> int:
        try:
            code, text = self._collect()
        except CanceledError:
            code, text = ResultCode.CANCELED, "cancelled"
        except CollectionError as error:
            code, text = error.code, str(error)
        self._summary()
        if self._interrupted.is_set() and code is not ResultCode.NONE:
            lost = ": the running episode was discarded" if self._client.under_way else ""
            self._say(f"[yellow]interrupted[/]{lost}")
            return EXIT_INTERRUPTED
        if code is not ResultCode.NONE:
            self._console.print(f"{code.name}: {text}", style="red", markup=False, soft_wrap=True)
            return _FAILED
        return 0

    def _stopped(self) -> Exception | None:
        return CanceledError() if self._interrupted.is_set() else None

    def _collect(self) -> tuple[ResultCode, str]:
        p = self._wanted
        goal = CollectEpisodes.Goal(
            tasks=self._tasks,
            asset=p.asset,
            episodes=p.episodes,
            max_attempts=p.max_attempts,
            seed=p.seed,
            randomize=p.randomize,
            keep_failures=p.keep_failures,
            dataset=str(self._dataset),
            controller=controller_node(p.controller),
        )
        return self._client.collect(goal, p.server_timeout, self._stopped)

    def _note(self, attempt: Attempt) -> None:
        self._say(attempt_line(self._client.attempts))

    def _summary(self) -> None:
        if not self._client.attempts:
            return
        sizes, notes = look_at_dataset(self._dataset)
        attempts = self._client.attempts
        table = summary_table(self._tasks, attempts, self._wanted.episodes, sizes)
        self._console.print(table)
        mine = sum(sizes.get(attempt.episode_id, 0) for attempt in attempts)
        self._say(f"data set {self._dataset}: {decimal(mine)} added, {len(sizes)} episodes")
        for note in notes:
            self._console.print(note, style="yellow", markup=False, soft_wrap=True)

    def _say(self, text: str) -> None:
        self._console.print(text, soft_wrap=True)
