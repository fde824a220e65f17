"""What was drawn for a scene is what the physics and the cameras have."""

from __future__ import annotations

import numpy as np
import pytest
import sapien
from gensim2_control.camera_calibration import CameraCalibrations
from gensim2_sim_bridge.cameras import CameraConfig, CameraRig
from gensim2_sim_bridge.scenery import (
    PATTERN_PIXELS,
    TABLE_CENTRE_X,
    TABLE_COLOUR,
    TABLE_HALF_SIZE,
    pattern,
)
from gensim2_sim_bridge.simulation import Simulation
from gensim2_sim_bridge.world import World, WorldConfig
from gensim2_tasks.assets import AssetLibrary
from gensim2_tasks.clutter import AREA_X, AREA_Y, is_clutter
from gensim2_tasks.conditions import (
    Conditions,
    LightConditions,
    ObjectConditions,
    TableConditions,
)
from gensim2_tasks.randomisation import Cameras, Variation
from sim_cell import Cell

OWN = ObjectConditions(mass=1.5, friction=0.5, joint_friction=2.0, joint_damping=0.3)
STEPS = 20


def properties(world: World, name: str) -> list[float]:
    """Mass of the moving part, friction of a surface, friction and damping of the joint."""
    entity = next(e for e in world.scene.entities if e.name == name)
    body = entity.find_component_by_type(sapien.physx.PhysxRigidDynamicComponent)
    return [body.mass, body.collision_shapes[0].physical_material.static_friction]


def test_physics_are_those_that_were_drawn(cell: Cell, draw) -> None:
    measured = {}
    for own in (ObjectConditions(), OWN):
        conditions = Conditions(objects={"box": own, "apple": own})
        cell.world.reset(draw("DropAppleIntoBox", 2), conditions)
        free = properties(cell.world, "apple")
        box = next(a for a in cell.world.scene.get_all_articulations() if a.name == "box")
        (joint,) = box.active_joints
        link = joint.child_link
        material = link.collision_shapes[0].physical_material
        fixed = [link.mass, material.static_friction, joint.friction, joint.damping]
        measured[own] = np.array([*free, *fixed])
    usual, drawn = measured.values()
    assert drawn[:5] / usual[:5] == pytest.approx([1.5, 0.5, 1.5, 0.5, 2.0], rel=1e-4)
    assert (usual[5], drawn[5]) == (0.0, pytest.approx(0.3))


def test_a_reset_records_what_it_has_drawn_and_draws_it_again(
    cell: Cell, library: AssetLibrary
) -> None:
    simulation = Simulation(cell.world, cell.body, library, STEPS, cameras=("eye",))
    plain = simulation.reset("OpenBox", "", 5, True).parameters
    assert plain["randomised"] == {} and list(plain["objects"]) == ["box"]
    simulation.variation = Variation(("all",), 3)
    first = simulation.reset("OpenBox", "", 5, True).parameters
    assert first["objects"]["box"] == plain["objects"]["box"]
    assert list(first["objects"]) == ["box", "clutter_1", "clutter_2", "clutter_3"]
    assert {*first["randomised"]} == {"objects", "lights", "table", "cameras", "depth"}
    simulation.variation = Variation.recorded(first)
    assert simulation.reset("OpenBox", "", 5, True).parameters == first


def test_what_stands_about_is_at_rest_when_the_task_begins(
    cell: Cell, library: AssetLibrary
) -> None:
    simulation = Simulation(cell.world, cell.body, library, STEPS, variation=Variation(clutter=6))
    simulation.reset("CloseBox", "", 3, True)
    world = cell.world
    names = [o.name for o in world.objects if is_clutter(o.name)]
    before = {name: world.root_pose(name)[:3, 3] for name in names}
    for _ in range(200):
        simulation.tick()
    moved = [np.linalg.norm(world.root_pose(name)[:3, 3] - p) for name, p in before.items()]
    assert len(moved) == 6 and max(moved) < 0.002


def test_things_stand_about_on_the_table() -> None:
    assert TABLE_CENTRE_X - TABLE_HALF_SIZE[0] < AREA_X[0] - 0.1
    assert TABLE_CENTRE_X + TABLE_HALF_SIZE[0] > AREA_X[1] + 0.1
    assert TABLE_HALF_SIZE[1] >= max(np.abs(AREA_Y)) + 0.1


def test_pictures_are_taken_from_elsewhere_in_another_light(
    urdf: str, calibrations: CameraCalibrations, draw
) -> None:
    world = World(urdf, WorldConfig(render=True))
    one = CameraCalibrations(cameras={"left_camera": calibrations.cameras["left_camera"]})
    rig = CameraRig(one, CameraConfig(64, 48))
    objects = draw("OpenBox", 2)

    def picture() -> tuple[np.ndarray, np.ndarray]:
        (frame,) = rig.capture(world)
        return frame.rgb.astype(int), frame.depth_mm.astype(int)

    def taken(conditions: Conditions) -> tuple[np.ndarray, np.ndarray]:
        world.reset(objects, conditions)
        return picture()

    rgb, depth = taken(Conditions())
    dark, same = taken(Conditions(lights=LightConditions(intensity=0.5)))
    assert np.array_equal(same, depth) and dark[rgb > 40].mean() < 0.8 * rgb[rgb > 40].mean()
    blue_table, off = TableConditions((0.1, 0.1, 0.9), (0.1, 0.9, 0.1)), Cameras(distance=0.05)
    blue, moved = taken(Conditions(table=blue_table, cameras=off))
    assert TABLE_COLOUR[0] > TABLE_COLOUR[2]
    assert blue[..., 2].mean() > rgb[..., 2].mean() + 10
    assert abs(np.median((moved - depth)[(depth > 0) & (moved > 0)])) > 2
    tinted, _ = taken(Conditions(objects={"box": ObjectConditions(tint=(0.2, 1.0, 1.0))}))
    assert tinted[..., 0].sum() < rgb[..., 0].sum() and (tinted[..., 1:] == rgb[..., 1:]).all()
    colours, noisy = taken(Conditions(depth=1.0))
    assert np.array_equal(colours, rgb) and np.array_equal(picture()[1], noisy)
    assert 0.0 < np.abs(noisy - depth)[(depth > 0) & (noisy > 0)].mean() < 20


@pytest.mark.parametrize("kind", ["checks", "stripes", "speckles"])
def test_a_pattern_has_both_colours_in_patches_of_its_size(kind) -> None:
    table = TableConditions((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), kind, 0.13)
    top = pattern(table)[:PATTERN_PIXELS, :PATTERN_PIXELS, 0]
    assert {*np.unique(top)} == {0, 255}
    cells = 2 * TABLE_HALF_SIZE[0] / table.size
    changes = np.count_nonzero(np.diff(top[5].astype(int)))
    assert 1 <= changes <= cells - 1
    if kind != "speckles":
        assert changes == round(cells) - 1
