"""The manager's decisions: seeds, attempts, judgement, what is stored, and what breaks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from episode_samples import leftovers
from gensim2_control.hardware import ARM_JOINTS, JOINTS
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_episodes.assembly import RecorderConfig
from gensim2_episodes.attempts import (
    Attempt,
    CanceledError,
    CollectRequest,
    CollectResult,
    ExecuteReply,
    GraphError,
    ResetReply,
    ResultCode,
    Stopped,
    TaskImpossibleError,
    UnknownTaskError,
    attempt_seed,
)
from gensim2_episodes.collect_report import attempt_line, look_at_dataset, summary_table
from gensim2_episodes.dataset_cli import make_console
from gensim2_episodes.errors import DatasetWriteError
from gensim2_episodes.frame_builder import JointReading
from gensim2_episodes.manager import Collection, ManagerConfig, Progress, TaskDocument
from gensim2_episodes.manifest import Outcome, Rates, SoftwareRecord
from gensim2_episodes.recording import Recording
from gensim2_episodes.scene import Scene, SceneObject, approach_disturbance, licences_of
from gensim2_episodes.store import EpisodeStore
from gensim2_episodes.waiting import Watch
from gensim2_episodes.writer import EpisodeWriter
from gensim2_tasks.failure import FailureKind

URDF = Path(__file__).parents[3] / "launch" / "urdf" / "fr3.urdf"
KINEMATICS = Fr3Kinematics.from_urdf(URDF.read_text())
PERIOD = 100_000_000
HOME = [0.0, -0.32, 0.0, -2.618, 0.0, 2.23, 0.7854]
SOFTWARE = SoftwareRecord(git_commit="abc")


def scene(stamp_ns: int, count: int, openness: float = 0.4, succeeded: bool = False) -> Scene:
    box = SceneObject(
        name="box",
        category="box_rotate",
        asset="procedural:box_rotate/3",
        pose=(0.6, 0, 0, 0, 0, 0, 1),
        joint_name="lid",
        joint_position=openness,
        openness=openness,
        keypoints=(("head", (0.0, 0.0, 1.0)),),
    )
    predicate = {"name": "openness_above(box, 0.8)", "satisfied": succeeded, "value": openness}
    return Scene(stamp_ns, count, (box,), (predicate,), succeeded)


@dataclass
class Cell:
    """A cell of which every part can be made to fail, per attempt (from 1)."""

    failures: dict[int, ExecuteReply] = field(default_factory=dict)
    not_achieved: set[int] = field(default_factory=set)
    no_scene: set[int] = field(default_factory=set)
    lost_frames: set[int] = field(default_factory=set)
    kind: FailureKind | None = None
    silent_resets: int = 0
    breaks_at_once: Exception | None = None
    raises: dict[tuple[str, int], Exception] = field(default_factory=dict)
    breaks: dict[int, Exception] = field(default_factory=dict)
    seeds: list[tuple[str, int]] = field(default_factory=list)
    now: int = 10 * PERIOD
    recording: Recording | None = None
    scenes: list[Scene] = field(default_factory=list)
    stop: Exception | None = None

    def _maybe_raise(self, where: str) -> None:
        if error := self.raises.get((where, len(self.seeds))):
            raise error

    def ready(self, stopped: Stopped) -> None:
        self._maybe_raise("ready")

    def reset(
        self, task: str, asset: str, seed: int, randomize: bool, stopped: Stopped
    ) -> ResetReply:
        self.seeds.append((task, seed))
        self._maybe_raise("reset")
        if len(self.seeds) in self.no_scene:
            return ResetReply(None, {}, "no free placement")
        self.now += PERIOD
        self.scenes.append(scene(self.now, len(self.seeds)))
        return ResetReply(self.scenes[-1], {"assets": {"box": {"ref": "x", "licence": "MIT"}}})

    def record(self, writer: EpisodeWriter, start: Scene) -> Recording:
        config = RecorderConfig(PERIOD, cloud=False)
        self.recording = Recording(writer, config, KINEMATICS, start.stamp_ns)
        if self.breaks_at_once is not None:
            self._break(self.breaks_at_once)
        elif self.silent_resets:
            self.silent_resets -= 1
        else:
            self._observe()
        return self.recording

    def _break(self, error: Exception) -> None:
        def spoil(_: object) -> None:
            raise error

        assert self.recording is not None
        self.recording.feed(spoil)

    def first_observation(self, recording: Recording, stopped: Stopped) -> list[str]:
        return [] if recording.frames else ["points"]

    def _observe(self, *, lose: bool = False) -> None:
        assert self.recording is not None
        now, truth = self.now, self.scenes[-1].truth()
        self.recording.feed(lambda to: to.add_joints(now, JointReading(JOINTS, [*HOME, 0, 0])))
        self.recording.feed(lambda to: to.add_reference(now, JointReading(ARM_JOINTS, HOME)))
        self.recording.feed(lambda to: to.add_scene(now, truth))
        if not lose:
            self.recording.feed(lambda to: to.add_gripper_reference(now, 0.04))

    def execute(
        self, controller: str, task: str, instruction: str, start_ns: int, stopped: Stopped
    ) -> ExecuteReply:
        number = len(self.seeds)
        self._maybe_raise("execute")
        if error := self.breaks.get(number):
            self._break(error)
        if error := stopped() or self.stop:
            raise error
        achieved = number not in self.not_achieved
        start_ns = self.now
        for step, openness in enumerate((0.43, 0.41, 0.9)):
            self.now += PERIOD
            done = achieved and step == 2
            self.scenes.append(scene(self.now, number, openness, done))
            self._observe(lose=step == 1 and number in self.lost_frames)
        reply = ExecuteReply(
            None,
            "",
            self.now,
            plan_time=0.05,
            execution_time=0.3,
            actuation_time=0.2,
            actuation_ns=start_ns + 2 * PERIOD,
            report={"tried": 3},
            kind=self.kind,
            retries=2,
        )
        return self.failures.get(number, reply)

    def scene_at(self, reset_count: int, stamp_ns: int, stopped: Stopped) -> Scene:
        self._maybe_raise("scene_at")
        return self.scenes[-1]

    def verdict(self, scene: Scene, stopped: Stopped) -> Scene:
        self._maybe_raise("verdict")
        return self.scenes[-1]

    def history(self, reset_count: int) -> list[Scene]:
        return [s for s in self.scenes if s.reset_count == reset_count]

    def cameras(self) -> dict:
        return {}


def task(name: str) -> TaskDocument:
    if name.startswith("Bad"):
        raise UnknownTaskError(f"unknown task {name}")
    return TaskDocument("open it", {"name": name})


def collect(
    tmp_path: Path,
    cell: Cell,
    stopped: Callable[[], Exception | None] = lambda: None,
    feedback: Callable[[Progress], None] = lambda progress: None,
    **request: object,
) -> CollectResult:
    defaults = {"tasks": ("OpenBox",), "episodes": 2, "dataset": str(tmp_path / "data")}
    return Collection(
        CollectRequest(**{**defaults, **request}),
        cell,
        ManagerConfig(Rates(observation=10.0), recording_timeout=0.01),
        software=SOFTWARE,
        stopped=stopped,
        feedback=feedback,
        tasks=task,
    ).run()


def stored(tmp_path: Path) -> list[str]:
    return [str(i.manifest.outcome) for i in EpisodeStore(tmp_path / "data").episodes()]


def test_collects_until_every_episode_is_there(tmp_path: Path) -> None:
    cell, seen = Cell(not_achieved={1}), []
    result = collect(tmp_path, cell, tasks=("A", "B"), seed=7, feedback=seen.append)
    assert result.code is ResultCode.NONE and not result.text
    assert cell.seeds == [("A", 7), ("A", 8), ("A", 9), ("B", 7), ("B", 8)]
    assert [(a.task, a.index, a.attempt, str(a.outcome)) for a in result.attempts] == [
        ("A", 1, 1, "not_achieved"),
        ("A", 1, 2, "success"),
        ("A", 2, 3, "success"),
        ("B", 1, 1, "success"),
        ("B", 2, 2, "success"),
    ]
    assert "openness_above(box, 0.8) is 0.9" in result.attempts[0].reason
    assert result.attempts[0].episode_id == "" and all(a.episode_id for a in result.attempts[1:])
    assert [p.collected for p in seen if p.last] == [0, 1, 2, 3, 4]
    assert {p.stage for p in seen} == {"reset", "run", "judge", "store"}
    assert all(p.requested == 4 for p in seen)
    assert stored(tmp_path) == ["success"] * 4 and leftovers(tmp_path / "data") == []


def test_the_manifest_says_what_happened(tmp_path: Path) -> None:
    result = collect(tmp_path, Cell(), episodes=1, seed=5, asset="x", randomize=False)
    (info,) = EpisodeStore(tmp_path / "data").episodes()
    manifest, attempt = info.manifest, result.attempts[0]
    assert (manifest.task, manifest.seed, manifest.randomize) == ("OpenBox", 5, False)
    assert manifest.instruction == "open it" and manifest.task_spec == {"name": "OpenBox"}
    assert manifest.scene.objects[0].asset == "procedural:box_rotate/3"
    assert manifest.scene.objects[0].licence == "Apache-2.0"
    assert manifest.scene.parameters["assets"] == {"box": {"ref": "x", "licence": "MIT"}}
    assert manifest.solver_report == {"tried": 3} and manifest.software == SOFTWARE
    assert manifest.timings.plan_cpu == 0.05 and manifest.timings.actuation == 0.2
    assert manifest.timings.sim == pytest.approx(0.3) == pytest.approx(attempt.sim_time)
    # 0.43 before the actuation pose, 0.9 after it.
    assert manifest.approach_disturbance == pytest.approx(0.03)
    assert attempt.approach_disturbance == pytest.approx(0.03)
    assert manifest.frames == attempt.frames == 4 and manifest.recording.lost == 0
    assert manifest.predicates[0]["satisfied"] is True


@pytest.mark.parametrize(
    ("cell", "outcome", "reason"),
    [
        (Cell(not_achieved={1}), "not_achieved", "is 0.9"),
        (Cell(no_scene={1}), "scene_failed", "no free placement"),
        (Cell(lost_frames={1}), "recording_incomplete", "1 of 4 observations are missing"),
        (
            Cell(failures={1: ExecuteReply(Outcome.PLAN_FAILED, "no IK", 0)}),
            "plan_failed",
            "no IK",
        ),
        # A controller that reports a failure has failed, even if the lid is open now.
        (Cell(failures={1: ExecuteReply(Outcome.TIMEOUT, "", 0)}), "timeout", "gave no reason"),
        (Cell(breaks={1: ValueError("joints are missing")}), "recording_incomplete", "missing"),
    ],
    ids=["unmet", "scene", "lost", "plan", "silent", "message"],
)
@pytest.mark.parametrize("keep", [False, True])
def test_failures_have_a_name_and_are_kept_on_request(
    tmp_path: Path, cell: Cell, outcome: str, reason: str, keep: bool
) -> None:
    cell = replace(cell, seeds=[], scenes=[])
    result = collect(tmp_path, cell, episodes=1, keep_failures=keep)
    first = result.attempts[0]
    assert result.code is ResultCode.NONE and len(result.attempts) == 2
    assert str(first.outcome) == outcome and reason in first.reason
    kept = keep and outcome != "scene_failed"
    assert sorted(stored(tmp_path)) == sorted(["success", *([outcome] if kept else [])])
    assert bool(first.episode_id) == kept


@pytest.mark.parametrize(
    ("cell", "failure"),
    [
        (Cell(not_achieved={1}), "not_achieved"),
        (Cell(not_achieved={1}, kind=FailureKind.SLIPPED), "slipped"),
        (Cell(no_scene={1}), ""),
        (Cell(lost_frames={1}, kind=FailureKind.SLIPPED), ""),
        (Cell(failures={1: ExecuteReply(Outcome.PLAN_FAILED, "no IK", 0)}), "no_plan"),
        (
            Cell(
                failures={1: ExecuteReply(Outcome.PLAN_FAILED, "", 0, kind=FailureKind.UNREACHABLE)}
            ),
            "unreachable",
        ),
        (Cell(failures={1: ExecuteReply(Outcome.TIMEOUT, "", 0)}), "timed_out"),
    ],
)
def test_a_failure_is_of_the_kind_that_the_controller_knows_or_else_of_its_outcome(
    tmp_path: Path, cell: Cell, failure: str
) -> None:
    cell = replace(cell, seeds=[], scenes=[])
    first, last = collect(tmp_path, cell, episodes=1, keep_failures=True).attempts
    assert str(first.failure or "") == failure and last.failure is None
    told = {str(i.manifest.failure or "") for i in EpisodeStore(tmp_path / "data").episodes()}
    assert told == {"", failure}
    assert last.retries == 2


def test_attempts_are_limited(tmp_path: Path) -> None:
    never = set(range(100))
    result = collect(tmp_path, Cell(not_achieved=never), max_attempts=4)
    assert result.code is ResultCode.INCOMPLETE and len(result.attempts) == 4
    assert result.text == "OpenBox: 0 of 2 episodes after 4 attempts"
    result = collect(tmp_path, Cell(not_achieved=never))
    assert len(result.attempts) == 3 * 2 + 5
    assert stored(tmp_path) == []


def test_seeds() -> None:
    assert [attempt_seed(5, k) for k in (1, 2, 3)] == [5, 6, 7]
    assert attempt_seed(2**64 - 1, 2) == 0


def test_unknown_tasks_are_refused_before_anything_moves(tmp_path: Path) -> None:
    cell = Cell()
    result = collect(tmp_path, cell, tasks=("OpenBox", "BadTask"))
    assert result.code is ResultCode.UNKNOWN_TASK and "BadTask" in result.text
    assert cell.seeds == [] and not (tmp_path / "data").exists()
    for request in ({"tasks": ()}, {"episodes": 0}):
        assert collect(tmp_path, cell, **request).code is not ResultCode.NONE


def test_an_asset_that_suits_one_task_only_does_not_stop_the_others(tmp_path: Path) -> None:
    cell = Cell(raises={("reset", 1): TaskImpossibleError("no asset 'x' of category laptop")})
    result = collect(tmp_path, cell, tasks=("OpenLaptop", "OpenBox"), episodes=1)
    assert result.code is ResultCode.INCOMPLETE
    assert result.text == "OpenLaptop: no asset 'x' of category laptop"
    assert [a.task for a in result.attempts] == ["OpenBox"]


@pytest.mark.parametrize("where", ["ready", "reset", "execute", "scene_at"])
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (GraphError("sim_bridge has gone"), ResultCode.GRAPH_ERROR),
        (CanceledError("cancelled"), ResultCode.CANCELED),
        (DatasetWriteError("disk full"), ResultCode.DATASET_ERROR),
        (RuntimeError("a defect"), ResultCode.INTERNAL),
    ],
    ids=["graph", "cancel", "disk", "defect"],
)
def test_what_breaks_the_collection_discards_the_running_episode_only(
    tmp_path: Path, where: str, error: Exception, code: ResultCode
) -> None:
    number = 1 if where == "ready" else 2
    result = collect(tmp_path, Cell(raises={(where, number): error}), keep_failures=True)
    assert result.code is code and str(error) in result.text
    assert len(result.attempts) == 1 and stored(tmp_path) == ["success"]
    assert leftovers(tmp_path / "data") == []


def test_cancel_between_stages(tmp_path: Path) -> None:
    stages: list[str] = []

    def stopped() -> Exception | None:
        return CanceledError("cancelled") if len(stages) >= 6 else None

    result = collect(tmp_path, Cell(), stopped, lambda progress: stages.append(progress.stage))
    assert result.code is ResultCode.CANCELED and len(result.attempts) == 1
    assert stored(tmp_path) == ["success"] and leftovers(tmp_path / "data") == []


def test_a_full_disk_ends_the_attempt_at_once(tmp_path: Path) -> None:
    result = collect(tmp_path, Cell(breaks={2: DatasetWriteError("no space left")}))
    assert result.code is ResultCode.DATASET_ERROR and "no space left" in result.text
    assert stored(tmp_path) == ["success"] and leftovers(tmp_path / "data") == []


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DatasetWriteError("no space left"), ResultCode.DATASET_ERROR),
        (ValueError("the encoding is bayer"), ResultCode.GRAPH_ERROR),
    ],
    ids=["disk", "message"],
)
def test_a_first_observation_that_cannot_be_stored_says_why(
    tmp_path: Path, error: Exception, code: ResultCode
) -> None:
    result = collect(tmp_path, Cell(breaks_at_once=error))
    assert result.code is code and str(error) in result.text and "lacking" not in result.text
    assert leftovers(tmp_path / "data") == []


def test_a_controller_that_never_ends_is_noticed_though_time_goes_on() -> None:
    seconds = [0]
    watch = Watch("the action x", lambda: True, 120.0, lambda: seconds[0] * 10**9, longest=60.0)
    while seconds[0] < 60:
        seconds[0] += 1
        assert watch.trouble() is None
    seconds[0] += 1
    trouble = watch.trouble()
    assert trouble is not None and "has not ended after 60 s" in str(trouble)


def test_an_unusable_folder_is_told_before_anything_moves(tmp_path: Path) -> None:
    cell = Cell()
    (tmp_path / "data").write_text("a file")
    assert collect(tmp_path, cell).code is ResultCode.DATASET_ERROR
    other = tmp_path / "other"
    EpisodeStore(other, create=True)
    file = other / "dataset.json"
    file.write_text(file.read_text().replace('"schema_version": 1', '"schema_version": 99'))
    result = collect(tmp_path, cell, dataset=str(other))
    assert result.code is ResultCode.DATASET_ERROR and "Use another folder" in result.text
    assert cell.seeds == []


def test_a_first_observation_that_is_lost_repeats_the_reset(tmp_path: Path) -> None:
    cell = Cell(silent_resets=2)
    assert collect(tmp_path, cell, episodes=1).code is ResultCode.NONE
    assert cell.seeds == [("OpenBox", 0)] * 3
    result = collect(tmp_path, Cell(silent_resets=3), episodes=1)
    assert result.code is ResultCode.GRAPH_ERROR and "lacking: points" in result.text
    assert leftovers(tmp_path / "data") == []


def test_approach_disturbance_looks_at_this_scene_before_the_actuation_pose_only() -> None:
    start = scene(100, 2, 0.5)
    history = [scene(50, 1, 0.0), scene(110, 2, 0.52), scene(120, 2, 0.44), scene(130, 2, 0.9)]
    assert approach_disturbance(start, history, 120) == pytest.approx(0.06)
    assert approach_disturbance(start, history, 110) == pytest.approx(0.02)
    assert approach_disturbance(start, history, None) == pytest.approx(0.4)
    assert approach_disturbance(start, [], 120) == 0.0
    assert approach_disturbance(replace(start, objects=()), history, 120) is None


def test_licences_are_found_wherever_they_are() -> None:
    parameters = {"a": [{"ref": "x", "licence": "MIT"}, 3], "b": {"c": {"ref": "y"}}, "d": "text"}
    assert licences_of(parameters) == {"x": "MIT"}


def test_lines_and_table_for_the_operator(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = collect(tmp_path, Cell(not_achieved={1}), episodes=1)
    attempts: list[Attempt] = []
    console = make_console()
    for attempt in result.attempts:
        attempts.append(replace(attempt, wall_time=2.5))
        console.print(attempt_line(attempts))
    sizes, notes = look_at_dataset(tmp_path / "data")
    console.print(summary_table(["OpenBox"], attempts, 1, sizes))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("OpenBox 1/1  not_achieved  2.5 s  success rate 0/1 (0 %)  openness")
    assert lines[1] == "OpenBox 1/1  success  2.5 s  success rate 1/2 (50 %)"
    assert any("OpenBox" in line and "50 %" in line and "1/1" in line for line in lines[2:])
    assert len(sizes) == 1 and notes == []
