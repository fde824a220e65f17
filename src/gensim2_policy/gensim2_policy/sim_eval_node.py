"""Program `sim_eval`: evaluates a policy over the graph, and writes a report."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import rclpy
from gensim2_control.ros.parameters import declare_parameters, parameter
from gensim2_control.ros.start_error import StartError
from gensim2_episodes.attempts import Attempt, CanceledError, CollectionError, ResultCode
from gensim2_episodes.collection_client_node import CollectionClient
from gensim2_episodes.controllers import controller_node
from gensim2_episodes.dataset_cli import make_console
from gensim2_episodes.errors import StoreError
from gensim2_episodes.show import save_contact_sheet
from gensim2_episodes.store import EpisodeStore
from rclpy.node import Node

from gensim2_msgs.action import CollectEpisodes

from .checkpoint import CheckpointError, find_checkpoint, load_record
from .evaluation import SEEN, UNSEEN, Judged, relative, share, table, write_report
from .film_node import FilmCrew

INTERRUPTED, FAILED = 130, 1


@dataclass(frozen=True)
class SimEvalParameters:
    """What to evaluate."""

    policy: str = parameter("", "Folder of a run or of a checkpoint.")
    task: str = parameter("all", "A task, a comma list, or all: those it was trained on.")
    episodes: int = parameter(20, "Episodes of every task.", low=1, high=10**5)
    seed: int = parameter(900_000, "Seed of the first episode; the others follow.", low=0)
    asset: str = parameter("", "Asset reference or id; empty = drawn by seed.")
    out: str = parameter("", "Folder of the report; empty = sim_eval beside the policy.")
    controller: str = parameter("policy", "Who performs the tasks.")
    pictures: bool = parameter(True, "Make a contact sheet of every episode.")
    videos: bool = parameter(False, "Make a video of what the cameras see of every episode.")
    cameras: tuple[str, ...] = parameter(
        ("wrist_camera", "left_camera", "right_camera"), "Names of the cameras."
    )
    server_timeout: float = parameter(
        120.0, "Longest wait for episode_manager to appear, s of wall time.", low=0.1
    )
    silence_timeout: float = parameter(
        20.0, "Silence after which a node counts as dead, s of wall time.", low=2.0, high=3600.0
    )


class SimEvalNode(Node):
    """Asks for the episodes, keeps failed ones too, and ends with a report."""

    def __init__(self) -> None:
        super().__init__("sim_eval")
        own = self._own = declare_parameters(self, SimEvalParameters).value
        self.exit_code = FAILED
        self._console = make_console()
        try:
            if not own.policy:
                raise StartError("policy: name the folder of a run, policy:=runs/...")
            self._policy = Path(own.policy).expanduser().absolute()
            self._record = load_record(find_checkpoint(self._policy))
        except CheckpointError as error:
            raise StartError(str(error)) from None
        known = sorted(self._record.tasks)
        self._tasks = known if own.task == "all" else [t for t in own.task.split(",") if t]
        self._out = Path(own.out).expanduser().absolute() if own.out else self._policy / "sim_eval"
        self._interrupted = threading.Event()
        self._client = CollectionClient(self, own.silence_timeout, self._say, self._note)
        self._crew = (
            FilmCrew(self, own.cameras, self._out / "dataset", self._out / "episodes")
            if own.videos
            else None
        )
        self._thread = threading.Thread(target=self._run, name="sim_eval")

    def start(self, ended: Callable[[], bool]) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """Cancels what runs, and waits for the report."""
        self._interrupted.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            self.exit_code = self._evaluate()
        finally:
            if not self._interrupted.is_set():
                rclpy.try_shutdown()

    def _evaluate(self) -> int:
        own = self._own
        goal = CollectEpisodes.Goal(
            tasks=self._tasks,
            asset=own.asset,
            # As many as are attempted, whatever becomes of them.
            episodes=own.episodes,
            max_attempts=own.episodes,
            seed=own.seed,
            randomize=True,
            keep_failures=True,
            dataset=str(self._out / "dataset"),
            controller=controller_node(own.controller),
        )
        try:
            code, text = self._client.collect(goal, own.server_timeout, self._stopped)
        except CanceledError:
            code, text = ResultCode.CANCELED, "cancelled"
        except CollectionError as error:
            code, text = error.code, str(error)
        if self._client.attempts:
            self._report()
        if self._interrupted.is_set():
            self._say("[yellow]interrupted[/]: the report holds what was done so far")
            return INTERRUPTED
        if code in (ResultCode.NONE, ResultCode.INCOMPLETE):
            return 0
        self._console.print(f"{code.name}: {text}", style="red", markup=False, soft_wrap=True)
        return FAILED

    def _report(self) -> None:
        done = [self._judged(attempt) for attempt in self._client.attempts]
        title = f"{self._policy.name}, step {self._record.step}, over the graph"
        self._console.print(table(title, done))
        self._say(f"report: {write_report(self._out, title, done)}")
        self._say(f"success {share(done).text}")

    def _judged(self, attempt: Attempt) -> Judged:
        return Judged(
            task=attempt.task,
            instruction=self._record.tasks.get(attempt.task, ""),
            seed=attempt.seed,
            asset=attempt.asset,
            instance=SEEN if attempt.asset in self._record.instances else UNSEEN,
            success=attempt.success,
            failure="" if attempt.success else str(attempt.failure or attempt.outcome),
            seconds=attempt.sim_time,
            reason=attempt.reason,
            picture=self._picture(attempt) if self._own.pictures else "",
            video=self._video(attempt),
        )

    def _video(self, attempt: Attempt) -> str:
        file = None if self._crew is None else self._crew.film(attempt)
        return "" if file is None else relative(file, self._out)

    def _picture(self, attempt: Attempt) -> str:
        if not attempt.episode_id:
            return ""
        file = self._out / "episodes" / f"{attempt.task}-{attempt.seed}.png"
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            store = EpisodeStore(self._out / "dataset")
            save_contact_sheet(store.open_episode(attempt.episode_id), file)
        except (StoreError, OSError) as error:
            self.get_logger().warning(f"no picture of {attempt.task}, seed {attempt.seed}: {error}")
            return ""
        return relative(file, self._out)

    def _note(self, attempt: Attempt) -> None:
        if self._crew is not None:
            self._crew.cut(attempt)
        count = len(self._client.attempts)
        how = (
            "success"
            if attempt.success
            else f"{attempt.failure or attempt.outcome}: {attempt.reason}"
        )
        total = len(self._tasks) * self._own.episodes
        self._console.print(
            f"{count}/{total} {attempt.task} seed {attempt.seed}: {how}",
            markup=False,
            soft_wrap=True,
        )

    def _stopped(self) -> Exception | None:
        return CanceledError() if self._interrupted.is_set() else None

    def _say(self, text: str) -> None:
        self._console.print(text, soft_wrap=True)
