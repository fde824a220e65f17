"""Node `labelled_scene`: the scene of the real robot, as a person has labelled it.

It stands where `sim_bridge` stands in simulation: `scene/state` and `scene/reset`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gensim2_control.report import Level, Report
from gensim2_control.ros.diagnostics import NodeDiagnostics
from gensim2_control.ros.parameters import declare_parameters, parameter
from gensim2_control.ros.start_error import StartError
from gensim2_tasks.assets import AssetError, AssetLibrary
from gensim2_tasks.catalogue import TaskError, load_task
from gensim2_tasks.placement import PlacedObject, draw_scene
from gensim2_tasks.specs import TaskSpec
from geometry_msgs.msg import PointStamped
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_srvs.srv import SetBool, Trigger

from gensim2_msgs.msg import SceneState
from gensim2_msgs.srv import ResetScene

from .labelled_messages_node import BASE, labelled_state
from .labelled_scene import LabelError, LabelledScene, fit_pose


@dataclass(frozen=True)
class LabelledSceneParameters:
    """What is labelled, and where the labels are kept."""

    task: str = parameter("OpenBox", "Task whose scene this is.")
    scene_file: str = parameter(
        "", "File of the labels: read where it exists, written after labelling; empty = none."
    )
    asset: str = parameter(
        "", "Reference, id or seed of the object that is labelled; empty = drawn by seed."
    )
    asset_root: str = parameter("", "Folder of imported assets; empty = procedural ones.")
    draw: bool = parameter(
        False, "Take a scene drawn by the task itself, where nothing is labelled: for rehearsals."
    )
    arrange: bool = parameter(
        False,
        "Answer scene/reset only after scene/ready: somebody has to put the objects back where "
        "they are labelled.",
    )
    seed: int = parameter(0, "Seed of what is drawn.", low=0)
    rate: float = parameter(10.0, "Scene states per second.", low=0.5, high=100.0)


class LabelledSceneNode(Node):
    """Publishes `scene/state`, answers `scene/reset`, and takes clicks as labels."""

    def __init__(self) -> None:
        super().__init__("labelled_scene")
        own = self._own = declare_parameters(self, LabelledSceneParameters).value
        try:
            self._library = AssetLibrary(own.asset_root)
            self._task = load_task(own.task)
            drawn = self._draw(self._task, own.asset, own.seed, randomize=False)
        except (AssetError, TaskError) as error:
            raise StartError(str(error)) from None
        self._file = Path(own.scene_file).expanduser() if own.scene_file else None
        self._objects: tuple[PlacedObject, ...] = drawn if own.draw else ()
        self._wanted = drawn[0]
        self._clicked: dict[str, np.ndarray] = {}
        self._resets = 0
        self._success: bool | None = None
        self._arranged = False
        if self._file is not None and self._file.exists():
            self._objects = self._load(self._file)
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._states = self.create_publisher(SceneState, "scene/state", latched)
        self.create_service(ResetScene, "scene/reset", self._on_reset)
        self.create_service(SetBool, "scene/success", self._on_success)
        self.create_service(Trigger, "scene/ready", self._on_ready)
        self.create_subscription(PointStamped, "clicked_point", self._on_click, 10)
        self._diagnostics = NodeDiagnostics(self, self._report)
        self.create_timer(1.0 / own.rate, self._publish)
        if not self._objects:
            self.get_logger().warning(self._prompt())

    def _load(self, file: Path) -> tuple[PlacedObject, ...]:
        try:
            scene = LabelledScene.load(file)
            if scene.task != self._task.name:
                raise LabelError(f"scene {file} is one of {scene.task}, not of {self._task.name}")
            return tuple(labelled.placed(self._library) for labelled in scene.objects)
        except LabelError as error:
            raise StartError(str(error)) from None

    def _draw(
        self, task: TaskSpec, asset: str, seed: int, *, randomize: bool
    ) -> tuple[PlacedObject, ...]:
        rng = np.random.default_rng(seed)
        return draw_scene(task, self._library, rng, asset=asset, randomize=randomize)

    def _names(self) -> list[str]:
        return list(self._wanted.keypoints())

    def _prompt(self) -> str:
        left = [name for name in self._names() if name not in self._clicked]
        return (
            f"label {self._wanted.name} ({self._wanted.asset.ref}): click on its "
            f"{left[0]} in the cloud (Publish Point of RViz, or the web view); then "
            f"{', '.join(left[1:]) or 'that was all'}"
        )

    def _on_click(self, message: PointStamped) -> None:
        if message.header.frame_id != BASE:
            self.get_logger().warning(
                f"a click in frame '{message.header.frame_id}' is left out: set the fixed frame "
                f"to '{BASE}'"
            )
            return
        left = [name for name in self._names() if name not in self._clicked]
        p = np.array([message.point.x, message.point.y, message.point.z])
        if not np.isfinite(p).all():
            return
        self._clicked[left[0]] = p
        self.get_logger().info(f"{left[0]} is at ({p[0]:.3f}, {p[1]:.3f}, {p[2]:.3f}) m")
        if len(left) > 1:
            self.get_logger().info(self._prompt())
            return
        self._label()

    def _label(self) -> None:
        asset, q = self._wanted.asset, self._wanted.joint_position
        clicked, self._clicked = self._clicked, {}
        try:
            T = fit_pose(asset.keypoints(q), clicked, asset.R_rest)
            placed = PlacedObject(self._wanted.name, asset, T, q)
            if self._file is not None:
                LabelledScene.of(self._task.name, (placed,)).save(self._file)
        except LabelError as error:
            self.get_logger().error(f"{error}. Click once more, from {self._names()[0]} on.")
            return
        self._objects = (placed,)
        x, y, _ = T[:3, 3]
        yaw = np.degrees(asset.yaw(T))
        self.get_logger().info(f"labelled: {placed.name} at ({x:.3f}, {y:.3f}) m, {yaw:.0f} deg")
        self._diagnostics.changed()

    def _on_reset(
        self, request: ResetScene.Request, response: ResetScene.Response
    ) -> ResetScene.Response:
        codes = ResetScene.Response
        if request.task != self._task.name:
            response.error_code = codes.UNKNOWN_TASK
            response.error_msg = (
                f"the scene is one of {self._task.name}; start labelled_scene with task:="
                f"{request.task}"
            )
        elif self._own.arrange and not self._arranged:
            response.error_code = codes.NOT_ARRANGED
            response.error_msg = (
                f"put the objects of {self._task.name} where they are labelled, step back, and say "
                "so by key (ros2 run gensim2_teleop keyboard) or by: ros2 service call "
                "/scene/ready std_srvs/srv/Trigger"
            )
        elif self._own.draw:
            try:
                self._objects = self._draw(
                    self._task, request.asset, request.seed, randomize=request.randomize
                )
            except AssetError as error:
                response.error_code, response.error_msg = codes.UNKNOWN_ASSET, str(error)
        elif not self._objects:
            response.error_code = codes.SCENE_INFEASIBLE
            response.error_msg = f"nothing is labelled yet: {self._prompt()}"
        response.success = response.error_code == codes.NONE
        if response.success:
            self._resets += 1
            self._success, self._arranged = None, False
            response.parameters_json = json.dumps(
                {"objects": {o.name: o.parameters() for o in self._objects}}
            )
            self._publish()
        response.state = self._state(request.seed)
        return response

    def _on_success(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self._success = request.data
        response.success = True
        response.message = "noted as a " + ("success" if request.data else "failure")
        self._publish()
        return response

    def _on_ready(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success = self._arranged = bool(self._objects)
        response.message = "the next attempt begins" if self._objects else self._prompt()
        return response

    def _publish(self) -> None:
        self._states.publish(self._state(self._own.seed))

    def _state(self, seed: int) -> SceneState:
        message = labelled_state(self._objects, self._success)
        message.task, message.seed, message.reset_count = self._task.name, seed, self._resets
        message.header.stamp = self.get_clock().now().to_msg()
        return message

    def _report(self) -> dict[str, Report]:
        if not self._objects:
            return {"scene": Report(Level.WARN, self._prompt())}
        values = {placed.name: str(placed.asset.ref) for placed in self._objects}
        return {"scene": Report(Level.OK, f"labelled for {self._task.name}", values)}
