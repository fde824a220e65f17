"""The node ``sim_bridge``: the SAPIEN simulation behind the body, eyes and scene contracts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import cast

from gensim2_control.body import Body
from gensim2_control.camera_calibration import CalibrationError, CameraCalibrations
from gensim2_control.description import DescriptionError, resolve_packages, robot_description
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.report import Level, Report
from gensim2_control.ros.body_interface import BodyInterface
from gensim2_control.ros.hosted_body import BodyHost
from gensim2_control.ros.parameters import declare_parameters
from gensim2_control.ros.start_error import StartError
from gensim2_tasks.assets import AssetError, AssetLibrary
from gensim2_tasks.placement import Start
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import Header

from gensim2_msgs.srv import ResetScene

from .cameras import CameraConfig, CameraRig, NoRenderDeviceError
from .hardware import SapienHardware
from .scene_messages_node import scene_state
from .sim_loop_node import SimLoop
from .sim_parameters_node import SimParameters
from .sim_publisher_node import SimPublisher
from .simulation import ResetError, Simulation
from .world import World, WorldConfig

FOLLOWERS = ("recorder", "policy")
"""Who may ask the simulation to wait, on their topics ``ack``."""
ACK_QOS = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class HostedSimulation:
    """World, body, cameras and what shows them, from configure to cleanup.

    Args:
        node: The node.
        own: Its parameters.
        on_failure: Called where the simulation fails.

    Raises:
        StartError: Says what is missing.
    """

    def __init__(
        self, node: BodyHost, own: SimParameters, on_failure: Callable[[BaseException], None]
    ) -> None:
        self._node = node
        self._own = own
        self._on_failure = on_failure
        self._loop: SimLoop | None = None
        parameters = node.parameters
        try:
            description = robot_description()
            library = AssetLibrary(own.asset_root)
            self._rig = _make_rig(own)
            config = WorldConfig(time_step=1.0 / own.physics_rate, render=self._rig is not None)
            world = World(resolve_packages(description), config)
            if self._rig is not None:
                self._rig.attach(world)
        except (AssetError, CalibrationError, DescriptionError, NoRenderDeviceError) as error:
            raise StartError(str(error)) from None
        self._body = Body(
            SapienHardware(world),
            parameters.limits(),
            parameters.config(config.time_step),
            kinematics=Fr3Kinematics.from_urdf(description),
            workspace=parameters.workspace(),
        )
        steps = round(own.physics_rate / own.observation_rate)
        cameras = self._rig.names if self._rig is not None else ()
        self._simulation = Simulation(
            world, self._body, library, steps, own.judge, own.variation, cameras
        )

    def offer(self) -> BodyInterface:
        """Creates publishers, subscriptions, services and actions."""
        node = self._node
        self._interface = BodyInterface(node, self._body, node.parameters, node.diagnostics.changed)
        publisher = SimPublisher(node, self._simulation, self._rig)
        self._loop = SimLoop(
            node, self._own, self._simulation, self._interface, publisher, self._on_failure
        )
        groups = [MutuallyExclusiveCallbackGroup() for _ in range(2)]
        node.create_service(ResetScene, "scene/reset", self._on_reset, callback_group=groups[0])
        for follower in FOLLOWERS:
            heard = partial(self._loop.acknowledge, follower)
            node.create_subscription(
                Header, f"{follower}/ack", heard, ACK_QOS, callback_group=groups[1]
            )
        return self._interface

    def start(self) -> None:
        """Starts the simulation's thread."""
        assert self._loop is not None
        self._loop.start()

    def stop(self, rest: Callable[[], None]) -> None:
        """Brings the arm to rest and ends the thread."""
        assert self._loop is not None
        self._loop.stop(rest)

    def discard(self) -> None:
        """Nothing to do: the world goes with the last who knows it."""

    def reports(self) -> Mapping[str, Report]:
        """Report on the simulation."""
        simulation, own = self._simulation, self._own
        drawn = simulation.drawn
        lockstep = own.real_time_factor == 0.0
        values = {
            "mode": "lockstep" if lockstep else f"paced at {own.real_time_factor:g}",
            "simulated_time": f"{simulation.world.t:.3f} s",
            "physics_rate": f"{own.physics_rate:g} Hz",
            "task": drawn.task.name if drawn is not None else "",
            "seed": drawn.seed if drawn is not None else "",
            "reset_count": simulation.reset_count,
            "observation": own.obs,
            "cameras": ", ".join(self._rig.names) if self._rig is not None else "none",
        }
        text = "lockstep: time goes on while the robot moves" if lockstep else "paced"
        return {"simulation": Report(Level.OK, text, values)}

    def _on_reset(
        self, request: ResetScene.Request, response: ResetScene.Response
    ) -> ResetScene.Response:
        assert self._loop is not None
        try:
            with self._loop.between_steps():
                self._reset(self._loop, request, response)
        except ResetError as error:
            response.error_code, response.error_msg = error.code, str(error)
            response.state = scene_state(self._simulation)
        return response

    def _reset(
        self, loop: SimLoop, request: ResetScene.Request, response: ResetScene.Response
    ) -> None:
        try:
            start = cast(Start, self._own.start)  # The parameter allows nothing else.
            drawn = self._simulation.reset(
                request.task, request.asset, request.seed, request.randomize, start
            )
            response.success = True
            response.parameters_json = json.dumps(drawn.parameters)
        except ResetError as error:
            response.error_code, response.error_msg = error.code, str(error)
        response.state = loop.show()
        if response.success:
            # The first observation of the episode, before anything moves.
            self._interface.publish(self._body.state)
            loop.observe()


class SimBridgeNode(BodyHost):
    """Hosts the simulation."""

    def __init__(self) -> None:
        super().__init__("sim_bridge", hardware_id="sapien")
        self._own = declare_parameters(self, SimParameters).value

    def build(self) -> HostedSimulation:
        """Makes the world.

        Raises:
            StartError: Says what is missing.
        """
        return HostedSimulation(self, self._own, lambda error: self.fail("the simulation", error))


def _make_rig(own: SimParameters) -> CameraRig | None:
    if own.obs == "state":
        return None
    config = CameraConfig(own.camera_width, own.camera_height, own.camera_fovy)
    return CameraRig(CameraCalibrations.load(Path(own.calibration)), config)
