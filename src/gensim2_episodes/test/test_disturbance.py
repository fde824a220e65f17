"""Episodes that are spoiled in the middle: what is done to them, and that the expert recovers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gensim2_control.description import resolve_packages, robot_description
from gensim2_episodes.attempts import CollectRequest
from gensim2_episodes.batch import BatchEpisode, BatchRunner
from gensim2_episodes.batch_record import collect_batch
from gensim2_episodes.disturbance import PERIOD, Disturbance, DisturbanceKind
from gensim2_episodes.store import EpisodeStore
from gensim2_kpam.expert import ACTUATE
from gensim2_sim_bridge.simulation import Simulation
from gensim2_tasks.assets import AssetLibrary


@pytest.fixture(scope="module")
def runner() -> BatchRunner:
    return BatchRunner(resolve_packages(robot_description()), AssetLibrary())


def test_a_lid_that_falls_shut_is_opened_again_and_both_tries_are_in_the_record(
    runner: BatchRunner, tmp_path: Path
) -> None:
    told: list[BatchEpisode] = []
    request = CollectRequest(("OpenBox",), dataset=str(tmp_path))
    collect_batch(runner, request, told.append, DisturbanceKind.CLOSE)
    (episode,) = told
    assert episode.success and episode.undone and episode.disturbed == "close"
    (info,) = EpisodeStore(tmp_path).episodes()
    tries = info.manifest.solver_report["report"]
    assert [(t["subtask"], t["try"], t["outcome"], t["failure"]) for t in tries] == [  # type: ignore[index, union-attr, call-overload]
        ("open", 1, "failed", "not_achieved"),
        ("open", 2, "done", ""),
    ]
    disturbance = info.manifest.solver_report["disturbance"]
    assert disturbance["kind"] == "close" and disturbance["object"] == "box"  # type: ignore[index, call-overload]
    assert info.manifest.retries == 1 and info.manifest.failure is None


def begun(runner: BatchRunner, task: str, kind: DisturbanceKind, free: bool) -> Disturbance:
    runner.simulation.reset(task, "", 0, False)
    return Disturbance(kind, runner.simulation, 0, lambda name, q: free)


def let(simulation: Simulation, disturbance: Disturbance, steps: int) -> None:
    for _ in range(steps):
        simulation.tick()
        disturbance.step()


def test_a_joint_is_set_back_once_it_has_come_half_way_and_nothing_is_there(
    runner: BatchRunner,
) -> None:
    simulation = runner.simulation
    disturbance = begun(runner, "OpenBox", DisturbanceKind.CLOSE, free=True)
    world = simulation.world
    start, _ = world.joint_state("box")
    asset = world.objects[0].asset
    low, high = asset.tree.moving.limits
    most = low + 0.9 * (high - low) if asset.openness(high) == 1.0 else high - 0.9 * (high - low)
    world.set_object("box", most)
    let(simulation, disturbance, 2 * PERIOD)
    assert disturbance.record is None, "nobody acts yet"
    disturbance.stage = ACTUATE
    let(simulation, disturbance, PERIOD)
    assert disturbance.record is not None
    assert world.joint_state("box")[0] == pytest.approx(start, abs=0.02)
    world.set_object("box", most)
    let(simulation, disturbance, 2 * PERIOD)
    assert abs(world.joint_state("box")[0] - most) < 0.02, "once is enough"


def test_what_is_in_the_way_of_the_hand_is_left_alone(runner: BatchRunner) -> None:
    disturbance = begun(runner, "OpenBox", DisturbanceKind.CLOSE, free=False)
    disturbance.stage = ACTUATE
    asset = runner.simulation.world.objects[0].asset
    runner.simulation.world.set_object("box", asset.tree.moving.limits[1])
    let(runner.simulation, disturbance, 2 * PERIOD)
    assert disturbance.record is None


def test_a_free_body_is_shoved_to_the_side(runner: BatchRunner) -> None:
    disturbance = begun(runner, "PushBox", DisturbanceKind.PUSH, free=True)
    disturbance._due = lambda: True  # type: ignore[method-assign]
    world = runner.simulation.world
    before = world.root_pose(world.objects[0].name)[:3, 3]
    let(runner.simulation, disturbance, 100)
    moved = world.root_pose(world.objects[0].name)[:3, 3] - before
    assert disturbance.record is not None
    velocity = np.array(disturbance.record["velocity"])
    assert 0.08 < moved @ velocity / np.linalg.norm(velocity) < 0.35, "a hand's width or two"
    assert abs(moved[2]) < 0.01
