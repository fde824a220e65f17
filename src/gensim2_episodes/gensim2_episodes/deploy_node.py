"""Program `deploy`: lets a controller perform one task, and ends with what came of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import rclpy
from action_msgs.msg import GoalStatus
from builtin_interfaces.msg import Time
from gensim2_control.ros.parameters import declare_parameters, parameter
from gensim2_control.ros.safe_action_client import SafeActionClient
from gensim2_control.ros.start_error import StartError
from gensim2_tasks.catalogue import TaskError, load_task
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile

from gensim2_episodes.attempts import CanceledError, GraphError
from gensim2_episodes.controllers import controller_node
from gensim2_episodes.waiting import POLL, Watch, result_of, wait_done, wait_until
from gensim2_msgs.action import ExecuteTask
from gensim2_msgs.msg import RobotStatus, SceneState
from gensim2_msgs.srv import ResetScene

_FAILED = 1
_INTERRUPTED = 130
_CANCEL_TIMEOUT = 10.0
_RESET_TIMEOUT = 120.0


@dataclass(frozen=True)
class DeployParameters:
    """What to perform, and how long to wait for the graph."""

    task: str = parameter("OpenBox", "Task of the catalogue.")
    controller: str = parameter(
        "kpam", "Who performs it: kpam, policy, teleop, or the name of a node."
    )
    instruction: str = parameter("", "Instruction in words; empty = that of the task.")
    reset: bool = parameter(
        False, "Ask for a scene first: before a simulated robot nothing stands by itself."
    )
    asset: str = parameter("", "Asset reference, id or seed of the scene; empty = drawn by seed.")
    seed: int = parameter(0, "Seed of the scene.", low=0)
    timeout: float = parameter(
        0.0, "Time for the task, s; 0 = default of the controller.", low=0.0, high=3600.0
    )
    ready_timeout: float = parameter(
        600.0,
        "How long to wait for a robot that is ready and confirmed, and for a scene, s.",
        low=1.0,
        high=86400.0,
    )


class DeployNode(Node):
    """Waits for robot, scene and controller, performs the task, and ends."""

    def __init__(self) -> None:
        super().__init__("deploy")
        own = self._own = declare_parameters(self, DeployParameters).value
        try:
            self._task = load_task(own.task)
        except TaskError as error:
            raise StartError(str(error)) from None
        self.exit_code = _FAILED
        self._action = f"{controller_node(own.controller)}/execute_task"
        self._client = SafeActionClient(self, ExecuteTask, self._action)
        self._scenes = self.create_client(ResetScene, "scene/reset")
        self._status: RobotStatus | None = None
        self._scene: SceneState | None = None
        self._stage = ""
        self._interrupted = threading.Event()
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.create_subscription(RobotStatus, "robot_status", self._on_status, latched)
        self.create_subscription(SceneState, "scene/state", self._on_scene, latched)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self, ended: Callable[[], bool]) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """Cancel what runs, and wait for its end."""
        self._interrupted.set()
        if self._thread.ident is not None:
            self._thread.join(_CANCEL_TIMEOUT + 1.0)

    def _run(self) -> None:
        try:
            self.exit_code = self._perform()
        except CanceledError:
            self.get_logger().warning("interrupted")
            self.exit_code = _INTERRUPTED
        except GraphError as error:
            self.get_logger().error(str(error))
        finally:
            rclpy.try_shutdown()

    def _perform(self) -> int:
        own, log = self._own, self.get_logger()
        stopped = self._stopped
        log.info(f"waiting for the robot, the scene and {self._action} ...")
        deadline = own.ready_timeout
        wait_until(self._robot_ready, stopped, deadline, lambda: "the robot is not ready")
        built = self._reset() if own.reset else Time()
        wait_until(self._scene_ready, stopped, deadline, lambda: "the scene has no object")
        wait_until(
            lambda: self._client.wait_for_server(POLL),
            stopped,
            deadline,
            lambda: f"no node offers the action {self._action}",
        )
        goal = ExecuteTask.Goal(
            task=self._task.name,
            instruction=own.instruction or self._task.instruction,
            timeout=own.timeout,
            scene_stamp=built,
        )
        began = time.monotonic()
        handle = result_of(
            self._client.send_goal_async(goal, feedback_callback=self._on_feedback),
            lambda: None,  # a goal that may have been accepted must not be left alone
            30.0,
            f"{self._action} does not answer",
        )
        if not handle.accepted:
            log.error(f"{self._action} refused the goal: does another one run?")
            return _FAILED
        future = handle.get_result_async()
        watch = Watch(self._action, self._client.server_is_ready)
        try:
            answer = result_of(future, lambda: stopped() or watch.trouble())
        except CanceledError:
            log.info("cancelling ...")
            handle.cancel_goal_async()
            wait_done(future, _CANCEL_TIMEOUT)
            raise
        result = answer.result
        ended = answer.status == GoalStatus.STATUS_SUCCEEDED and not result.error_code
        if ended and not result.failure:
            log.info(
                f"{self._task.name} performed in {time.monotonic() - began:.1f} s (plan "
                f"{result.plan_time:.1f} s of CPU, motion {result.execution_time:.1f} s)"
            )
            return 0
        log.error(
            f"{self._task.name} failed: {result.error_msg or result.failure or 'without a reason'}"
        )
        return _FAILED

    def _reset(self) -> Time:
        """Builds the scene anew; returns the time of it."""
        own, stopped = self._own, self._stopped
        client = self._scenes
        deadline = own.ready_timeout
        wait_until(client.service_is_ready, stopped, deadline, lambda: "no node offers scene/reset")
        request = ResetScene.Request(
            task=self._task.name, asset=own.asset, seed=own.seed, randomize=True
        )
        answer = result_of(
            client.call_async(request), stopped, _RESET_TIMEOUT, "scene/reset does not answer"
        )
        if not answer.success:
            raise GraphError(f"scene/reset: {answer.error_msg}")
        stamp: Time = answer.state.header.stamp
        return stamp

    def _stopped(self) -> Exception | None:
        return CanceledError() if self._interrupted.is_set() else None

    def _robot_ready(self) -> bool:
        return self._status is not None and bool(self._status.motion_possible)

    def _scene_ready(self) -> bool:
        scene = self._scene
        return scene is not None and scene.task == self._task.name and bool(scene.objects)

    def _on_status(self, message: RobotStatus) -> None:
        self._status = message

    def _on_scene(self, message: SceneState) -> None:
        self._scene = message

    def _on_feedback(self, message: ExecuteTask.Impl.FeedbackMessage) -> None:
        if message.feedback.stage != self._stage:
            self._stage = message.feedback.stage
            self.get_logger().info(self._stage)
