"""Resets and judgement: a scene is what its arguments say, and a refusal says why."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from gensim2_control.body import Body
from gensim2_control.description import robot_description
from gensim2_control.hardware import HOME_Q, Array
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.trajectory import Trajectory
from gensim2_sim_bridge.hardware import SapienHardware
from gensim2_sim_bridge.simulation import ResetError, Simulation
from gensim2_sim_bridge.world import World, WorldConfig
from gensim2_tasks.assets import AssetLibrary
from gensim2_tasks.catalogue import load_task
from gensim2_tasks.gensim2_judge import GENSIM2, PREDICATES, TOOL_POINTS
from gensim2_tasks.kinematic_tree import load_tree
from gensim2_tasks.specs import Openness, Placement, TaskSpec
from scipy.spatial.transform import Rotation
from sim_cell import Cell

from gensim2_sim_bridge import simulation as module
from gensim2_tasks import procedural, se3

STEPS = 20
IDS = ("100129", "100141", "100221")
INTACT = IDS[-1]


@pytest.fixture
def simulation(cell: Cell, library: AssetLibrary) -> Simulation:
    return Simulation(cell.world, cell.body, library, STEPS)


@pytest.fixture
def imported(cell: Cell, tmp_path: Path) -> Simulation:
    """Over a folder of imported boxes."""
    for seed, key in enumerate(IDS):
        procedural.generate("box_rotate", seed, folder_of(tmp_path, key))
    return Simulation(cell.world, cell.body, AssetLibrary(tmp_path), STEPS)


def folder_of(root: Path, key: str) -> Path:
    return root / "articulated_objs" / "box_rotate" / key


def refused(
    simulation: Simulation, task: str = "OpenBox", asset: str = "", seed: int = 0
) -> ResetError:
    with pytest.raises(ResetError) as caught:
        simulation.reset(task, asset, seed, True)
    return caught.value


def change(monkeypatch: pytest.MonkeyPatch, **fields: object) -> None:
    """Changes the object of every task."""

    def changed(name: str) -> TaskSpec:
        spec = load_task(name)
        return spec.model_copy(update={"objects": (spec.objects[0].model_copy(update=fields),)})

    monkeypatch.setattr(module, "load_task", changed)


def hold(simulation: Simulation, duration: float) -> None:
    assert simulation.body.state is not None
    q = simulation.body.state.q_ref
    simulation.body.follow(Trajectory(np.array([0.0, duration]), np.vstack([q, q])))


def trace(simulation: Simulation, seed: int) -> Array:
    """Joints of robot and object while the arm presses upon the object."""
    simulation.reset("CloseBox", "", seed, True)
    home = np.array(HOME_Q)
    down = home + np.array([0.0, 0.9, 0.0, 0.4, 0.0, 0.0, 0.0])
    simulation.body.follow(Trajectory(np.array([0.0, 1.4]), np.vstack([home, down])))
    rows = []
    for _ in range(300):
        state = simulation.tick()
        assert state is not None
        rows.append([*state.q, *state.q_ref, *simulation.world.joint_state("box")])
    while simulation.body.busy:
        simulation.tick()
    return np.array(rows)


def test_a_misspelt_task_is_refused_with_the_nearest_names(simulation: Simulation) -> None:
    simulation.reset("OpenDrawer", "", 1, True)
    before = simulation.world.objects
    error = refused(simulation, "OpenBx")
    assert error.code == ResetError.UNKNOWN_TASK and "did you mean OpenBox" in str(error)
    assert simulation.world.objects == before, "the former scene was taken away"
    simulation.tick()


def test_gensim2_judges_where_it_is_asked_to(cell: Cell, library: AssetLibrary) -> None:
    """A lid that is thrown open has been open for a moment: enough for GenSim2, not for us."""
    for judge, expected in ((GENSIM2, True), (PREDICATES, False)):
        simulation = Simulation(cell.world, cell.body, library, STEPS, judge)
        drawn = simulation.reset("OpenBox", "", 1, True)
        assert drawn.parameters["judge"] == judge
        placed = cell.world.objects[0]
        cell.world.set_object("box", placed.asset.joint_position(0.9))
        simulation.tick()
        cell.world.set_object("box", placed.asset.joint_position(0.5))
        simulation.tick()
        assert simulation.monitor is not None and simulation.monitor.succeeded == expected


def test_gensim2_judges_by_the_points_of_the_hand(cell: Cell) -> None:
    """At home, by the kinematics of the description."""
    hand = Fr3Kinematics.from_urdf(robot_description()).fk(np.array(HOME_Q), "fr3_hand")
    cell.world.reset(())
    assert np.allclose(cell.world.tool_points(), se3.apply(hand, TOOL_POINTS), atol=1e-4)


@pytest.mark.parametrize(
    ("asset", "expected"),
    [
        ("100220", "100221"),
        ("partnet:box_rotate/7", "partnet:box_rotate/7"),
        ("partnet:drawer/100221", "is no 'box_rotate'"),
        ("nonsense:x", "expected 'procedural:CATEGORY/SEED'"),
    ],
)
def test_an_unknown_asset_is_refused(imported: Simulation, asset: str, expected: str) -> None:
    error = refused(imported, asset=asset)
    assert error.code == ResetError.UNKNOWN_ASSET, str(error)
    assert expected in str(error)
    assert imported.reset("OpenBox", "100221", 0, True)


@pytest.mark.parametrize("asset", ["abc", "partnet:box_rotate/100221", "procedural:box_rotate/x"])
def test_without_imported_assets_there_are_seeds_only(simulation: Simulation, asset: str) -> None:
    assert refused(simulation, asset=asset).code == ResetError.UNKNOWN_ASSET
    assert simulation.reset("OpenBox", "17", 0, True)


def damage(folder: Path, kind: str) -> None:
    tree = load_tree(folder / "mobility.urdf", 1.0)
    path, content = {
        "no keypoints": (folder / "info.json", '{"keypoints": {}}'),
        "cut info": (folder / "info.json", "{"),
        "cut urdf": (folder / "mobility.urdf", "<robot"),
        "no joint": (folder / "mobility.urdf", "<robot name='x'><link name='a'/></robot>"),
        "collision mesh": (tree.collisions[0].mesh, "nothing"),
        "visual mesh": (tree.visuals[0].mesh, "nothing that is a mesh"),
        "missing mesh": (tree.collisions[0].mesh, None),
    }[kind]
    path.unlink() if content is None else path.write_text(content)


def check_refusal(simulation: Simulation, root: Path, kind: str, asset: str) -> None:
    """All assets but one are damaged, which is named here; otherwise it has gone."""
    simulation.reset("OpenBox", INTACT, 0, True)
    for key in IDS[:-1]:
        damage(folder_of(root, key), kind)
    if not asset:
        shutil.rmtree(folder_of(root, INTACT))
    simulation.library = AssetLibrary(root)
    error = refused(simulation, asset=asset)
    assert error.code == ResetError.BAD_ASSET, str(error)
    assert "box_rotate" in str(error), str(error)
    for _ in range(10):
        simulation.tick()
    assert simulation.body.motion_possible
    if asset:
        assert simulation.reset("OpenBox", INTACT, 0, True)


@pytest.mark.parametrize("asset", ["100129", ""], ids=["named", "drawn"])
@pytest.mark.parametrize(
    "kind",
    ["no keypoints", "cut info", "cut urdf", "no joint", "collision mesh", "missing mesh"],
)
def test_a_damaged_asset_is_refused_and_named(
    imported: Simulation, tmp_path: Path, kind: str, asset: str
) -> None:
    check_refusal(imported, tmp_path, kind, asset)
    assert len(imported.world.objects) == 1, "the former scene was taken away"


def test_a_damaged_mesh_to_look_at_is_refused_before_a_camera_fails_on_it(
    urdf: str, tmp_path: Path
) -> None:
    """The renderer reads meshes at the first picture, too late to refuse the scene."""
    for seed, key in enumerate(IDS):
        procedural.generate("box_rotate", seed, folder_of(tmp_path, key))
    world = World(urdf, WorldConfig(render=True))
    body = Body(SapienHardware(world))
    body.update()
    check_refusal(
        Simulation(world, body, AssetLibrary(tmp_path), STEPS), tmp_path, "visual mesh", "100129"
    )


def test_a_busy_or_stopped_robot_keeps_its_scene(simulation: Simulation) -> None:
    simulation.reset("OpenBox", "", 0, True)
    before = simulation.world.objects
    hold(simulation, 0.3)
    error = refused(simulation, "OpenDrawer")
    assert error.code == ResetError.ROBOT_BUSY and "goal is running" in str(error)
    while simulation.body.busy:
        simulation.tick()
    simulation.body.stop("somebody pressed a button")
    simulation.tick()
    error = refused(simulation, "OpenDrawer")
    assert error.code == ResetError.ROBOT_BUSY
    assert "somebody pressed a button" in str(error) and "robot/recover" in str(error)
    assert simulation.world.objects == before
    assert simulation.body.recover().ok
    simulation.tick()
    assert simulation.reset("OpenDrawer", "", 0, True)


def test_no_free_placement_is_told_and_leaves_an_empty_scene(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulation.reset("OpenBox", "", 0, True)
    with monkeypatch.context() as patch:
        change(patch, placement=Placement(x=0.0, spread=0.0))
        error = refused(simulation)
    assert error.code == ResetError.SCENE_INFEASIBLE and "box overlaps the robot" in str(error)
    assert simulation.world.objects == () and simulation.monitor is None
    hold(simulation, 0.2)
    while simulation.body.busy:
        simulation.tick()
    assert simulation.reset("OpenBox", "", 0, True).draws == 1


def test_a_placement_in_the_robot_is_drawn_again(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(monkeypatch, placement=Placement(x=0.2, spread=0.4))
    draws = [simulation.reset("OpenBox", "", seed, True).draws for seed in range(8)]
    assert max(draws) > 1 and min(draws) >= 1
    assert draws == [simulation.reset("OpenBox", "", seed, True).draws for seed in range(8)]


def test_an_asset_that_fails_after_a_redraw_leaves_an_empty_scene(
    imported: Simulation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The judge must not look for objects that are gone, nor the arm jump to where it was."""
    change(monkeypatch, placement=Placement(x=0.0, spread=0.0))
    damage(folder_of(tmp_path, IDS[0]), "missing mesh")
    codes = set()
    for seed in range(10):
        codes.add(refused(imported, seed=seed).code)
        for _ in range(5):
            state = imported.tick()
        assert imported.monitor is None and state is not None
        np.testing.assert_allclose(state.q_ref, HOME_Q, atol=1e-3)
    assert codes == {ResetError.BAD_ASSET}


