"""Node `policy`: a trained policy performs tasks, through the body contract."""

from __future__ import annotations

import json
import math
import threading
import time
import traceback
from dataclasses import asdict
from pathlib import Path

import torch
from gensim2_control.report import Level, Report
from gensim2_control.ros.cancel import cancel_is_noted
from gensim2_control.ros.conversions import nanoseconds
from gensim2_control.ros.diagnostics import NodeDiagnostics
from gensim2_control.ros.heartbeat import ClientHeartbeat
from gensim2_control.ros.parameters import declare_parameters
from gensim2_control.ros.start_error import StartError
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node

from gensim2_msgs.action import ExecuteTask

from .acting import Policy, PolicyError
from .camera_news_node import CameraNews
from .checkpoint import CheckpointError
from .chunk_maker import ChunkMaker
from .graph_robot_node import GraphRobot
from .language import LanguageError
from .policy_parameters_node import PolicyParameters
from .preflight import differences
from .rollout import End, Rollout, RolloutError, perform

CLOSE_TIMEOUT = 5.0  # s, for a task to end at shutdown
ANSWER_TIME = 0.2  # s, for its result to leave then
CANCEL_GRACE = 1.0  # s, within which rclpy notes a cancel that has been carried out already


class UnknownTaskError(ValueError):
    """Nothing is known of a task, and no instruction is given."""


class PolicyNode(Node):
    """Offers ``policy/execute_task``; one task at a time."""

    def __init__(self) -> None:
        super().__init__("policy")
        own = self._own = declare_parameters(self, PolicyParameters).value
        if not own.policy:
            raise StartError("policy: name the folder of a run, policy:=runs/...")
        torch.set_num_threads(own.threads or torch.get_num_threads())
        try:
            self._policy = Policy(
                Path(own.policy), own.device, own.domain, own.compiled, own.language_weights
            )
        except (CheckpointError, PolicyError, LanguageError) as error:
            raise StartError(f"policy: {error}") from None
        seen = self._policy.record.settings.observation
        self._robot = GraphRobot(self, seen, own.gripper_effort, own.patience())
        self._cameras = CameraNews(self)
        self._heartbeat = ClientHeartbeat(self)
        self._busy = threading.Lock()
        self._grace = 0.0
        self._last, self._latency = "none", 0.0
        self._told: tuple[str, ...] = ()
        self._server = ActionServer(
            self,
            ExecuteTask,
            "policy/execute_task",
            execute_callback=self._execute,
            goal_callback=self._on_goal,
            cancel_callback=self._on_cancel,
            callback_group=ReentrantCallbackGroup(),
        )
        self._diagnostics = NodeDiagnostics(self, self._report)
        tasks = ", ".join(sorted(self._policy.record.tasks))
        self.get_logger().info(f"ready; trained on {tasks}, {self._policy.record.step} steps")

    def close(self) -> None:
        """Ends what runs, so that the robot comes to rest, and waits for its end."""
        self._robot.cancel()
        if not self._busy.acquire(timeout=CLOSE_TIMEOUT):
            self.get_logger().warning("a task has not ended in time")
        time.sleep(ANSWER_TIME)

    def _on_goal(self, request: ExecuteTask.Goal) -> GoalResponse:
        if not (math.isfinite(request.timeout) and request.timeout >= 0.0):
            self.get_logger().warning(
                f"rejected {request.task}: timeout {request.timeout} s; expected 0 or more"
            )
            return GoalResponse.REJECT
        if not self._busy.acquire(blocking=False):
            self.get_logger().warning(f"rejected {request.task}: another task runs")
            return GoalResponse.REJECT
        self._grace = 0.0
        self._robot.begin(nanoseconds(request.scene_stamp))
        return GoalResponse.ACCEPT

    def _on_cancel(self, handle: ServerGoalHandle) -> CancelResponse:
        self._grace = CANCEL_GRACE
        self._robot.cancel()
        return CancelResponse.ACCEPT

    def _execute(self, handle: ServerGoalHandle) -> ExecuteTask.Result:
        rollout: Rollout | None = None
        try:
            rollout = self._perform(handle)
            code, text = int(rollout.end), rollout.text
        except RolloutError as error:
            code, text = int(error.end), str(error)
        except UnknownTaskError as error:
            code, text = ExecuteTask.Result.UNKNOWN_TASK, str(error)
        except LanguageError as error:
            code, text = ExecuteTask.Result.PLAN_FAILED, str(error)
        except Exception as error:  # rclpy would answer with a result that says no error.
            traceback.print_exc()
            code = ExecuteTask.Result.INTERNAL
            text = f"unexpected {type(error).__name__}: {error}"
        finally:
            self._robot.release()
            self._busy.release()
        if code == ExecuteTask.Result.NONE:
            handle.succeed()
        elif code == End.CANCELED and cancel_is_noted(handle, self._grace):
            handle.canceled()
        else:
            self.get_logger().warning(f"{handle.request.task}: {text}")
            handle.abort()
        self._last = f"{handle.request.task}: {text or 'done'}"
        self._diagnostics.changed()
        result = ExecuteTask.Result(
            actuation_time=-1.0, error_code=code, error_msg="" if code == 0 else text
        )
        if rollout is not None:
            result.execution_time = max(0.0, rollout.ended - rollout.started)
            report = asdict(rollout) | {
                "policy": self._own.policy,
                "step": self._policy.record.step,
            }
            result.report_json = json.dumps([report])
        return result

    def _perform(self, handle: ServerGoalHandle) -> Rollout:
        request: ExecuteTask.Goal = handle.request
        record, own = self._policy.record, self._own
        instruction = request.instruction or record.tasks.get(request.task, "")
        if not instruction:
            known = ", ".join(sorted(record.tasks))
            raise UnknownTaskError(
                f"the policy was not trained on {request.task[:80]!r} (but on {known}): give an "
                "instruction in words"
            )
        handle.publish_feedback(ExecuteTask.Feedback(stage="look"))
        kinematics = self._robot.ready()
        self._preflight()
        self._policy.begin(instruction, own.seed)
        bounds = own.bounds()
        limits = bounds.limits().stoppable_within(own.stop_time)
        maker = ChunkMaker(kinematics, limits, bounds.workspace(), own.chunks())

        def told(progress: float, latency: float) -> None:
            self._latency = latency
            handle.publish_feedback(
                ExecuteTask.Feedback(stage="act", progress=progress, latency=latency)
            )

        longest = record.durations.get(request.task, 0.0)
        times = own.rollout(longest, record.slowest, request.timeout)
        return perform(self._policy, maker, self._robot, times, told)

    def _preflight(self) -> None:
        """Says what differs from the training set.

        Raises:
            RolloutError: Something does, and that is refused.
        """
        if self._own.preflight == "off":
            return
        cloud = self._robot.newest_cloud()
        told = differences(self._policy.record, self._policy.domain, cloud, self._cameras.poses())
        if told and self._own.preflight == "refuse":
            raise RolloutError(End.SENSOR_STALE, f"other than in training: {'; '.join(told)}")
        if told and tuple(told) != self._told:
            self.get_logger().warning(f"other than in training: {'; '.join(told)}")
        self._told = tuple(told)

    def _report(self) -> dict[str, Report]:
        values = {
            "policy": self._own.policy,
            "last": self._last,
            "latency": f"{self._latency:.3f} s",
            "preflight": "; ".join(self._told) or "nothing differs",
        }
        level = Level.WARN if self._told else Level.OK
        return {"policy": Report(level, "acts" if self._busy.locked() else "ready", values)}
