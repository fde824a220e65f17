"""Small synthetic episodes, settings and batches for the tests of the policy."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gensim2_episodes.frame import Frame
from gensim2_episodes.manifest import (
    EpisodeRecord,
    ObjectRecord,
    Outcome,
    Rates,
    SceneRecord,
    SoftwareRecord,
    Timings,
)
from gensim2_episodes.store import EpisodeStore
from gensim2_policy.checkpoint import PolicyRecord, Resumed, scale_record
from gensim2_policy.demonstrations import Demonstration
from gensim2_policy.features import STATE
from gensim2_policy.language import InstructionEncoder, Words
from gensim2_policy.network import Batch, PolicyNetwork
from gensim2_policy.normaliser import Scale
from gensim2_policy.settings import Settings, make_settings
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

POINTS = 40
GUARD = 120  # s; only ends a test that hangs
# As small as it gets, and everything on: clouds, states, words, augmentation.
SMALL = (
    "observation.points=16",
    "action.horizon=4",
    "model.width=16",
    "model.heads=2",
    "model.layers=1",
    "model.cloud.widths=[8,16]",
    "model.cloud.tokens=2",
    "model.head.layers=1",
    "model.head.steps=2",
    "train.batch=8",
    "train.steps=6",
    "train.warm_up=2",
    "train.rate=0.001",
    "train.threads=1",
)
STILL = (
    "augment.yaw=0",
    "augment.shift=0",
    "augment.keep=1",
    "augment.point_noise=0",
    "augment.state_noise=0",
)


def small_settings(*overrides: str) -> Settings:
    return make_settings("ppt-tiny", (*SMALL, *overrides))


def joints(*overrides: str) -> Settings:
    return small_settings("action.space=joints", "augment.shift=0", *overrides)


def _poses(start: NDArray[np.float64], goal: NDArray[np.float64], count: int, turn: float) -> Any:
    share = np.linspace(0.0, 1.0, count)[:, None]
    turns = Rotation.from_euler("zyx", np.outer(share[:, 0], [turn, 0.3, 0.1]))
    down = Rotation.from_euler("x", np.pi)
    return np.hstack([start + share * (goal - start), (turns * down).as_quat()])


def demonstration(
    seed: int = 0, frames: int = 9, points: int = 16, **changes: Any
) -> Demonstration:
    """An arm that goes to an object, in memory; the seed says where that is."""
    rng = np.random.default_rng(seed)
    goal = np.array([0.5, 0.0, 0.1]) + rng.uniform(-0.1, 0.1, 3)
    way = _poses(np.array([0.3, 0.0, 0.5]), goal, frames + 1, rng.uniform(-1.0, 1.0))
    q = rng.normal(size=7) * 0.3 + np.linspace(0.0, 0.5, frames + 1)[:, None]
    finger = np.linspace(0.04, 0.0, frames + 1)
    cloud = goal + 0.05 * rng.normal(size=(frames, points, 3))
    plain = {
        "name": f"data/{seed}",
        "task": "CloseBox",
        "instruction": "close the box",
        "instance": f"box/{seed}",
        "domain": "sim",
        "weight": 1.0,
        "tcp_pose": way[:-1],
        "q": q[:-1],
        "finger": finger[:-1],
        "tcp_ref": way[1:],
        "q_ref": q[1:],
        "finger_ref": finger[1:],
        "cloud": cloud.astype(np.float32),
        "colour": rng.integers(0, 256, cloud.shape, dtype=np.uint8),
    }
    return Demonstration(**(plain | changes))


def write_episode(
    folder: Path,
    seed: int = 0,
    frames: int = 9,
    points: int = POINTS,
    *,
    hz: float = 10.0,
    task: str = "CloseBox",
    instruction: str = "close the box",
    asset: str | None = None,
    success: bool = True,
    simulated: bool = True,
    image: tuple[int, int] | None = None,
) -> str:
    """An episode like ``demonstration``, written with the writer of the store; returns its name."""
    d = demonstration(seed, frames, max(points, 1))
    rng = np.random.default_rng(seed)
    store = EpisodeStore(folder, create=True)
    with store.writer(task) as writer:
        writer.label("objects", ("box",))
        for i in range(frames):
            assert d.cloud is not None and d.colour is not None
            writer.append(
                Frame(
                    stamp_ns=12_000_000_000 + round(i * 1e9 / hz),
                    q=np.append(d.q[i], [d.finger[i]] * 2),
                    dq=np.zeros(9),
                    tcp_pose=d.tcp_pose[i],
                    gripper=float(d.finger[i]),
                    q_ref=d.q_ref[i],
                    dq_ref=np.zeros(7),
                    tcp_ref=d.tcp_ref[i],
                    gripper_ref=float(d.finger_ref[i]),
                    cloud_xyz=d.cloud[i] if points else None,
                    cloud_rgb=d.colour[i] if points else None,
                    images={"wrist_camera": rng.integers(0, 256, (*image, 3), dtype=np.uint8)}
                    if image
                    else {},
                    openness=np.array([0.5]),
                )
            )
        return writer.commit(
            EpisodeRecord(
                task=task,
                instruction=instruction,
                task_spec={"name": task},
                seed=seed,
                attempt=1,
                randomize=True,
                controller="kpam_expert",
                scene=SceneRecord(
                    objects=(
                        ObjectRecord(
                            name="box",
                            category="box_rotate",
                            asset=f"procedural:box_rotate/{seed}" if asset is None else asset,
                            licence="Apache-2.0",
                            pose=(0.6, 0.0, 0.1, 0.0, 0.0, 0.0, 1.0),
                            joint_name="joint_0",
                            openness=0.4,
                            keypoints=(),
                        ),
                    ),
                    parameters={},
                ),
                cameras={},
                rates=Rates(observation=hz, physics=240.0 if simulated else None),
                software=SoftwareRecord(git_commit="abc", versions={}),
                outcome=Outcome.SUCCESS if success else Outcome.NOT_ACHIEVED,
                reason="" if success else "the lid fell",
                timings=Timings(),
                approach_disturbance=0.0,
            )
        ).episode_id


def words_of(text: str) -> Words:
    """What stands for the embedding of an instruction: other words, other numbers."""
    each = [int(hashlib.sha256(word.encode()).hexdigest()[:8], 16) for word in text.split()]
    return np.stack([np.random.default_rng(n).normal(size=384) for n in each]).astype(np.float32)


class FakeEncoder(InstructionEncoder):
    """Does not need the weights of the real one."""

    def encode(self, instruction: str) -> Words:
        return words_of(instruction)


def random_batch(settings: Settings, count: int = 3, seed: int = 0) -> Batch:
    """Observations of any kind that the settings ask for."""
    g = torch.Generator().manual_seed(seed)
    seen, model = settings.observation, settings.model

    def draw(*shape: int) -> torch.Tensor:
        return torch.rand(count, *shape, generator=g)

    clouds = max(seen.cloud_steps, 1)
    return Batch(
        state=2.0 * draw(seen.state_steps, STATE) - 1.0,
        tcp=draw(clouds, 3),
        points=draw(clouds, seen.points, 3) if seen.cloud_steps else None,
        colours=draw(clouds, seen.points, 3) if model.cloud.colour else None,
        pictures=draw(len(seen.cameras), 3, *seen.picture) if seen.cameras else None,
        words=draw(5, model.language_width) - 0.5,
        words_seen=torch.arange(5)[None] < torch.tensor([[5], [3], [4]])[:count],
    )


def changed(batch: Batch, **values: Any) -> Batch:
    return dataclasses.replace(batch, **values)


def random_actions(settings: Settings, count: int = 3, seed: int = 1) -> torch.Tensor:
    g = torch.Generator().manual_seed(seed)
    return 2.0 * torch.rand(count, settings.action.horizon, settings.action.width, generator=g) - 1


def same(one: Sequence[Any], other: Sequence[Any]) -> bool:
    """Whether two lists of arrays are equal to the bit."""
    return len(one) == len(other) and all(
        np.array_equal(np.asarray(a), np.asarray(b)) for a, b in zip(one, other, strict=True)
    )


def checkpoint_parts(
    step: int, settings: Settings | None = None
) -> tuple[dict[str, torch.Tensor], PolicyRecord, Resumed]:
    """Weights, record and what a training goes on with, of a step."""
    made = settings or small_settings()
    torch.manual_seed(step)
    network = PolicyNetwork(made)
    rng = np.random.default_rng(step)
    state = Scale(rng.normal(size=10), rng.uniform(0.1, 1.0, 10))
    action = Scale(rng.normal(size=10), rng.uniform(0.1, 1.0, 10))
    record = PolicyRecord(
        settings=made,
        state=scale_record(state),
        action=scale_record(action),
        tasks={"CloseBox": "close the box"},
        instances=("box/1",),
        step=step,
        validation=0.1 * step,
    )
    tensors = {f"network/{k}": v for k, v in network.state_dict().items()}
    return network.state_dict(), record, Resumed(tensors, {"step": step})


def start(role: str, *arguments: object) -> subprocess.Popen[str]:
    """A process of ``policy_processes``."""
    file = Path(__file__).with_name("policy_processes.py")
    return subprocess.Popen(
        [sys.executable, str(file), role, *(str(a) for a in arguments)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
    )


def output_of(process: subprocess.Popen[str]) -> str:
    """What it said; it must end well."""
    output, _ = process.communicate(timeout=GUARD)
    assert process.returncode == 0, output
    return output
