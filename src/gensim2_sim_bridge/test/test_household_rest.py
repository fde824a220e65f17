"""Things to pick up stand still where they are put: physics is no adversary before the start."""

from __future__ import annotations

import numpy as np
import pytest
from gensim2_sim_bridge.world import World, WorldConfig
from gensim2_tasks.assets import ArticulatedAsset, AssetLibrary, AssetRef
from gensim2_tasks.placement import PlacedObject
from gensim2_tasks.procedural.household import GENERATORS
from scipy.spatial.transform import Rotation


@pytest.fixture(scope="module")
def world(urdf: str) -> World:
    return World(urdf, WorldConfig(render=False))


def check_rest(world: World, asset: ArticulatedAsset) -> None:
    """It stays for two seconds as it was put down."""
    T = asset.resting(np.array([0.5, 0.2, asset.rest_height()]), 0.3)
    world.reset([PlacedObject("thing", asset, T, 0.0)])
    for _ in range(round(2.0 / world.config.time_step)):
        world.step()
    seen, T_now = world.observations()["thing"], world.root_pose("thing")
    assert np.linalg.norm(T_now[:3, 3] - T[:3, 3]) < 0.005
    assert Rotation.from_matrix(T_now[:3, :3] @ T[:3, :3].T).magnitude() < np.radians(3.0)
    assert seen.joint_velocity < 0.005
    assert not seen.touched and seen.grip == 0.0


@pytest.mark.parametrize("category", sorted(GENERATORS))
def test_it_rests(world: World, library: AssetLibrary, category: str) -> None:
    for seed in range(5):
        check_rest(world, library.load(AssetRef("procedural", category, str(seed))))


@pytest.mark.parametrize("category", sorted(GENERATORS))
def test_imported_ones_rest(world: World, real_library: AssetLibrary, category: str) -> None:
    if not real_library.keys(category):
        pytest.skip("none among the downloaded assets")
    check_rest(world, real_library.load(real_library.find(category, category)))


@pytest.mark.parametrize("category", ["golf_ball", "apple"])
def test_what_rolls_comes_to_rest(world: World, library: AssetLibrary, category: str) -> None:
    asset = library.load(AssetRef("procedural", category, "0"))
    T = asset.resting(np.array([0.5, 0.0, asset.rest_height()]), 0.0)
    world.reset([PlacedObject(category, asset, T, 0.0)])
    body = world._free[category]._body
    for _ in range(20):
        world.step()
    body.set_linear_velocity([0.0, 0.3, 0.0])
    for _ in range(round(2.0 / world.config.time_step)):
        world.step()
    rolled = float(world.root_pose(category)[1, 3])
    assert 0.01 < rolled < 0.4
    assert world.observations()[category].joint_velocity < 0.02
