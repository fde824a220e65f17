"""Generated objects in the two libraries that use them: SAPIEN moves them, Drake collides them."""

from pathlib import Path

import numpy as np
import pytest
from gensim2_tasks.assets import ArticulatedAsset, AssetRef, load_asset

from gensim2_tasks import procedural

sapien = pytest.importorskip("sapien", reason="SAPIEN is not installed")

CATEGORIES = [c for c in procedural.categories() if not procedural.make_model(c, 0).free]
# Smallest mass of body and moving part, kg: a lever or a wire is next to nothing.
LIGHTEST = {
    "faucet": (0.02, 0.001),
    "bucket_swing": (0.02, 0.001),
    "bag_swing": (0.05, 0.002),
    "toaster_press": (0.05, 0.003),
}
SEEDS = (0, 1, 2, 3, 4, 5)
DT = 0.005


def generated(category: str, seed: int, folder: Path) -> ArticulatedAsset:
    procedural.generate(category, seed, folder)
    return load_asset(AssetRef("procedural", category, str(seed)), folder)


def standing(asset: ArticulatedAsset) -> np.ndarray:
    """Pose of the root on the ground."""
    return asset.resting([0.0, 0.0, asset.rest_height()], 0.0)


def spawn(asset: ArticulatedAsset) -> tuple["sapien.Scene", "sapien.physx.PhysxArticulation"]:
    scene = sapien.Scene([sapien.physx.PhysxCpuSystem()])
    scene.set_timestep(DT)
    scene.add_ground(0.0, render=False)
    loader = scene.create_urdf_loader()
    loader.fix_root_link = True
    loader.set_density(asset.info.density)
    builder = loader.parse(str(asset.urdf))[0][0]
    for link in builder.link_builders:
        link.visual_records.clear()
    builder.initial_pose = sapien.Pose(standing(asset))
    articulation = builder.build()
    (joint,) = articulation.active_joints
    joint.set_friction(asset.joint_friction)
    joint.set_armature([asset.joint_armature or 0.01])
    return scene, articulation


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_simulated_object_is_the_described_one(category, seed, tmp_path):
    asset = generated(category, seed, tmp_path)
    scene, articulation = spawn(asset)
    (joint,) = articulation.active_joints
    low, high = asset.tree.moving.limits
    assert joint.limits[0] == pytest.approx([low, high], abs=1e-5)
    assert len(joint.child_link.get_collision_shapes()) == sum(
        s.link == asset.tree.moving.child for s in asset.tree.collisions
    )
    masses = {link.name: link.mass for link in articulation.links}
    body, part = LIGHTEST.get(category, (0.05, 0.02))
    assert body < masses["body"] < 5.0
    assert part < masses[asset.tree.moving.child] < 1.0

    root = standing(asset)
    for openness in (0.0, 0.5, 1.0):
        q = asset.joint_position(openness)
        articulation.set_qpos([q])
        part = joint.child_link
        pose = part.entity_pose * part.get_collision_shapes()[0].get_local_pose()
        T = pose.to_transformation_matrix()
        for name, point in asset.keypoints(q).items():
            if "base" in name:
                continue
            local = np.array(asset.info.keypoints[name])
            assert T[:3, :3] @ local + T[:3, 3] == pytest.approx(
                root[:3, :3] @ point + root[:3, 3], abs=1e-5
            )

    # Nothing is wedged: a small force moves the part from stop to stop, both ways.
    # The friction of a joint grows with the load on it, and the door of a refrigerator is heavy.
    force = {"drawer": 0.3, "toaster_press": 8.0, "suitcase_rotate": 1.5, "refrigerator": 2.0}.get(
        category, 0.8
    )
    for start, sign, stop in ((low, 1.0, high), (high, -1.0, low)):
        articulation.set_qpos([start])
        articulation.set_qvel([0.0])
        for _ in range(1000):
            articulation.set_qf([sign * force])
            scene.step()
            if abs(articulation.qpos[0] - stop) < 0.01:
                break
        assert articulation.qpos[0] == pytest.approx(stop, abs=0.011)


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("openness", [0.0, 0.35, 0.5, 0.65, 1.0])
def test_an_untouched_object_holds_still(category, openness, tmp_path):
    for seed in SEEDS:
        asset = generated(category, seed, tmp_path / str(seed))
        scene, articulation = spawn(asset)
        articulation.set_qpos([asset.joint_position(openness)])
        articulation.set_qvel([0.0])
        for _ in range(round(2.0 / DT)):
            scene.step()
        assert asset.openness(articulation.qpos[0]) == pytest.approx(openness, abs=0.004), seed


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("seed", SEEDS)
def test_drake_reads_the_folder_and_finds_no_contact_within_the_object(category, seed, tmp_path):
    pytest.importorskip("pydrake", reason="Drake is not installed")
    from pydrake.geometry import CollisionFilterDeclaration, GeometrySet, Role
    from pydrake.multibody.parsing import Parser
    from pydrake.multibody.plant import AddMultibodyPlantSceneGraph
    from pydrake.systems.framework import DiagramBuilder

    asset = generated(category, seed, tmp_path)
    builder = DiagramBuilder()
    plant, scene_graph = AddMultibodyPlantSceneGraph(builder, 0.0)
    (model,) = Parser(plant).AddModels(str(asset.urdf))
    plant.WeldFrames(plant.world_frame(), plant.GetFrameByName("base", model))
    plant.Finalize()
    diagram = builder.Build()
    context = diagram.CreateDefaultContext()
    inspector = scene_graph.model_inspector()
    expected = {"body": 0, asset.tree.moving.child: 0}
    for shape in asset.tree.collisions:
        expected[shape.link] += 1
    geometries = {
        name: plant.GetCollisionGeometriesForBody(plant.GetBodyByName(name)) for name in expected
    }
    assert {name: len(ids) for name, ids in geometries.items()} == expected
    # Neighbours are excluded by default; here they are exactly what is asked about.
    graph_context = scene_graph.GetMyMutableContextFromRoot(context)
    scene_graph.collision_filter_manager(graph_context).Apply(
        CollisionFilterDeclaration().AllowBetween(
            *(GeometrySet(list(ids)) for ids in geometries.values())
        )
    )
    assert all(inspector.GetProperties(i, Role.kProximity) for i in geometries["body"])
    low, high = asset.tree.moving.limits
    for q in np.linspace(low, high, 15):
        plant.SetPositions(plant.GetMyMutableContextFromRoot(context), [q])
        query = scene_graph.get_query_output_port().Eval(graph_context)
        for pair in query.ComputeSignedDistancePairwiseClosestPoints(0.05):
            assert pair.distance > 0.0008, (q, inspector.GetName(pair.id_A))
