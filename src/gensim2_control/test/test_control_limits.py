"""Limits that are wider than the robot's end in a reflex, or worse."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from gensim2_control.hardware import HOME_Q
from gensim2_control.limits import EndSpeeds, JointLimits, Workspace
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays


def test_the_limits_lie_inside_those_of_the_description(urdf_file: Path) -> None:
    limits = JointLimits.fr3()
    joints = {j.get("name"): j.find("limit") for j in ET.parse(urdf_file).iter("joint")}
    for i, name in enumerate(limits.names):
        described = joints[name]
        assert described is not None
        assert float(described.get("lower", "nan")) <= limits.q_min[i]
        assert float(described.get("upper", "nan")) >= limits.q_max[i]
        assert float(described.get("velocity", "nan")) >= limits.dq_max[i]


def test_home_is_well_inside() -> None:
    assert JointLimits.fr3().reduced(margin=0.1).contains(np.array(HOME_Q))


def test_limits_can_only_be_tightened() -> None:
    tight = JointLimits.fr3().reduced(margin=0.05, velocity=0.3, acceleration=0.2)
    assert tight.dq_max[0] == pytest.approx(0.786)
    assert tight.q_min[1] == pytest.approx(-1.7337)
    for wrong in ({"margin": -0.1}, {"velocity": 1.5}, {"acceleration": 0.0}):
        with pytest.raises(ValueError, match="only be tightened"):
            JointLimits.fr3().reduced(**wrong)
    with pytest.raises(ValueError, match="margin too wide"):
        JointLimits.fr3().reduced(margin=2.0)


def test_limits_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValueError, match="read-only"):
        JointLimits.fr3().q_max[0] = 9.0


@pytest.mark.parametrize(
    ("joint", "q", "lowest", "highest"),
    [
        # Numbers of the data sheet, worked out by hand.
        (1, 0.0, -2.62, 2.62),
        (1, 2.70, -2.62, 0.475371),
        (2, -1.70, -0.488915, 2.62),
        (4, -0.20, -2.62, 0.358483),
        (4, -0.10, -2.62, 0.0),
        (4, -3.10, 0.0, 2.62),
        (6, 0.60, -0.456151, 4.18),
        (7, 3.00, -5.26, 0.466333),
    ],
)
def test_joints_are_slow_where_they_approach_an_end(
    joint: int, q: float, lowest: float, highest: float
) -> None:
    where = np.array(HOME_Q)
    where[joint - 1] = q
    bounds = JointLimits.fr3().speed_bounds(where)
    assert bounds[0][joint - 1] == pytest.approx(lowest, abs=1e-5)
    assert bounds[1][joint - 1] == pytest.approx(highest, abs=1e-5)


@given(arrays(np.float64, 7, elements=st.floats(-4.0, 5.0)), st.floats(0.05, 1.0))
def test_no_tightening_allows_more_speed_and_no_end_holds_a_joint_fast(
    q: np.ndarray, share: float
) -> None:
    """A joint beyond an end that may not come back can only be moved by hand."""
    limits = JointLimits.fr3()
    lowest, highest = limits.speed_bounds(q)
    assert (lowest <= 0).all() and (highest >= 0).all()
    assert (np.maximum(-lowest, highest) > 2.0).all(), "one way is always open"
    assert (highest[q >= limits.q_max + 0.01] == 0.0).all()
    assert (lowest[q <= limits.q_min - 0.01] == 0.0).all()
    scaled = limits.reduced(velocity=share).speed_bounds(q)
    np.testing.assert_allclose(scaled, share * np.array([lowest, highest]), atol=1e-12)
    stoppable = limits.stoppable_within(0.27).speed_bounds(q)
    assert (stoppable[0] >= lowest).all() and (stoppable[1] <= highest).all()


def test_every_position_within_the_limits_can_be_moved_to() -> None:
    """One where a joint may not move towards the end is one that no trajectory reaches."""
    limits = JointLimits.fr3()
    inwards = 1e-5
    assert (limits.speed_bounds(limits.q_max - inwards)[1] > 0).all()
    assert (limits.speed_bounds(limits.q_min + inwards)[0] < 0).all()


def test_speeds_near_the_ends_are_numbers_that_make_sense() -> None:
    ones = np.ones(7)
    for wrong in ({"offset": 0 * ones}, {"gain": -ones}, {"share": 0.0}, {"gain": np.ones(6)}):
        values = {"q_low": -ones, "q_high": ones, "offset": ones, "gain": ones, **wrong}
        with pytest.raises(ValueError, match=r"positive|finite numbers"):
            EndSpeeds(**values)  # type: ignore[arg-type]


def test_references_may_not_be_made_so_often_that_they_exceed_the_jerk_limit() -> None:
    limits = JointLimits.fr3()
    limits.require_period(0.005)
    limits.require_period(1.0 / 250.0)
    with pytest.raises(ValueError, match=r"jerk limit of 5000 rad/s\^3 .* at most 250 Hz"):
        limits.require_period(1.0 / 251.0)
    limits.reduced(acceleration=0.2).require_period(0.001)


def test_workspace_names_the_first_point_outside() -> None:
    box = Workspace((0.0, -0.5, 0.0), (0.8, 0.5, 1.0))
    points = np.array([[0.4, 0.0, 0.2], [0.4, 0.0, -0.1], [0.9, 0.0, 0.2]])
    assert box.first_outside(points) == 1
    assert box.first_outside(points[:1]) is None
    with pytest.raises(ValueError, match="must be below"):
        Workspace((0.0, 0.0, 1.0), (1.0, 1.0, 0.0))
