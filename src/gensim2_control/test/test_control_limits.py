"""Limits that are wider than the robot's end in a reflex, or worse."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from gensim2_control.hardware import HOME_Q
from gensim2_control.limits import JointLimits, Workspace


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
    assert tight.q_min[5] == pytest.approx(0.5945)
    for wrong in ({"margin": -0.1}, {"velocity": 1.5}, {"acceleration": 0.0}):
        with pytest.raises(ValueError, match="only be tightened"):
            JointLimits.fr3().reduced(**wrong)
    with pytest.raises(ValueError, match="margin too wide"):
        JointLimits.fr3().reduced(margin=2.0)


def test_limits_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValueError, match="read-only"):
        JointLimits.fr3().q_max[0] = 9.0


def test_workspace_names_the_first_point_outside() -> None:
    box = Workspace((0.0, -0.5, 0.0), (0.8, 0.5, 1.0))
    points = np.array([[0.4, 0.0, 0.2], [0.4, 0.0, -0.1], [0.9, 0.0, 0.2]])
    assert box.first_outside(points) == 1
    assert box.first_outside(points[:1]) is None
    with pytest.raises(ValueError, match="must be below"):
        Workspace((0.0, 0.0, 1.0), (1.0, 1.0, 0.0))
