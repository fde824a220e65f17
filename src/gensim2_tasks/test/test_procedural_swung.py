"""Faucets, buckets and bags: what keypoints and joint mean, generated or downloaded."""

import os
from pathlib import Path

import numpy as np
import pytest
from gensim2_tasks.assets import ArticulatedAsset, AssetRef, load_asset
from hypothesis import given, settings
from hypothesis import strategies as st

from gensim2_tasks import procedural

SEEDS = st.integers(0, 2**31 - 1)
SWUNG = ("bucket_swing", "bag_swing")
REPOSITORY = Path(__file__).resolve().parents[3]
REAL = Path(
    os.environ.get("GENSIM2_ASSETS", REPOSITORY.parent / "shared" / "data" / "gensim2_assets")
)
HEAD, TAIL, BASE = (f"articulated_object_{name}" for name in ("head", "tail", "bottom_base"))


def generated(category: str, seed: int, folder: Path) -> ArticulatedAsset:
    procedural.generate(category, seed, folder / str(seed))
    return load_asset(AssetRef("procedural", category, str(seed)), folder / str(seed))


def downloaded(category: str) -> list[ArticulatedAsset]:
    folder = REAL / "articulated_objs" / category
    found = sorted(p.parent for p in folder.glob("*/mobility.urdf"))
    if not found:
        pytest.skip(f"no real assets at {folder} (GENSIM2_ASSETS); nothing to compare with")
    return [load_asset(AssetRef("partnet", category, p.name), p) for p in found]


def points_of(asset: ArticulatedAsset, q: float, moving: bool) -> np.ndarray:
    """Vertices (N, 3) of the moving part, or of the rest, in the root frame."""
    poses = asset.tree.link_poses(q)
    child = asset.tree.moving.child
    chosen = [(link, v) for link, v in asset.hulls if (link == child) is moving]
    return np.concatenate([v @ poses[k][:3, :3].T + poses[k][:3, 3] for k, v in chosen])


def check_faucet(asset: ArticulatedAsset) -> None:
    """A lever on an upright axis over the spout; from above it opens with the clock."""
    point, axis = asset.tree.axis_in_root()
    assert axis == pytest.approx([0, 0, -1], abs=1e-6)
    closed, opened = asset.joint_range
    assert (closed, opened) == (-1.2, 1.2)
    middle = asset.keypoints(0.0)
    head, tail, under = middle[HEAD], middle[TAIL], middle[BASE]
    lever = head[:2] - point[:2]
    assert -0.15 < lever[0] < -0.05 and abs(lever[1]) < 0.01, "in the middle it points to the robot"
    assert np.linalg.norm(tail[:2] - point[:2]) < 0.03
    assert asset.keypoints(opened)[HEAD][1] > 0.04 and asset.keypoints(closed)[HEAD][1] < -0.04
    # The tip is up to 3 cm from the end of the lever, and the point for a mug under the mouth.
    end = points_of(asset, 0.0, moving=True)[:, 0].min()
    assert 0.0 < head[0] - end < 0.03
    spout = points_of(asset, 0.0, moving=False)
    assert abs(under[0] - spout[:, 0].min()) < 0.03 and abs(under[1]) < 0.01
    assert under[2] < head[2] - 0.08


def check_swung(asset: ArticulatedAsset) -> None:
    """A handle on a level axis, about upright half way, down on both sides at the ends."""
    point, axis = asset.tree.axis_in_root()
    assert abs(axis[1]) > 0.99 and abs(axis[2]) < 1e-6
    closed, opened = asset.joint_range
    assert 2.8 < opened - closed < 3.4
    half = asset.joint_position(0.5)
    ends = [asset.keypoints(asset.joint_position(o))[HEAD] - point for o in (0.0, 1.0)]
    up = asset.keypoints(half)[HEAD] - point
    assert up[2] > 0.95 * np.linalg.norm(up[[0, 2]]) > 0.08
    assert ends[0][0] * ends[1][0] < 0.0
    for end in ends:
        assert abs(end[2]) < 0.4 * abs(end[0])
    if asset.ref.category == "bag_swing":
        assert ends[1][0] > 0.0, "at openness 1 the strap is behind the bag"
    # The head is at the top of the middle of the handle.
    top = points_of(asset, half, moving=True)
    assert top[:, 2].max() - (up + point)[2] < 0.02 and abs(up[1] + point[1]) < 0.02


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS)
def test_the_lever_of_a_faucet_turns_over_its_spout(seed, tmp_path_factory):
    asset = generated("faucet", seed, tmp_path_factory.mktemp("faucet"))
    check_faucet(asset)
    # Fingers that reach down beside the lever find room over the spout.
    head = asset.keypoints(0.0)[HEAD]
    spout = points_of(asset, 0.0, moving=False)
    assert spout[spout[:, 0] < head[0], 2].max() < head[2] - 0.02


@pytest.mark.parametrize("category", SWUNG)
@settings(max_examples=15, deadline=None)
@given(seed=SEEDS)
def test_handles_and_straps_swing_over_the_top(category, seed, tmp_path_factory):
    check_swung(generated(category, seed, tmp_path_factory.mktemp(category)))


def test_downloaded_faucets_mean_the_same():
    for asset in downloaded("faucet"):
        check_faucet(asset)


@pytest.mark.parametrize("category", SWUNG)
def test_downloaded_handles_and_straps_mean_the_same(category):
    for asset in downloaded(category):
        check_swung(asset)
