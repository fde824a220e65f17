"""The node ``sim_bridge``: the SAPIEN simulation behind the body, eyes and scene contracts."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import rclpy
from gensim2_control.body import Body
from gensim2_control.camera_calibration import CalibrationError, CameraCalibrations
from gensim2_control.description import resolve_packages, robot_description
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.ros.body_interface import BodyInterface
from gensim2_control.ros.body_parameters import BodyParameters
from gensim2_control.ros.conversions import nanoseconds
from gensim2_control.ros.parameters import declare_parameters
from gensim2_control.ros.run import StartError
from gensim2_tasks.assets import AssetError, AssetLibrary
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import Header

from gensim2_msgs.srv import ResetScene

from .cameras import CameraConfig, CameraRig, NoRenderDeviceError
from .hardware import SapienHardware
from .observation_gate import ObservationGate
from .sim_parameters_node import SimParameters
from .sim_publisher_node import SimPublisher
from .simulation import ResetError, Simulation
from .world import World, WorldConfig

IDLE_POLL = 0.002  # s of wall time
IDLE_REPUBLISH = 0.05
RECORDING = "recording"


class SimBridgeNode(Node):
    """Hosts the simulation. One thread steps it; services and actions only hand goals over."""

    def __init__(self) -> None:
        super().__init__("sim_bridge")
        self.exit_code = 0
        own = self._own = declare_parameters(self, SimParameters).value
        parameters = declare_parameters(self, BodyParameters).value
        description = robot_description()
        steps = round(own.physics_rate / own.observation_rate)
        try:
            library = AssetLibrary(own.asset_root)
            rig = self._make_rig(own)
            config = WorldConfig(time_step=1.0 / own.physics_rate, render=rig is not None)
            world = World(resolve_packages(description), config)
            if rig is not None:
                rig.attach(world)
        except (AssetError, CalibrationError, NoRenderDeviceError) as error:
            raise StartError(str(error)) from None
        body = Body(
            SapienHardware(world),
            parameters.limits(),
            parameters.config(config.time_step),
            kinematics=Fr3Kinematics.from_urdf(description),
            workspace=parameters.workspace(),
        )
        self._simulation = Simulation(world, body, library, steps)
        self._body = body
        self._gate = ObservationGate(own.recorder_timeout)
        self._interface = BodyInterface(self, body, parameters, hardware_id="sapien")
        self._publisher = SimPublisher(self, self._simulation, rig)
        group = MutuallyExclusiveCallbackGroup()
        self.create_service(ResetScene, "scene/reset", self._on_reset, callback_group=group)
        latched = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.create_subscription(
            Header,
            "recorder/ack",
            self._on_ack,
            latched,
            callback_group=MutuallyExclusiveCallbackGroup(),
        )
        self._lock = threading.Lock()
        self._observed = -1
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="simulation", daemon=True)
        self.get_logger().info("ready")
        self._thread.start()

    def close(self) -> None:
        """Ends goals and the simulation thread."""
        # While the simulation still runs: the arm slows down and clients get their results.
        self._gate.release()
        self._interface.close()
        self._closing.set()
        self._thread.join()
        # Nobody may be within the simulation when the process takes it down.
        with self._lock:
            pass

    @staticmethod
    def _make_rig(own: SimParameters) -> CameraRig | None:
        if own.obs == "state":
            return None
        config = CameraConfig(own.camera_width, own.camera_height, own.camera_fovy)
        return CameraRig(CameraCalibrations.load(Path(own.calibration)), config)

    def _on_ack(self, message: Header) -> None:
        self._gate.acknowledge(nanoseconds(message.stamp), message.frame_id == RECORDING)

    def _on_reset(
        self, request: ResetScene.Request, response: ResetScene.Response
    ) -> ResetScene.Response:
        with self._lock:
            try:
                if self._closing.is_set():
                    raise ResetError(ResetError.ROBOT_BUSY, "the node is shut down")
                drawn = self._simulation.reset(
                    request.task, request.asset, request.seed, request.randomize
                )
                response.success = True
                response.parameters_json = json.dumps(drawn.parameters)
            except ResetError as error:
                response.error_code, response.error_msg = error.code, str(error)
            response.state = self._show()
            if response.success:
                # The first observation of the episode, before anything moves.
                self._interface.publish(self._body.state)
                self._observe()
        return response

    def _observe(self) -> None:
        """Publishes an observation, once for every moment."""
        world = self._simulation.world
        if self._observed == world.steps:
            return
        self._observed = world.steps
        self._publisher.scene()
        self._publisher.observation()

    def _show(self) -> object:
        """Publishes time, joints and scene of a moment in which nothing moves."""
        self._publisher.clock(always=True)
        if self._body.state is not None:
            self._interface.republish(self._body.state)
        return self._publisher.scene()

    def _run(self) -> None:
        try:
            with self._lock:
                self._simulation.control()
                self._show()
            if self._own.real_time_factor > 0.0:
                self._run_paced(self._own.real_time_factor)
            else:
                self._run_lockstep()
        except Exception as error:
            self.get_logger().fatal(f"the simulation failed: {error!r}")
            self.exit_code = 1
            rclpy.try_shutdown()

    def _run_lockstep(self) -> None:
        """As fast as possible, and only while the robot has something to do."""
        was_busy, shown = False, time.monotonic()
        while not self._closing.is_set():
            with self._lock:
                if self._body.busy:
                    was_busy = True
                    self._step()
                    continue
                now = time.monotonic()
                if was_busy or now - shown > IDLE_REPUBLISH:
                    was_busy, shown = False, now
                    self._show()
            self._closing.wait(IDLE_POLL)

    def _run_paced(self, factor: float) -> None:
        """At a multiple of real time, always."""
        period = self._simulation.world.config.time_step / factor
        due = time.monotonic()
        while not self._closing.wait(max(0.0, due - time.monotonic())):
            with self._lock:
                self._step()
            due = max(due + period, time.monotonic() - period)

    def _step(self) -> None:
        simulation = self._simulation
        if simulation.observation_due:
            # Before anything of this moment goes out: ten joint states, as many as a publisher
            # keeps, lie between two observations.
            t = simulation.world.t - 1.0 / self._own.observation_rate
            if not self._gate.wait(round(t * 1e9)):
                self.get_logger().warning(
                    f"the recorder has not stored the observation of {t:.2f} s; going on without it"
                )
        self._publisher.clock()
        self._interface.publish(simulation.control())
        if simulation.observation_due:
            self._observe()
        simulation.advance()
