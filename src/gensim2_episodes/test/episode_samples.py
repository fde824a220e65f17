"""Small synthetic frames and records for the tests of the store and what reads it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from gensim2_episodes.frame import Frame
from gensim2_episodes.manifest import (
    CameraRecord,
    EpisodeRecord,
    KeypointRecord,
    ObjectRecord,
    Outcome,
    Rates,
    SceneRecord,
    SoftwareRecord,
    Timings,
)
from gensim2_episodes.store import EpisodeStore

PERIOD_NS = 100_000_000
START_NS = 12_300_000_000


def sample_frame(
    index: int,
    points: int = 8,
    image: tuple[int, int] | None = None,
    depth: bool = False,
    objects: int = 1,
) -> Frame:
    rng = np.random.default_rng(index)
    half = np.array([0.0, 0.0, 0.0, 1.0])
    return Frame(
        stamp_ns=START_NS + index * PERIOD_NS,
        q=rng.normal(size=9),
        dq=np.zeros(9),
        tcp_pose=np.concatenate([rng.normal(size=3), half]),
        gripper=0.04,
        q_ref=rng.normal(size=7),
        dq_ref=rng.normal(size=7),
        tcp_ref=np.concatenate([rng.normal(size=3), half]),
        gripper_ref=0.0,
        gripper_effort=float(index),
        cloud_xyz=rng.normal(size=(points, 3)).astype(np.float32) if points else None,
        cloud_rgb=rng.integers(0, 256, (points, 3), dtype=np.uint8) if points else None,
        images={"wrist_camera": rng.integers(0, 256, (*image, 3), dtype=np.uint8)} if image else {},
        openness=np.full(objects, 0.01 * index),
        object_q=np.full(objects, 0.02 * index),
        keypoints=rng.normal(size=(2 * objects, 3)).astype(np.float32),
        depths={"wrist_camera": rng.integers(0, 5000, image, dtype=np.uint16)}
        if image and depth
        else {},
    )


def sample_record(
    task: str = "OpenBox",
    seed: int = 7,
    attempt: int = 1,
    outcome: Outcome = Outcome.SUCCESS,
    **changes: object,
) -> EpisodeRecord:
    record = EpisodeRecord(
        task=task,
        instruction="open the box",
        task_spec={"name": task, "nested": {"list": [1, 2.5, None, "text"]}},
        seed=seed,
        attempt=attempt,
        randomize=True,
        controller="kpam_expert",
        scene=SceneRecord(
            objects=(
                ObjectRecord(
                    name="box",
                    category="box_rotate",
                    asset="procedural:box_rotate/17",
                    licence="Apache-2.0",
                    pose=(0.6, 0.0, 0.1, 0.0, 0.0, 0.0, 1.0),
                    joint_name="joint_0",
                    openness=0.4,
                    keypoints=(KeypointRecord(name="articulated_object_head", position=(0, 0, 0)),),
                ),
            ),
            parameters={"lid_angle": 0.5},
        ),
        cameras={
            "wrist_camera": CameraRecord(
                width=4,
                height=3,
                intrinsics=(1, 0, 2, 0, 1, 1.5, 0, 0, 1),
                parent="fr3_hand",
                T_parent_cam=tuple(np.eye(4).ravel()),
            )
        },
        rates=Rates(observation=10.0),
        software=SoftwareRecord(git_commit="abc", versions={"numpy": "2"}),
        outcome=outcome,
        reason="" if outcome is Outcome.SUCCESS else "the lid fell",
        timings=Timings(plan_cpu=0.05, sim=0.1, wall=1.5),
        approach_disturbance=0.01,
    )
    return record.model_copy(update=changes)


def write_sample(
    store: EpisodeStore,
    task: str = "OpenBox",
    seed: int = 7,
    attempt: int = 1,
    frames: int = 3,
    outcome: Outcome = Outcome.SUCCESS,
    points: int = 8,
    image: tuple[int, int] | None = None,
    depth: bool = False,
    objects: int = 1,
    **changes: object,
) -> str:
    names = tuple(f"box{number or ''}" for number in range(objects))
    with store.writer(task) as writer:
        writer.label("objects", names)
        writer.label("keypoints", tuple(f"{n}/{end}" for n in names for end in ("head", "tail")))
        for index in range(frames):
            writer.append(sample_frame(index, points, image, depth, objects))
        return writer.commit(sample_record(task, seed, attempt, outcome, **changes)).episode_id


def leftovers(folder: Path) -> list[str]:
    """Everything in a data set that is not dataset.json or inside a visible episode."""
    inside = [path.name for path in (folder / "episodes").glob(".*")]
    return inside + [path.name for path in folder.glob(".*")]
