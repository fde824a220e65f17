"""The robot, a library of generated assets and scenes of the catalogue's tasks."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import pytest
from gensim2_control.description import resolve_packages
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_kpam.arm_model import ArmModel
from gensim2_kpam.planner import Planner
from gensim2_tasks.assets import AssetLibrary

sys.path.insert(0, str(Path(__file__).parent))
LAUNCH = Path(__file__).resolve().parents[3] / "launch"
# Drake reports every infeasible time law; the planner tries the next one.
logging.getLogger("drake").setLevel(logging.CRITICAL)


@pytest.fixture(scope="session")
def urdf() -> str:
    text = (LAUNCH / "urdf" / "fr3.urdf").read_text(encoding="utf-8")
    return resolve_packages(text, {"gensim2": LAUNCH})


@pytest.fixture(scope="session")
def arm(urdf: str) -> ArmModel:
    return ArmModel(urdf)


@pytest.fixture(scope="session")
def kinematics(urdf: str) -> Fr3Kinematics:
    """Forward kinematics that shares no code with the planner's."""
    return Fr3Kinematics.from_urdf(urdf)


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> AssetLibrary:
    return AssetLibrary(cache=tmp_path_factory.mktemp("assets"))


@pytest.fixture(scope="session")
def real_library() -> AssetLibrary:
    """Downloaded assets."""
    given = os.environ.get("GENSIM2_ASSETS")
    root = Path(given) if given else LAUNCH.parents[1] / "shared" / "data" / "gensim2_assets"
    if not (root / "articulated_objs").is_dir():
        pytest.skip("no downloaded assets; set GENSIM2_ASSETS to their folder")
    return AssetLibrary(root)


@pytest.fixture(scope="session")
def planner(urdf: str) -> Planner:
    return Planner(urdf)
