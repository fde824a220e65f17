"""Robot, cameras and assets for the tests of this folder; makes the helpers here importable."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from gensim2_control.camera_calibration import CameraCalibrations
from gensim2_control.description import resolve_packages, robot_description
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_tasks.assets import AssetLibrary
from gensim2_tasks.catalogue import load_task
from gensim2_tasks.placement import PlacedObject, draw_scene

sys.path.insert(0, str(Path(__file__).parent))

from sim_cell import Cell

ROOT = Path(__file__).resolve().parents[3]
DRAWN = Callable[..., tuple[PlacedObject, ...]]


@pytest.fixture(scope="session")
def urdf() -> str:
    text = robot_description(ROOT / "launch" / "urdf" / "fr3.urdf")
    return resolve_packages(text, {"gensim2": ROOT / "launch"})


@pytest.fixture(scope="session")
def kinematics(urdf: str) -> Fr3Kinematics:
    return Fr3Kinematics.from_urdf(urdf)


@pytest.fixture(scope="session")
def calibrations() -> CameraCalibrations:
    return CameraCalibrations.load(ROOT / "launch" / "config" / "cameras.yaml")


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> AssetLibrary:
    """Generated assets."""
    return AssetLibrary(cache=tmp_path_factory.mktemp("assets"))


@pytest.fixture(scope="session")
def real_library() -> AssetLibrary:
    """Downloaded assets."""
    given = os.environ.get("GENSIM2_ASSETS")
    root = Path(given) if given else ROOT.parent / "shared" / "data" / "gensim2_assets"
    if not (root / "articulated_objs").is_dir():
        pytest.skip("no downloaded assets; set GENSIM2_ASSETS to their folder")
    return AssetLibrary(root)


@pytest.fixture(scope="session")
def draw(library: AssetLibrary) -> DRAWN:
    """Draws the scene of a task by its seed."""

    def drawn(task: str, seed: int, asset: str = "", **options: bool) -> tuple[PlacedObject, ...]:
        rng = np.random.default_rng(seed)
        return draw_scene(load_task(task), library, rng, asset=asset, **options)

    return drawn


@pytest.fixture
def cell(urdf: str) -> Cell:
    return Cell(urdf)
