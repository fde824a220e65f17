"""What is rounded without transport is what the messages would have made of it, to the bit."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from gensim2_control.goals import TrajectoryRejected
from gensim2_control.trajectory import Trajectory
from gensim2_kpam.as_message import scene_as_sent, trajectory_as_sent
from gensim2_kpam.plan import SceneObject
from gensim2_tasks.assets import AssetLibrary
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from kpam_scenes import Array, draw
from scipy.spatial.transform import Rotation

from gensim2_tasks import se3

conversions = pytest.importorskip(
    "gensim2_control.ros.conversions", reason="needs ROS 2: run the tests with ./ws"
)
from rclpy.serialization import deserialize_message, serialize_message  # noqa: E402

NUMBERS = st.floats(-10.0, 10.0)
POINTS = st.lists(st.floats(0.0, 600.0), min_size=1, max_size=6, unique=True).map(sorted)


def over_the_wire(message: object) -> object:
    return deserialize_message(serialize_message(message), type(message))


@pytest.fixture(scope="module")
def box(library: AssetLibrary) -> SceneObject:
    return draw("OpenBox", library, 4)


@settings(max_examples=300, deadline=None)
@given(st.tuples(*[NUMBERS] * 4), st.tuples(*[NUMBERS] * 3))
def test_a_scene_is_that_of_its_message(
    box: SceneObject, quaternion: tuple[float, ...], position: tuple[float, ...]
) -> None:
    assume(np.linalg.norm(quaternion) > 1e-3)
    T = se3.transform(position, Rotation.from_quat(quaternion))
    sent = scene_as_sent(replace(box, T_base_root=T))
    came = conversions.pose_to_matrix(over_the_wire(conversions.matrix_to_pose(T)))
    assert sent.T_base_root.tobytes() == came.tobytes()
    assert np.allclose(came, T, atol=1e-9)
    assert replace(sent, T_base_root=box.T_base_root) == box


def test_the_rounding_of_poses_is_real(library: AssetLibrary) -> None:
    scenes = [draw("OpenBox", library, seed) for seed in range(20)]
    assert any(not np.array_equal(scene_as_sent(s).T_base_root, s.T_base_root) for s in scenes)


@settings(max_examples=300, deadline=None)
@given(st.data(), POINTS, st.sampled_from([0, 1, 2]))
def test_a_trajectory_is_that_of_its_message(
    data: st.DataObject, times: list[float], derivatives: int
) -> None:
    assume(all(b - a > 1e-8 for a, b in pairwise(times)))
    rows: list[Array | None] = [
        data.draw(arrays(float, (len(times), 7), elements=NUMBERS)) if i <= derivatives else None
        for i in range(3)
    ]
    trajectory = Trajectory(np.array(times), *rows)  # type: ignore[arg-type]
    sent = trajectory_as_sent(trajectory)
    came = conversions.trajectory_from_msg(over_the_wire(conversions.trajectory_to_msg(trajectory)))
    for name in ("t", "q", "dq", "ddq"):
        expected, found = getattr(came, name), getattr(sent, name)
        assert (expected is None) == (found is None)
        if expected is not None:
            assert found.tobytes() == expected.tobytes(), name
    assert trajectory_as_sent(sent).t.tobytes() == sent.t.tobytes()
    assert np.allclose(sent.t, times, rtol=0.0, atol=0.6e-9)


def test_times_that_a_message_cannot_tell_apart_are_refused() -> None:
    with pytest.raises(TrajectoryRejected):
        trajectory_as_sent(Trajectory(np.array([1.0, 1.0 + 1e-12]), np.zeros((2, 7))))
