"""Recorded commands must do the task again, and only in the scene they were recorded in."""

from pathlib import Path

import numpy as np
import pytest
from gensim2_control.description import resolve_packages, robot_description
from gensim2_control.hardware import ARM_JOINTS, JOINTS
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_episodes.batch import BatchRunner
from gensim2_episodes.frame_builder import JointReading, build_frame
from gensim2_episodes.manifest import (
    EpisodeRecord,
    ObjectRecord,
    Outcome,
    Rates,
    SceneRecord,
    SoftwareRecord,
)
from gensim2_episodes.replay import Replayer
from gensim2_episodes.store import EpisodeInfo, EpisodeStore
from gensim2_tasks.assets import AssetLibrary

from gensim2_tasks import se3

TASK, SEED = "OpenDrawer", 4
PERIOD = 20  # control periods between two frames


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[EpisodeStore, EpisodeInfo]:
    """One episode, recorded by listening to the body while the batch runner works."""
    store = EpisodeStore(tmp_path_factory.mktemp("set"), create=True, software=SoftwareRecord())
    runner = BatchRunner(resolve_packages(robot_description()), AssetLibrary())
    kinematics = Fr3Kinematics.from_urdf(robot_description())
    simulation = runner.simulation
    control = simulation.control
    frames = []

    def listen():  # type: ignore[no-untyped-def]
        steps = simulation.world.steps
        state = control()
        if state is not None and steps % PERIOD == 0:
            frames.append(
                build_frame(
                    round(state.t * 1e9),
                    JointReading(JOINTS, state.q, state.dq),
                    JointReading(ARM_JOINTS, state.q_ref, state.dq_ref),
                    state.gripper_ref,
                    kinematics,
                )
            )
        return state

    simulation.control = listen  # type: ignore[method-assign]
    assert runner.run(TASK, SEED).success
    drawn = simulation.drawn
    assert drawn is not None
    placed = simulation.world.objects[0]
    scene = SceneRecord(
        objects=(
            ObjectRecord(
                name=placed.name,
                category=placed.asset.ref.category,
                asset=str(placed.asset.ref),
                pose=(*placed.T_base_root[:3, 3], *se3.quat_xyzw(placed.T_base_root)),
            ),
        ),
        parameters=drawn.parameters,
    )
    record = EpisodeRecord(
        task=TASK,
        seed=SEED,
        randomize=True,
        scene=scene,
        rates=Rates(observation=10.0),
        software=SoftwareRecord(),
        outcome=Outcome.SUCCESS,
    )
    with store.writer(TASK) as writer:
        for frame in frames:
            writer.append(frame)
        writer.commit(record)
    return store, store.episodes()[0]


@pytest.fixture(scope="module")
def replayer() -> Replayer:
    return Replayer(resolve_packages(robot_description()), AssetLibrary())


def test_recorded_commands_succeed_again(
    recorded: tuple[EpisodeStore, EpisodeInfo], replayer: Replayer
) -> None:
    store, episode = recorded
    result = replayer.replay(episode.manifest, store.open_episode(episode.episode_id))
    assert result.success, result.reason


def test_another_scene_is_not_taken_for_the_recorded_one(
    recorded: tuple[EpisodeStore, EpisodeInfo], replayer: Replayer
) -> None:
    store, episode = recorded
    other = episode.manifest.model_copy(update={"seed": SEED + 1})
    result = replayer.replay(other, store.open_episode(episode.episode_id))
    assert not result.success
    assert "the scene is another one" in result.reason


def test_commands_that_do_nothing_fail(
    recorded: tuple[EpisodeStore, EpisodeInfo],
    replayer: Replayer,
    tmp_path: Path,
) -> None:
    """The judge looks at the drawer, not at what the manifest says."""
    store, episode = recorded
    reader = store.open_episode(episode.episode_id)
    idle = EpisodeStore(tmp_path, create=True, software=SoftwareRecord())
    first = reader.frame(0)
    with idle.writer(TASK) as writer:
        for i in range(5):
            stamp = first.stamp_ns + i * 100_000_000
            writer.append(
                build_frame(
                    stamp,
                    JointReading(JOINTS, first.q, np.zeros(9)),
                    JointReading(ARM_JOINTS, first.q_ref, np.zeros(7)),
                    first.gripper_ref,
                    Fr3Kinematics.from_urdf(robot_description()),
                )
            )
        fields = EpisodeRecord.model_fields
        writer.commit(EpisodeRecord(**{k: getattr(episode.manifest, k) for k in fields}))
    result = replayer.replay(
        idle.episodes()[0].manifest, idle.open_episode(idle.episodes()[0].episode_id)
    )
    assert not result.success
    assert "openness" in result.reason
