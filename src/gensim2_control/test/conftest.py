"""Robots without physics for the tests of this folder; makes the helpers here importable."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from gensim2_control.kinematics import Fr3Kinematics

sys.path.insert(0, str(Path(__file__).parent))

from control_rig import Rig

URDF = Path(__file__).resolve().parents[3] / "launch" / "urdf" / "fr3.urdf"


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.fixture
def make_rig() -> type[Rig]:
    return Rig


@pytest.fixture(scope="session")
def urdf_file() -> Path:
    return URDF


@pytest.fixture(scope="session")
def kinematics() -> Fr3Kinematics:
    return Fr3Kinematics.from_urdf(URDF.read_text(encoding="utf-8"))