@pytest.mark.parametrize("ticks", [0, 1, 19, 20, 33])
def test_an_episode_begins_on_an_observation(simulation: Simulation, ticks: int) -> None:
    before = simulation.world.t
    for _ in range(ticks):
        simulation.tick()
    simulation.reset("OpenBox", "", 0, True)
    assert simulation.observation_due and simulation.world.steps % STEPS == 0
    assert simulation.world.t > before
    due = []
    for _ in range(2 * STEPS):
        due.append(simulation.observation_due)
        simulation.tick()
    assert [i for i, d in enumerate(due) if d] == [0, STEPS]


def test_the_same_seed_gives_the_same_episode_whatever_was_before(
    simulation: Simulation, urdf: str, tmp_path: Path
) -> None:
    reference = trace(simulation, 3)
    assert abs(reference[-1, -2] - reference[0, -2]) > 0.05, "the arm should have met the lid"
    parameters = simulation.drawn.parameters if simulation.drawn else {}
    other = trace(simulation, 6)
    assert not np.array_equal(other, reference)
    for _ in range(7):
        simulation.tick()
    assert np.array_equal(trace(simulation, 3), reference)
    cell = Cell(urdf)
    fresh = Simulation(cell.world, cell.body, AssetLibrary(cache=tmp_path), STEPS)
    for _ in range(3):
        fresh.tick()
    assert np.array_equal(trace(fresh, 3), reference)
    assert fresh.drawn is not None and fresh.drawn.parameters == parameters


