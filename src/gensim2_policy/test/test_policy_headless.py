"""A policy in simulation without the graph: what it sees, and what is seen of it."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from gensim2_episodes.video_file import VideoReader
from gensim2_policy.evaluation import PAGE, RESULTS, read_results
from gensim2_policy.film import Film
from gensim2_policy.untrained import save_untrained

sys.path.insert(0, str(Path(__file__).parent))

from gensim2_policy import evaluate_cli

STILL = ("augment.yaw=0", "augment.shift=0")
SECOND = 10**9


def evaluated(run: Path, *words: str) -> int:
    return evaluate_cli.main([f"policy:={run}", "episodes:=1", "jobs:=1", *words])


def test_a_policy_that_looks_through_cameras_acts_and_is_filmed(tmp_path: Path) -> None:
    """It gets as far as asking for motion, which it cannot without pictures."""
    overrides = ("observation.cameras=[left_camera,wrist_camera]", *STILL)
    run = save_untrained(tmp_path / "run", *overrides, duration=1.0)
    assert evaluated(run, "videos:=true") == 0
    out = run / "evaluation"
    (episode,) = read_results(out / RESULTS)
    assert "the time of the task is up" in episode.reason and episode.seconds >= 2.0
    frames = VideoReader(out / episode.video).read(0, 20)
    assert frames.shape == (20, 240, 3 * 320, 3)
    views = np.split(frames.astype(float), 3, axis=2)
    assert min(np.abs(a - b).mean() for a, b in pairwise(views)) > 5.0
    assert (out / episode.picture).stat().st_size > 1000
    assert episode.video in (out / PAGE).read_text()


def test_a_camera_that_is_not_there_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = save_untrained(tmp_path / "run", "observation.cameras=[top_camera]", *STILL)
    assert evaluated(run) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "the policy looks through top_camera; there are wrist_camera" in said
    assert not (run / "evaluation").exists()


def test_a_film_has_what_all_cameras_saw_of_an_episode(tmp_path: Path) -> None:
    film = Film(["left", "right"])
    for k in range(30):
        for camera, value in (("left", 8 * k), ("right", 255)):
            if (k, camera) != (12, "right"):
                film.take(k * SECOND // 5, camera, np.full((16, 24, 3), value, np.uint8))
    assert film.save(tmp_path / "one.mp4", 2 * SECOND, 3 * SECOND)
    frames = VideoReader(tmp_path / "one.mp4").read(0, 5)
    assert frames.shape == (5, 16, 48, 3)
    shades = frames[:, 4:12, 4:20].mean((1, 2, 3))
    assert np.allclose(shades, [80, 88, 104, 112, 120], atol=6), "without the one that is not whole"
    assert not film.save(tmp_path / "two.mp4", 0, 3 * SECOND), "what was before is forgotten"
    assert film.save(tmp_path / "three.mp4", 3 * SECOND, 9 * SECOND)
    assert not (tmp_path / "two.mp4").exists()
