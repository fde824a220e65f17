"""The main job, end to end: simulation, planner, expert, recorder and launch file together."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

pytest.importorskip("gensim2_msgs.msg", reason="needs the workspace: run the tests with ./ws")

from collect_job import FAST, SEED, Job
from gensim2_control.description import resolve_packages, robot_description
from gensim2_episodes.attempts import CollectRequest, ResultCode
from gensim2_episodes.batch import BatchRunner
from gensim2_episodes.batch_record import collect_batch
from gensim2_episodes.reader import EpisodeReader
from gensim2_tasks.assets import AssetLibrary

DOMAINS = iter(1 + (os.getpid() + 84 + i) % 95 for i in range(9))


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    """The launches of this file; whatever happens, they end."""
    job = Job(tmp_path_factory.mktemp("collect"), DOMAINS)
    yield job
    job.close()


@pytest.fixture(scope="module")
def collected(job: Job) -> dict[int, EpisodeReader]:
    """Two episodes of one launch."""
    launch = job.start("first", *FAST, "episodes:=2", f"seed:={SEED}")
    assert launch.end() == 0, launch.output
    assert "Traceback" not in launch.output
    assert "process has died" not in launch.output
    return job.episodes("first")


def check_frames(reader: EpisodeReader, task: str) -> None:
    """Checks what every collected episode must be."""
    manifest = reader.manifest
    assert manifest.success and manifest.task == task
    assert manifest.recording.lost == 0 and manifest.frames == len(reader) > 20
    assert set(np.diff(reader.stamp_ns)) == {100_000_000}, "observations are missing"
    assert reader.openness is not None
    assert manifest.rates.observation == 10.0
    assert len(manifest.scene.objects) == 1 and manifest.scene.parameters["objects"]
    assert manifest.predicates and all(p["satisfied"] for p in manifest.predicates)
    assert manifest.software.versions and manifest.task_spec["name"] == task
    # The action leads the observation: it is what was commanded, not what was measured.
    lag = np.abs(reader.action_joint_position - reader.joint_position[:, :7])
    assert 0.0 < lag.max() < 1.0
    assert np.ptp(reader.joint_position, axis=0)[:7].max() > 0.2


def same_episode(one: EpisodeReader, other: EpisodeReader, but: tuple[str, ...] = ()) -> None:
    """Checks that two episodes are equal to the bit in all that can be repeated."""
    left, right = one.manifest.reproducible(), other.manifest.reproducible()
    different = tuple(name for name in left.keys() | right if left.get(name) != right.get(name))
    assert different == but
    assert one.manifest.arrays.keys() >= {"action/gripper_effort", "truth/keypoints"}
    for path in one.manifest.arrays.keys() - {"stamp_ns"}:
        assert np.array_equal(one.read(path), other.read(path)), f"{path} differs"


def test_clouds_colours_and_depth_are_recorded_together(job: Job) -> None:
    """Of every camera, in every frame."""
    launch = job.start("all", "task:=OpenBox", "obs:=all", "episodes:=1", f"seed:={SEED}")
    assert launch.end() == 0, launch.output
    (reader,) = job.episodes("all").values()
    assert reader.has_cloud and reader.depth_cameras == reader.cameras and len(reader.cameras) == 3
    for camera in reader.cameras:
        depths, images = reader.depths(camera), reader.images(camera)
        assert depths.shape == images.shape[:3]
        measured = depths[depths > 0]
        # Nothing in the scene is nearer to a camera, or farther away, in mm.
        assert measured.size > 0.5 * depths.size and 20 < measured.min() < measured.max() < 5000
        record = reader.manifest.cameras[camera]
        assert record.intrinsics and reader.manifest.recording.lost == 0


def test_collects_demonstrations(job: Job, collected: dict[int, EpisodeReader]) -> None:
    """The data set is complete and sound, and shows boxes being opened."""
    assert len(collected) == 2
    for reader in collected.values():
        check_frames(reader, "OpenBox")
        assert reader.openness is not None
        assert reader.openness[0, 0] < 0.7 < 0.8 < reader.openness[-1, 0]
        assert not reader.has_cloud and reader.cameras == ()
    words = [sys.executable, "-m", "gensim2_episodes.dataset_cli", "check"]
    check = subprocess.run([*words, str(job.folder / "first")], capture_output=True, text=True)
    assert check.returncode == 0, check.stdout + check.stderr
    assert "2 of 2 episodes are sound" in check.stdout


def test_the_same_seed_gives_the_same_episode_to_the_bit(
    job: Job, collected: dict[int, EpisodeReader]
) -> None:
    """Another graph, another history: the second episode of the first launch comes first here."""
    seed, reference = sorted(collected.items())[-1]
    launch = job.start("second", *FAST, "episodes:=1", f"seed:={seed}")
    assert launch.end() == 0, launch.output
    (again,) = job.episodes("second").values()
    # It was the second attempt there.
    same_episode(again, reference, but=("attempt",))


def test_collecting_without_transport_gives_the_same_data_set(
    job: Job, collected: dict[int, EpisodeReader]
) -> None:
    """So its success rates stand for those of the graph, and its episodes can be mixed in."""
    runner = BatchRunner(resolve_packages(robot_description()), AssetLibrary())
    folder = job.folder / "batch"
    request = CollectRequest(("OpenBox",), episodes=2, seed=SEED, dataset=str(folder))
    result = collect_batch(runner, request)
    assert result.code is ResultCode.NONE, result.text
    batch = job.episodes("batch")
    assert batch.keys() == collected.keys()
    for seed, reader in collected.items():
        same_episode(batch[seed], reader)


def test_picks_up_and_puts_away(job: Job) -> None:
    """A task in several steps: every one is in the record, and the thing is where it belongs."""
    words = ["task:=PlaceGolfBallIntoDrawer", "obs:=state", "real_time_factor:=0"]
    launch = job.start("steps", *words, "episodes:=1", f"seed:={SEED}")
    assert launch.end() == 0, launch.output
    (reader,) = job.episodes("steps").values()
    manifest = reader.manifest
    assert manifest.success and len(manifest.scene.objects) == 2
    tries = [t["subtask"] for t in manifest.solver_report["report"]]
    assert [name for name in ("open", "pick", "place", "close") if name in tries] == [
        *dict.fromkeys(tries)
    ]
    assert any(p["name"].startswith("inside(golf_ball") for p in manifest.predicates)
    # The fingers have held something on the way: neither open nor closed.
    fingers = reader.joint_position[:, 7]
    assert np.sum((fingers > 0.018) & (fingers < 0.025)) > 10


def test_collects_clouds(job: Job) -> None:
    """Every frame has a cloud, and it shows the object where it is."""
    launch = job.start("clouds", "task:=OpenDrawer", "obs:=pointcloud", "episodes:=1")
    assert launch.end() == 0, launch.output
    (reader,) = job.episodes("clouds").values()
    check_frames(reader, "OpenDrawer")
    xyz, rgb = reader.cloud()
    assert xyz.shape == (len(reader), 4096, 3) and rgb.shape == xyz.shape
    assert np.isfinite(xyz).all() and rgb.std() > 5.0
    # The handle is where truth and cloud say: the whole chain of frames is right.
    labels = reader.manifest.arrays["truth/keypoints"].labels
    head = next(i for i, label in enumerate(labels) if label.endswith("articulated_object_head"))
    keypoints = reader.keypoints
    assert keypoints is not None
    distance = np.linalg.norm(xyz[0] - keypoints[0, head], axis=1).min()
    assert distance < 0.02
    assert set(reader.manifest.cameras) == {"wrist_camera", "left_camera", "right_camera"}


def test_an_unknown_task_is_refused_with_the_nearest_names(job: Job) -> None:
    """A misspelt task is told before a data set is made."""
    launch = job.start("none", "task:=OpenBx", "obs:=state")
    assert launch.end() == 1
    assert "unknown task 'OpenBx'; did you mean OpenBox" in launch.output
    assert not (job.folder / "none").exists()


def test_ctrl_c_keeps_what_is_finished(job: Job) -> None:
    """Stopping early costs the running episode only, and is no success."""
    launch = job.begin_second_episode("interrupted", *FAST)
    launch.interrupt()
    assert launch.end() != 0, launch.output
    assert job.episodes("interrupted")