def test_a_start_other_than_that_of_the_task_is_recorded(simulation: Simulation) -> None:
    drawn = simulation.reset("OpenDrawer", "", 11, True, "honest")
    assert drawn.parameters["start"] == "honest"
    assert simulation.world.observations()["drawer"].openness == pytest.approx(0.0, abs=1e-3)
    assert simulation.reset("OpenDrawer", "", 11, True).parameters["start"] == "task"


@pytest.mark.parametrize("task", ["OpenBox", "OpenLaptop", "OpenDrawer"])
def test_what_was_drawn_can_be_read_back_and_rebuilt(simulation: Simulation, task: str) -> None:
    drawn = simulation.reset(task, "", 11, True)
    parameters = json.loads(json.dumps(drawn.parameters, allow_nan=False))
    assert parameters == drawn.parameters
    assert drawn.seed == 11 and drawn.task.name == task
    assert parameters["randomize"] is True and parameters["draws"] == drawn.draws
    (placed,) = simulation.world.objects
    told = parameters["objects"][placed.name]
    T = se3.transform(told["xyz"], Rotation.from_euler("z", told["yaw"]))
    np.testing.assert_allclose(T, placed.T_base_root, atol=1e-12)
    assert told["openness"] == pytest.approx(placed.openness)
    asset = parameters["assets"][placed.name]
    assert told["asset"] == asset["ref"] == str(placed.asset.ref)
    assert asset["licence"] == "Apache-2.0" and asset["info"]["keypoints"]
    again = simulation.reset(task, told["asset"], 11, True)
    assert again.parameters["objects"][placed.name]["asset"] == told["asset"]


