"""The transform tree: composition, interpolation, and every way in which a lookup can fail."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation, Slerp
from tf2_ros.exceptions import (
    ConnectivityException,
    ExtrapolationException,
    InvalidArgumentException,
    LookupException,
    TransformException,
)
from tf2_ros.geometry import (
    IDENTITY,
    Quaternion,
    Rigid,
    compose,
    from_axis_angle,
    from_rpy,
    interpolate,
    invert,
    multiply,
    normalize,
    rotate,
    slerp,
)
from tf2_ros.transform_tree import TransformTree

SECOND = 1_000_000_000
numbers = st.floats(-10, 10)
angles = st.floats(-math.pi, math.pi)
quaternions = (
    st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: math.hypot(*q) > 0.1).map(normalize)
)
rigids = st.tuples(st.tuples(numbers, numbers, numbers), quaternions)


def matrix(transform: Rigid) -> np.ndarray:
    result = np.eye(4)
    result[:3, 3] = transform[0]
    result[:3, :3] = Rotation.from_quat(transform[1]).as_matrix()
    return result


def at(x: float) -> Rigid:
    """A transform that only moves along x."""
    return (x, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0)


def new_tree() -> TransformTree:
    return TransformTree(10 * SECOND)


@settings(deadline=None)
@given(quaternions, quaternions, st.tuples(numbers, numbers, numbers))
def test_rotations_agree_with_scipy(a: Quaternion, b: Quaternion, v: tuple) -> None:
    reference = Rotation.from_quat(a) * Rotation.from_quat(b)
    np.testing.assert_allclose(
        Rotation.from_quat(multiply(a, b)).as_matrix(), reference.as_matrix(), atol=1e-12
    )
    np.testing.assert_allclose(rotate(a, v), Rotation.from_quat(a).apply(v), atol=1e-11)


@settings(deadline=None)
@given(angles, angles, angles)
def test_roll_pitch_yaw_agree_with_scipy(roll: float, pitch: float, yaw: float) -> None:
    reference = Rotation.from_euler("xyz", [roll, pitch, yaw])
    ours = Rotation.from_quat(from_rpy(roll, pitch, yaw))
    np.testing.assert_allclose(ours.as_matrix(), reference.as_matrix(), atol=1e-12)


@settings(deadline=None)
@given(quaternions, quaternions, st.floats(0, 1))
def test_slerp_agrees_with_scipy(a: Quaternion, b: Quaternion, ratio: float) -> None:
    relative = (Rotation.from_quat(a).inv() * Rotation.from_quat(b)).magnitude()
    if relative > math.pi - 1e-3:
        return  # both ways round are equally short
    reference = Slerp([0, 1], Rotation.from_quat([a, b]))(ratio)
    ours = Rotation.from_quat(slerp(a, b, ratio))
    assert (reference.inv() * ours).magnitude() < 1e-6


@settings(deadline=None)
@given(rigids, rigids)
def test_compose_and_invert_agree_with_matrices(a: Rigid, b: Rigid) -> None:
    np.testing.assert_allclose(matrix(compose(a, b)), matrix(a) @ matrix(b), atol=1e-10)
    np.testing.assert_allclose(matrix(invert(a)), np.linalg.inv(matrix(a)), atol=1e-10)


@given(st.data())
@settings(max_examples=50, deadline=None)
def test_any_two_frames_of_a_random_tree_are_related_as_by_matrices(data: st.DataObject) -> None:
    tree = new_tree()
    world = {"f0": np.eye(4)}
    for i in range(1, data.draw(st.integers(2, 7))):
        parent = data.draw(st.sampled_from(sorted(world)))
        transform = data.draw(rigids)
        tree.insert(parent, f"f{i}", SECOND, transform, static=data.draw(st.booleans()))
        world[f"f{i}"] = world[parent] @ matrix(transform)
    names = st.sampled_from(sorted(world))
    a, b, c = data.draw(names), data.draw(names), data.draw(names)
    T_a_b, T_b_c = tree.lookup(a, b, 0)[1], tree.lookup(b, c, 0)[1]
    np.testing.assert_allclose(matrix(T_a_b), np.linalg.inv(world[a]) @ world[b], atol=1e-7)
    np.testing.assert_allclose(
        matrix(tree.lookup(a, c, 0)[1]), matrix(compose(T_a_b, T_b_c)), atol=1e-7
    )


@settings(deadline=None)
@given(
    quaternions,
    st.tuples(numbers, numbers, numbers),
    st.floats(-2, 2),
    st.lists(st.integers(0, 1000), min_size=2, max_size=8, unique=True),
    st.floats(0, 1),
)
def test_between_samples_a_steady_motion_is_exact(
    start: Quaternion, velocity: tuple, rate: float, milliseconds: list[int], ratio: float
) -> None:
    def motion(t: float) -> Rigid:
        x, y, z = (v * t for v in velocity)
        return (x, y, z), multiply(start, from_axis_angle((0.6, 0.0, 0.8), rate * t))

    tree = new_tree()
    # The order of arrival must not matter.
    for ms in milliseconds:
        assert tree.insert("world", "body", ms * 1_000_000, motion(ms * 1e-3))
    first, last = min(milliseconds) * 1_000_000, max(milliseconds) * 1_000_000
    time = max(1, int(first + ratio * (last - first)))
    stamp, found = tree.lookup("world", "body", time)
    assert stamp == time
    np.testing.assert_allclose(matrix(found), matrix(motion(time * 1e-9)), atol=1e-6)


@settings(deadline=None)
@given(rigids, rigids)
def test_interpolation_meets_its_ends(a: Rigid, b: Rigid) -> None:
    np.testing.assert_allclose(matrix(interpolate(a, b, 0.0)), matrix(a), atol=1e-7)
    np.testing.assert_allclose(matrix(interpolate(a, b, 1.0)), matrix(b), atol=1e-7)


def test_time_zero_is_the_latest_time_both_sides_know() -> None:
    tree = new_tree()
    for i in range(1, 5):
        tree.insert("w", "a", i * SECOND, at(i))
    for i in range(1, 4):
        tree.insert("w", "b", i * SECOND, at(10 * i))
    tree.insert("a", "tool", 0, at(0.5), static=True)
    assert tree.lookup("b", "tool", 0) == (3 * SECOND, at(3.5 - 30))
    assert tree.latest_common_time("b", "tool") == 3 * SECOND
    assert tree.latest_common_time("a", "tool") == 0
    assert tree.lookup("a", "a", 0) == (4 * SECOND, IDENTITY)


def test_static_transforms_hold_at_all_times() -> None:
    tree = new_tree()
    tree.insert("w", "a", 5 * SECOND, at(1), static=True)
    for time in (0, 1, 100 * SECOND):
        assert tree.lookup("w", "a", time) == (time, at(1))


@pytest.mark.parametrize(("time", "word"), [(SECOND // 2, "past"), (4 * SECOND, "future")])
def test_nothing_is_extrapolated(time: int, word: str) -> None:
    tree = new_tree()
    tree.insert("w", "a", 1 * SECOND, at(1))
    tree.insert("w", "a", 3 * SECOND, at(3))
    for target, source in (("w", "a"), ("a", "w")):
        with pytest.raises(ExtrapolationException, match=f"into the {word}"):
            tree.lookup(target, source, time)


def test_one_sample_holds_only_for_its_own_time() -> None:
    tree = new_tree()
    tree.insert("w", "a", SECOND, at(1))
    assert tree.lookup("w", "a", SECOND)[1] == at(1)
    with pytest.raises(ExtrapolationException, match=r"only time 1\.000000 is in the buffer"):
        tree.lookup("w", "a", 2 * SECOND)


def test_missing_time_does_not_matter_above_the_common_ancestor() -> None:
    tree = new_tree()
    tree.insert("map", "w", SECOND, at(1))
    tree.insert("w", "a", 5 * SECOND, at(1))
    tree.insert("w", "b", 5 * SECOND, at(3))
    assert tree.lookup("a", "b", 5 * SECOND)[1] == at(2)


def test_unknown_and_unconnected_frames_are_told_apart() -> None:
    tree = new_tree()
    tree.insert("w", "a", SECOND, at(1))
    tree.insert("v", "b", SECOND, at(1))
    with pytest.raises(LookupException) as unknown:
        tree.lookup("w", "nope", 0)
    assert str(unknown.value) == (
        '"nope" passed to lookupTransform argument source_frame does not exist.'
    )
    for time in (0, SECOND):
        with pytest.raises(ConnectivityException, match="not part of the same tree"):
            tree.lookup("a", "b", time)
    for name in ("", "/w"):
        with pytest.raises(InvalidArgumentException, match="target_frame"):
            tree.lookup(name, "a", 0)


@pytest.mark.parametrize(
    ("parent", "child", "transform"),
    [
        ("", "a", at(1)),
        ("w", "", at(1)),
        ("w", "w", at(1)),
        ("/w", "w", at(1)),
        ("w", "a", at(math.nan)),
        ("w", "a", ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0))),
        ("w", "a", ((0.0, 0.0, 0.0), (0.0, 0.0, 0.5, 1.0))),
        ("w", "a", ((0.0, 0.0, 0.0), (0.0, math.inf, 0.0, 1.0))),
    ],
)
def test_transforms_that_cannot_be_right_are_refused(
    parent: str, child: str, transform: Rigid
) -> None:
    tree = new_tree()
    with pytest.raises(InvalidArgumentException):
        tree.insert(parent, child, SECOND, transform)
    assert not tree.knows("a")


def test_history_is_limited_and_old_news_are_dropped() -> None:
    tree = new_tree()
    for i in range(1, 31):
        assert tree.insert("w", "a", i * SECOND, at(i))
    with pytest.raises(ExtrapolationException, match="into the past"):
        tree.lookup("w", "a", 19 * SECOND)
    assert tree.lookup("w", "a", 20 * SECOND)[1] == at(20)
    assert not tree.insert("w", "a", 19 * SECOND, at(0))
    assert not tree.insert("w", "a", 30 * SECOND, at(0)), "a time is written only once"
    assert tree.lookup("w", "a", 30 * SECOND)[1] == at(30)


def test_a_frame_may_change_its_parent() -> None:
    tree = new_tree()
    tree.insert("table", "cup", 1 * SECOND, at(1))
    tree.insert("hand", "cup", 3 * SECOND, at(0))
    tree.insert("world", "table", 0, at(1), static=True)
    tree.insert("world", "hand", 0, at(9), static=True)
    assert tree.lookup("world", "cup", 1 * SECOND)[1] == at(2)
    assert tree.lookup("world", "cup", 2 * SECOND)[1] == at(2)
    assert tree.lookup("world", "cup", 3 * SECOND)[1] == at(9)
    assert tree.lookup("world", "cup", 0)[1] == at(9)


def test_full_lookup_goes_through_a_fixed_frame() -> None:
    tree = new_tree()
    for i in range(1, 4):
        tree.insert("w", "camera", i * SECOND, at(i))
    stamp, found = tree.lookup_full("camera", 3 * SECOND, "camera", 1 * SECOND, "w")
    assert (stamp, found) == (3 * SECOND, at(-2))


def test_clear_keeps_static_transforms() -> None:
    tree = new_tree()
    tree.insert("w", "a", 5 * SECOND, at(1))
    tree.insert("a", "tool", 0, at(1), static=True)
    tree.clear()
    with pytest.raises(TransformException):
        tree.lookup("w", "a", 0)
    assert tree.lookup("a", "tool", 0)[1] == at(1)
    assert tree.insert("w", "a", SECOND, at(2)), "time may begin anew"
    assert tree.lookup("w", "tool", 0) == (SECOND, at(3))


def test_frames_in_a_ring_are_an_error_and_not_a_hang() -> None:
    tree = new_tree()
    tree.insert("a", "b", SECOND, at(1))
    tree.insert("b", "a", SECOND, at(1))
    tree.insert("w", "c", SECOND, at(1))
    for time in (0, SECOND):
        with pytest.raises(InvalidArgumentException, match="loop"):
            tree.lookup("c", "a", time)


def test_frames_are_summarised() -> None:
    tree = new_tree()
    tree.insert("w", "a", 1 * SECOND, at(1), authority="me")
    tree.insert("w", "a", 2 * SECOND, at(1), authority="me")
    (frame,) = tree.frames()
    assert (frame.name, frame.parent, frame.authority, frame.count) == ("a", "w", "me", 2)
    assert (frame.oldest_ns, frame.newest_ns) == (SECOND, 2 * SECOND)
