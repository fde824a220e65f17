"""sim_bridge on a real graph: it is a process, the client is this one.

What is asserted is what recorder, planner and operator rely upon: time moves only with a goal,
stamps are exact, a refusal says why, a stop is taken at once, and the process ends when told to.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs ROS 2")
pytest.importorskip("gensim2_msgs.srv", reason="needs the built workspace")

from control_msgs.action import FollowJointTrajectory
from diagnostic_msgs.msg import DiagnosticArray
from gensim2_control.hardware import HOME_Q, JOINTS, Fault
from gensim2_control.ros.conversions import nanoseconds
from gensim2_sim_bridge.sim_parameters_node import SimParameters
from gensim2_sim_bridge.simulation import ResetError
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.qos import QoSProfile
from sensor_msgs.msg import JointState, PointCloud2
from sensor_msgs_py import point_cloud2
from sim_process import GUARD, ROOT, Bridge, Client, interrupt

from gensim2_msgs.msg import RobotStatus
from gensim2_msgs.srv import ResetScene
from gensim2_tasks import procedural

DOMAIN = 1 + (os.getpid() + 27) % 95
CALIBRATION = ROOT / "launch" / "config" / "cameras.yaml"
MS = 1_000_000
STOPPED, IDLE = RobotStatus.STOPPED, RobotStatus.IDLE


@pytest.fixture(scope="module")
def bridge() -> Iterator[Bridge]:
    bridge = Bridge(DOMAIN, "obs:=state", "recorder_timeout:=600.0")
    yield bridge
    interrupt(bridge)


@pytest.fixture(scope="module")
def connected(bridge: Bridge) -> Iterator[Client]:
    client = Client(DOMAIN)
    yield client
    client.close()


@pytest.fixture
def client(connected: Client) -> Client:
    """A client of a simulation that is well and shows an open box."""
    connected.record(None)
    assert connected.call("robot/recover").success
    answer = connected.reset()
    assert answer.success, answer.error_msg
    # Nothing of what was before is on its way any more.
    connected.wait("scene/state", lambda m: m.reset_count == answer.state.reset_count)
    connected.collect("joint_states", 2)
    connected.forget()
    return connected


def stamps(messages: list[JointState]) -> list[int]:
    return [nanoseconds(message.header.stamp) for message in messages]


def test_codes_of_a_reset_are_those_of_the_message() -> None:
    for name in ("UNKNOWN_TASK", "UNKNOWN_ASSET", "BAD_ASSET", "SCENE_INFEASIBLE", "ROBOT_BUSY"):
        assert getattr(ResetError, name) == getattr(ResetScene.Response, name)


def test_a_reset_shows_what_it_has_drawn(client: Client) -> None:
    answer = client.reset("OpenDrawer", seed=7)
    assert (answer.success, answer.error_code, answer.error_msg) == (True, 0, "")
    (drawer,) = answer.state.objects
    drawn = json.loads(answer.parameters_json)["objects"]["drawer"]
    assert drawer.asset == drawn["asset"] and drawer.category == "drawer"
    position = drawer.pose.position
    np.testing.assert_allclose([position.x, position.y, position.z], drawn["xyz"])
    assert drawer.openness == pytest.approx(drawn["openness"], abs=0.01)
    assert "articulated_object_head" in [point.name for point in drawer.keypoints]
    assert (answer.state.task, answer.state.seed) == ("OpenDrawer", 7)
    assert not answer.state.succeeded and len(answer.state.predicates) == 2
    heard = client.wait("scene/state", lambda m: m.reset_count == answer.state.reset_count)
    assert heard == answer.state
    again = client.reset("OpenDrawer", seed=7)
    assert again.parameters_json == answer.parameters_json
    assert again.state.objects == answer.state.objects
    q = client.collect("joint_states", 2)[-1].position
    np.testing.assert_allclose(q, [*HOME_Q, 0.04, 0.04], atol=1e-4)


def test_a_refused_reset_says_why_and_keeps_the_scene(client: Client) -> None:
    before = client.newest("scene/state")
    for task, asset, code, text in (
        ("OpenBx", "", ResetScene.Response.UNKNOWN_TASK, "did you mean OpenBox"),
        ("OpenBox", "box", ResetScene.Response.UNKNOWN_ASSET, "no asset 'box'"),
    ):
        answer = client.reset(task, asset)
        assert (answer.success, answer.error_code) == (False, code)
        assert text in answer.error_msg
        assert answer.state.objects == before.objects
        assert answer.state.reset_count == before.reset_count
    handle = client.hold(60.0)
    client.wait("joint_states", lambda m: nanoseconds(m.header.stamp) > client_time(before))
    answer = client.reset()
    assert (answer.success, answer.error_code) == (False, ResetScene.Response.ROBOT_BUSY)
    client.result(handle.cancel_goal_async())
    client.end(handle)


def client_time(scene: object) -> int:
    return nanoseconds(scene.header.stamp)  # type: ignore[attr-defined]


def test_time_stands_still_but_for_a_goal(client: Client) -> None:
    start = client.now()
    idle = client.collect("joint_states", 10)
    assert set(stamps(idle)) == {start}, "joint states of an idle robot keep their stamp"
    assert client.end(client.hold(1.0)).error_code == FollowJointTrajectory.Result.SUCCESSFUL
    client.wait("/clock", lambda m: nanoseconds(m.clock) >= start + 1000 * MS)
    # Some of the run may still be on its way.
    after = {nanoseconds(m.clock) for m in client.collect("/clock", 15)[-5:]}
    assert len(after) == 1 and start + 1000 * MS <= after.pop() <= start + 1100 * MS


def test_stamps_are_exact_and_without_a_gap(client: Client) -> None:
    start = client.now()
    assert start % (100 * MS) == 0, "an episode begins on an observation"
    client.record(start)
    end = start + 2000 * MS
    client.end(client.hold(2.0))
    client.wait("joint_states", lambda m: nanoseconds(m.header.stamp) == end)
    client.wait("scene/state", lambda m: client_time(m) == end)
    with client.news:
        joints = [t for t in stamps(client.heard["joint_states"]) if start < t <= end]
        scenes = {client_time(m) for m in client.heard["scene/state"]}
    assert joints == list(range(start + 10 * MS, end + 1, 10 * MS))
    assert scenes >= set(range(start + 100 * MS, end + 1, 100 * MS))
    assert list(client.newest("joint_states").name) == list(JOINTS)


def test_who_comes_late_sees_the_scene_at_once(client: Client) -> None:
    answer = client.reset("OpenLaptop", seed=4)
    late = Client(DOMAIN)
    try:
        assert late.wait("scene/state") == answer.state
        assert late.now() == client_time(answer.state)
        assert late.wait("robot_status").mode == IDLE
        assert stamps([late.wait("joint_states")]) == [late.now()]
    finally:
        late.close()


def test_a_stop_is_taken_at_once_and_latches(client: Client) -> None:
    start = client.now()
    handle = client.hold(500.0)
    client.wait("joint_states", lambda m: nanoseconds(m.header.stamp) > start + 200 * MS)
    assert client.call("robot/stop").success
    result = client.end(handle)
    assert result.error_code != FollowJointTrajectory.Result.SUCCESSFUL
    assert "STOP_REQUESTED" in result.error_string
    assert client.now() < start + 400_000 * MS, "the goal ran on"
    status = client.wait("robot_status", lambda m: m.mode == STOPPED)
    assert status.error_code == Fault.STOP_REQUESTED and not status.motion_possible
    refused = client.reset()
    assert refused.error_code == ResetScene.Response.ROBOT_BUSY
    assert "robot/recover" in refused.error_msg
    assert not client.call("robot/home").success
    assert client.call("robot/recover").success
    client.forget()
    assert client.end(client.hold(0.2)).error_code == FollowJointTrajectory.Result.SUCCESSFUL
    assert client.reset().success


def test_fingers_report_position_and_force(client: Client) -> None:
    result = client.grip(0.01)
    assert result.reached_goal and not result.stalled
    assert result.position == pytest.approx(0.01, abs=2e-3)
    assert client.grip(0.04).reached_goal


def test_the_simulation_waits_for_the_recorder(client: Client) -> None:
    start = client.now()
    client.acknowledge(start)
    handle = client.hold(1.0)
    client.wait("scene/state", lambda m: client_time(m) == start + 100 * MS)
    # It is one ahead. The next one waits, and a stop must not wait with it.
    client.wait("joint_states", lambda m: nanoseconds(m.header.stamp) == start + 190 * MS)
    client.acknowledge(start + 100 * MS)
    client.wait("scene/state", lambda m: client_time(m) == start + 200 * MS)
    client.wait("joint_states", lambda m: nanoseconds(m.header.stamp) == start + 290 * MS)
    with client.news:
        assert max(client_time(m) for m in client.heard["scene/state"]) == start + 200 * MS
    assert client.call("robot/stop").success
    client.acknowledge(start + 200 * MS, recording=False)
    assert "STOP_REQUESTED" in client.end(handle).error_string


def test_bad_requests_for_a_scene_are_told_apart_and_move_nothing(tmp_path: Path) -> None:
    """Whoever asks learns what is wrong, by number and in words, and the robot stays."""
    root = tmp_path / "assets"
    for seed, key in enumerate(("100129", "100141", "100189", "100221")):
        procedural.generate("box_rotate", seed, root / "articulated_objs" / "box_rotate" / key)
    boxes = root / "articulated_objs" / "box_rotate"
    (boxes / "100129" / "info.json").write_text('{"keypoints": {}}')
    (boxes / "100141" / "mobility.urdf").write_text("<robot")
    shutil.rmtree(boxes / "100189")
    (boxes / "100189").mkdir()
    bridge = Bridge(DOMAIN + 7, "obs:=state", f"asset_root:={root}")
    client = Client(DOMAIN + 7)
    codes = ResetScene.Response
    try:
        shown = client.reset(asset="100221")
        assert shown.success, shown.error_msg
        before = client.collect("joint_states", 3)[-1].position
        for task, asset, code, text in (
            ("OpenBxo", "", codes.UNKNOWN_TASK, "did you mean OpenBox"),
            ("", "", codes.UNKNOWN_TASK, "task"),
            ("OpenBox", "100222", codes.UNKNOWN_ASSET, "100221"),
            ("OpenBox", "100129", codes.BAD_ASSET, "box_rotate/100129"),
            ("OpenBox", "100141", codes.BAD_ASSET, "box_rotate/100141"),
            ("OpenBox", "100189", codes.UNKNOWN_ASSET, "nearest"),
        ):
            answer = client.reset(task, asset)
            assert (answer.success, answer.error_code) == (False, code), answer.error_msg
            assert text in answer.error_msg
            assert answer.state.objects == shown.state.objects, "the former scene is gone"
        assert client.collect("joint_states", 3)[-1].position == before
        assert client.reset(asset="100221").success
        interrupt(bridge)
    finally:
        bridge.end(signal.SIGKILL)
        client.close()


def test_diagnostics_tell_how_the_simulation_runs(client: Client) -> None:
    client.subscribe("diagnostics", DiagnosticArray, QoSProfile(depth=10))
    answer = client.reset("OpenDrawer", seed=23)

    def values(message: DiagnosticArray) -> dict[str, str]:
        return {
            value.key: value.value
            for status in message.status
            if status.name == "sim_bridge: simulation"
            for value in status.values
        }

    told = values(client.wait("diagnostics", lambda m: values(m).get("seed") == "23"))
    assert told["mode"] == "lockstep" and told["cameras"] == "none"
    assert (told["task"], told["reset_count"]) == ("OpenDrawer", str(answer.state.reset_count))
    assert float(told["simulated_time"].removesuffix(" s")) * 1e9 == pytest.approx(client.now())


def test_the_whole_life_of_a_simulation() -> None:
    """A deactivated one takes no goals and no scenes; a cleaned up one leaves nothing behind."""
    bridge = Bridge(DOMAIN + 8, "obs:=state", "autostart:=false")
    client = Client(DOMAIN + 8)

    def life(transition: int) -> bool:
        request = ChangeState.Request()
        request.transition.id = transition
        service = client.service(ChangeState, "sim_bridge/change_state")
        return client.result(service.call_async(request)).success

    try:
        assert life(Transition.TRANSITION_CONFIGURE)
        refused = client.reset()
        assert refused.error_code == ResetScene.Response.ROBOT_BUSY
        assert "inactive" in refused.error_msg
        assert life(Transition.TRANSITION_ACTIVATE)
        first = client.reset(seed=5)
        assert first.success, first.error_msg
        assert client.end(client.hold(0.2)).error_code == FollowJointTrajectory.Result.SUCCESSFUL
        handle = client.hold(500.0)
        future = handle.get_result_async()
        client.collect("joint_states", 20)
        assert life(Transition.TRANSITION_DEACTIVATE)
        assert "inactive" in client.result(future).result.error_string
        assert "inactive" in client.call("robot/home").message
        assert life(Transition.TRANSITION_CLEANUP)
        assert life(Transition.TRANSITION_CONFIGURE)
        assert life(Transition.TRANSITION_ACTIVATE)
        client.forget()
        again = client.reset(seed=5)
        assert again.parameters_json == first.parameters_json
        assert again.state.objects == first.state.objects, "a new world is like the first"
        assert client.end(client.hold(0.2)).error_code == FollowJointTrajectory.Result.SUCCESSFUL
        interrupt(bridge)
    finally:
        bridge.end(signal.SIGKILL)
        client.close()


def test_ctrl_c_ends_it_while_a_goal_runs() -> None:
    bridge = Bridge(DOMAIN + 1, "obs:=state")
    client = Client(DOMAIN + 1)
    try:
        client.wait("scene/state")
        handle = client.hold(500.0)
        future = handle.get_result_async()
        client.collect("joint_states", 20)
        interrupt(bridge)
        assert "shut down" in client.result(future).result.error_string
    finally:
        bridge.end()
        client.close()


@pytest.mark.parametrize("library", ["rclpy", "sapien", "vulkan"])
def test_ctrl_c_while_it_starts_ends_it(library: str) -> None:
    """Whatever it is loading then: no crash, no traceback, and it does not run on."""
    bridge = Bridge(DOMAIN + 6, "obs:=pointcloud", f"calibration:={CALIBRATION}")
    maps = Path(f"/proc/{bridge.process.pid}/maps")
    try:
        deadline = time.monotonic() + GUARD
        while library not in maps.read_text():
            assert time.monotonic() < deadline
        interrupt(bridge)
    finally:
        bridge.end(signal.SIGKILL)


def test_a_simulation_that_cannot_start_says_how_to_mend_it(tmp_path: Path) -> None:
    nowhere = tmp_path / "nothing.yaml"
    floating = tmp_path / "floating.yaml"
    floating.write_text(CALIBRATION.read_text().replace("fr3_hand", "fr3_hnad"))
    cameras = ("obs:=pointcloud", f"calibration:={CALIBRATION}")
    no_vulkan = {"VK_ICD_FILENAMES": str(nowhere), "VK_DRIVER_FILES": str(nowhere)}
    for parameters, environment, text in (
        (cameras, no_vulkan, "Install a Vulkan driver"),
        (("obs:=state", f"asset_root:={nowhere}"), {}, "no folder 'articulated_objs' in it"),
        (("obs:=pointcloud", f"calibration:={nowhere}"), {}, "No such file"),
        (("obs:=pointcloud", f"calibration:={floating}"), {}, "parent frame 'fr3_hnad'"),
        (("obs:=state", "observtion_rate:=20.0"), {}, "did you mean observation_rate?"),
    ):
        code, output = Bridge(DOMAIN + 2, *parameters, **environment).end()
        assert code == 1, output
        errors = [line for line in output.splitlines() if line.startswith("error: ")]
        assert len(errors) == 1 and text in errors[0], output
        assert "Traceback" not in output


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        (SimParameters(obs="state", observation_rate=30.0), "must be a multiple of observation"),
        (SimParameters(obs="pointcloud"), "calibration: a file is needed"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(parameters: SimParameters, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        parameters.check()


def test_in_real_time_it_is_not_faster_than_that() -> None:
    bridge = Bridge(DOMAIN + 3, "obs:=state", "real_time_factor:=1.0")
    client = Client(DOMAIN + 3)
    try:
        start, began = client.now(), time.monotonic()
        client.wait("/clock", lambda m: nanoseconds(m.clock) >= start + 1000 * MS)
        assert 0.8 < time.monotonic() - began < GUARD
        assert client.end(client.hold(0.2)).error_code == FollowJointTrajectory.Result.SUCCESSFUL
        interrupt(bridge)
    finally:
        bridge.end(signal.SIGKILL)
        client.close()


def test_points_of_a_camera_are_those_of_its_depth_and_in_colour() -> None:
    """Whoever looks at a single camera sees the scene where its pictures show it."""
    size = ("camera_width:=160", "camera_height:=120")
    bridge = Bridge(DOMAIN + 5, "obs:=pointcloud", f"calibration:={CALIBRATION}", *size)
    client = Client(DOMAIN + 5)
    camera = "left_camera"
    name = f"{camera}/depth/color/points"
    client.subscribe_camera(camera)
    client.subscribe(name, PointCloud2, QoSProfile(depth=5))
    try:
        client.wait("scene/state")
        assert client.reset().success
        # Time goes on until the simulation has noticed that somebody listens.
        handle = client.hold(500.0)
        pictures = [
            f"{camera}/{topic}"
            for topic in (
                "aligned_depth_to_color/image_raw",
                "color/image_raw",
                "color/camera_info",
            )
        ]

        def complete(cloud: PointCloud2) -> bool:
            stamp = cloud.header.stamp
            return all(stamp in [m.header.stamp for m in client.heard[t]] for t in pictures)

        cloud = client.wait(name, complete)
        assert client.call("robot/stop").success
        client.end(handle)
        stamp = cloud.header.stamp
        same = [client.wait(t, lambda m: m.header.stamp == stamp) for t in pictures]
        depth = np.frombuffer(same[0].data, np.uint16).reshape(120, 160)
        rgb = np.frombuffer(same[1].data, np.uint8).reshape(120, 160, 3)
        K = np.array(same[2].k).reshape(3, 3)
        assert cloud.header.frame_id == f"{camera}_color_optical_frame"
        xyz = point_cloud2.read_points_numpy(cloud, ["x", "y", "z"])
        assert len(xyz) == np.count_nonzero(depth) > 1000
        assert cloud.is_dense and np.isfinite(xyz).all()
        u, v, w = K @ xyz.T
        u, v = np.rint(u / w).astype(int), np.rint(v / w).astype(int)
        np.testing.assert_allclose(xyz[:, 2], depth[v, u] / 1000.0, atol=1e-6)
        packed = point_cloud2.read_points(cloud, ["rgb"])["rgb"].copy().view(np.uint32)
        seen = np.stack([packed >> 16 & 255, packed >> 8 & 255, packed & 255], axis=1)
        np.testing.assert_array_equal(seen, rgb[v, u])
        interrupt(bridge)
    finally:
        bridge.end(signal.SIGKILL)
        client.close()


def test_pictures_of_a_moment_carry_its_stamp() -> None:
    size = ("camera_width:=160", "camera_height:=120")
    bridge = Bridge(DOMAIN + 4, "obs:=image", f"calibration:={CALIBRATION}", *size)
    client = Client(DOMAIN + 4)
    cameras = ("wrist_camera", "left_camera", "right_camera")
    for camera in cameras:
        client.subscribe_camera(camera)
    try:
        answer = client.reset()
        assert answer.success
        first = client_time(answer.state)
        # A recorder waits for the first observation before anything moves.
        client.wait("wrist_camera/color/image_raw", lambda m: nanoseconds(m.header.stamp) == first)
        client.end(client.hold(0.3))
        expected = [first + i * 100 * MS for i in range(4)]
        last = expected[-1]
        for camera in cameras:
            for topic, encoding, size_of_pixel in (
                ("color/image_raw", "rgb8", 3),
                ("aligned_depth_to_color/image_raw", "16UC1", 2),
            ):
                name = f"{camera}/{topic}"
                client.wait(name, lambda m: nanoseconds(m.header.stamp) == last)
                images = client.heard[name]
                assert stamps(images) == expected
                for image in images:
                    assert (image.width, image.height, image.encoding) == (160, 120, encoding)
                    assert image.step == 160 * size_of_pixel
                    assert len(image.data) == image.step * image.height
                    assert image.header.frame_id == f"{camera}_color_optical_frame"
                    assert np.frombuffer(image.data, np.uint8).any()
            name = f"{camera}/color/camera_info"
            client.wait(name, lambda m: nanoseconds(m.header.stamp) == last)
            assert stamps(client.heard[name]) == expected
            info = client.heard[name][0]
            assert info.k[2] == 79.5 and info.k[5] == 59.5 and info.k[0] == info.k[4] > 100
            assert list(info.d) == [0.0] * 5
            np.testing.assert_array_equal(info.p.reshape(3, 4)[:, :3], info.k.reshape(3, 3))
        interrupt(bridge)
    finally:
        bridge.end(signal.SIGKILL)
        client.close()