def test_without_randomisation_only_the_asset_is_drawn(simulation: Simulation) -> None:
    poses = []
    for seed in range(3):
        simulation.reset("OpenBox", "17", seed, False)
        (placed,) = simulation.world.objects
        poses.append(placed.T_base_root)
        assert placed.openness == pytest.approx(load_task("OpenBox").objects[0].openness.default)
    assert np.array_equal(poses[0], poses[1]) and np.array_equal(poses[0], poses[2])


@pytest.mark.parametrize(("task", "openness"), [("OpenBox", 1.0), ("CloseBox", 0.0)])
def test_success_needs_its_dwell_time(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch, task: str, openness: float
) -> None:
    change(monkeypatch, openness=Openness(default=openness, spread=0.0))
    simulation.reset(task, "", 0, True)
    monitor = simulation.monitor
    assert monitor is not None and monitor.holds and not monitor.succeeded
    ticks = 0
    while not monitor.succeeded:
        simulation.tick()
        ticks += 1
        assert ticks < 200
    assert ticks * simulation.world.config.time_step == pytest.approx(
        monitor.success.condition.dwell
    )
    simulation.reset(task, "", 0, True)
    assert simulation.monitor is not None and not simulation.monitor.succeeded


def test_an_untouched_scene_is_no_success(simulation: Simulation) -> None:
    for task in ("OpenBox", "CloseBox", "OpenDrawer", "PushDrawerClose"):
        simulation.reset(task, "", 3, True)
        for _ in range(300):
            simulation.tick()
        monitor = simulation.monitor
        assert monitor is not None and not monitor.holds
        assert [e.name for e in monitor.evaluations if not e.satisfied] != []
