"""A policy on the graph of the simulation: evaluated, and corrected by the expert."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

pytest.importorskip("gensim2_msgs.msg", reason="needs the workspace: run the tests with ./ws")

from collect_job import FAST, Job
from gensim2_episodes.video_file import VideoReader
from gensim2_policy.evaluation import PAGE, RESULTS, read_results
from gensim2_policy.takeover import taken_over_ns
from gensim2_policy.untrained import save_untrained
from launch_process import LaunchProcess

DOMAINS = iter(1 + (os.getpid() + i) % 95 for i in range(82, 88))


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A policy that has learned nothing, needs no clouds, and is done after two seconds."""
    folder = tmp_path_factory.mktemp("policy") / "run"
    return save_untrained(folder, "observation.cloud_steps=0", duration=1.0)


@pytest.fixture(scope="module")
def looker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, but it looks through a camera instead."""
    seen = ("observation.cloud_steps=0", "observation.cameras=[left_camera]")
    still = ("augment.yaw=0", "augment.shift=0")
    return save_untrained(tmp_path_factory.mktemp("looker") / "run", *seen, *still, duration=1.0)


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    """Launches that end with the test."""
    job = Job(tmp_path, DOMAINS)
    yield job
    job.close()


def test_a_policy_is_evaluated_and_what_it_cannot_do_is_in_the_report(
    tmp_path: Path, policy: Path
) -> None:
    """Every episode counts, also a failed one; the exit code says that all were performed."""
    out = tmp_path / "out"
    words = (f"policy:={policy}", "obs:=state", "task:=CloseBox", "episodes:=1", f"out:={out}")
    launch = LaunchProcess(tmp_path, next(DOMAINS), "gensim2", "sim_eval.launch.py", *words)
    try:
        assert launch.end() == 0, launch.output
    finally:
        launch.kill()
    assert "Traceback" not in launch.output
    (episode,) = read_results(out / RESULTS)
    assert (episode.task, episode.seed, episode.success) == ("CloseBox", 900_000, False)
    assert episode.failure and "success 0/1" in launch.output and (out / PAGE).is_file()
    assert (out / episode.picture).stat().st_size > 1000


def test_a_policy_that_looks_through_cameras_is_evaluated_and_filmed(
    tmp_path: Path, looker: Path
) -> None:
    """It acts on pictures of the graph until its time is up; its video is in the report."""
    out = tmp_path / "out"
    words = (f"policy:={looker}", "obs:=image", "task:=CloseBox", "episodes:=1", f"out:={out}")
    launch = LaunchProcess(
        tmp_path, next(DOMAINS), "gensim2", "sim_eval.launch.py", *words, "videos:=true"
    )
    try:
        assert launch.end() == 0, launch.output
    finally:
        launch.kill()
    assert "Traceback" not in launch.output
    (episode,) = read_results(out / RESULTS)
    assert episode.seconds >= 2.0, "it has acted"
    frames = VideoReader(out / episode.video).read(0, 20)
    assert frames.shape == (20, 240, 3 * 320, 3) and frames.std() > 20.0
    assert episode.video in (out / PAGE).read_text()


def test_an_expert_takes_over_from_a_policy_and_the_data_set_knows_when(
    job: Job, policy: Path
) -> None:
    """A data set of states that the expert never comes to by itself, for the next training."""
    launch = job.start("data", *FAST, "controller:=dagger", f"policy:={policy}", "episodes:=1")
    assert launch.end() == 0, launch.output
    assert "Traceback" not in launch.output
    (reader,) = job.episodes("data").values()
    report, stamps = reader.manifest.solver_report, reader.stamp_ns
    since = taken_over_ns(report)
    assert since is not None and stamps[0] < since < stamps[-1]
    assert report["tries"], "the expert's own report"
    assert reader.manifest.controller == "dagger" and reader.manifest.success
