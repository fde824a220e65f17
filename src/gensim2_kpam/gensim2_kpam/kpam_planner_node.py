"""Node ``kpam_planner``: plans sub-tasks on request. It never moves anything."""

from __future__ import annotations

import threading
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

from gensim2_control.description import resolve_packages, robot_description
from gensim2_control.report import Level, Report
from gensim2_control.ros.diagnostics import NodeDiagnostics
from gensim2_control.ros.parameters import declare_parameters, parameter
from gensim2_control.ros.start_error import StartError
from gensim2_tasks.assets import AssetError, AssetLibrary
from gensim2_tasks.specs import TaskSpec
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node

from gensim2_msgs.action import PlanTask

from .kpam_messages_node import (
    RequestError,
    arm_configuration,
    finger_position,
    plan_result,
    read_request,
)
from .plan import Plan, PlanCode, PlanFailure, SceneObject
from .plan_motion import joint_motion
from .plan_statistics import PlanStatistics
from .plan_view_node import PlanView
from .planner import Planner, PlannerConfig
from .solver_config import SolverConfigError
from .task_planner import TaskPlanner

# That run or wait; each holds a thread, and the diagnostics and cancels need some, too.
MOST_GOALS = 4
# s of wall time at shutdown
CLOSE_TIMEOUT = 5.0  # for a plan to end
ANSWER_TIME = 0.2  # for its result to leave


@dataclass(frozen=True)
class PlannerParameters:
    """Speed, margins, assets and solver configurations of the planner."""

    asset_root: str = parameter("", "Folder of imported assets; empty = procedural ones.")
    solver_root: str = parameter(
        "", "Folder of own solver configurations, searched before the shipped ones; empty = none."
    )
    speed: float = parameter(
        PlannerConfig.speed, "Share of the joint speed limits to use.", low=0.01, high=1.0
    )
    acceleration: float = parameter(
        PlannerConfig.acceleration, "Share of the acceleration limits to use.", low=0.01, high=1.0
    )
    clearance: float = parameter(
        PlannerConfig.clearance, "Distance kept in free motion, m.", low=0.0, high=0.1
    )
    settle_time: float = parameter(
        PlannerConfig.settle_time, "Time to hold the pose at the end, s.", low=0.1, high=60.0
    )
    cpu_limit: float = parameter(
        PlannerConfig.cpu_limit,
        "CPU time after which a planning call is given up, s.",
        low=0.01,
        high=600.0,
    )


class KpamPlannerNode(Node):
    """Offers ``kpam_planner/plan``."""

    def __init__(self) -> None:
        super().__init__("kpam_planner")
        own = declare_parameters(self, PlannerParameters).value
        try:
            self._library = AssetLibrary(own.asset_root)
        except AssetError as error:
            raise StartError(str(error)) from None
        config = PlannerConfig(
            speed=own.speed,
            acceleration=own.acceleration,
            clearance=own.clearance,
            settle_time=own.settle_time,
            cpu_limit=own.cpu_limit,
        )
        solvers = Path(own.solver_root).expanduser() if own.solver_root else None
        planner = Planner(resolve_packages(robot_description()), config)
        try:
            self._planner = TaskPlanner(planner, solvers)
        except SolverConfigError as error:
            raise StartError(str(error)) from None
        self._busy = threading.Lock()
        self._closing = False
        self._turns = threading.BoundedSemaphore(MOST_GOALS)
        self._view = PlanView(self, planner.arm)
        self._statistics = PlanStatistics()
        self._diagnostics = NodeDiagnostics(self, self._report)
        self._server = ActionServer(
            self,
            PlanTask,
            "kpam_planner/plan",
            execute_callback=self._execute,
            goal_callback=self._on_goal,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
            callback_group=ReentrantCallbackGroup(),
        )
        self.get_logger().info("ready")

    def close(self) -> None:
        """Waits for the plan that is being made, so that its client gets an answer."""
        self._closing = True
        if self._busy.acquire(timeout=CLOSE_TIMEOUT):
            self._busy.release()  # Others may wait for their turn, to be refused.
        else:
            self.get_logger().warning("a plan has not ended in time")
        time.sleep(ANSWER_TIME)

    def _on_goal(self, request: PlanTask.Goal) -> GoalResponse:
        if self._turns.acquire(blocking=False):
            return GoalResponse.ACCEPT
        self.get_logger().warning(f"rejected {request.task}: {MOST_GOALS} goals wait already")
        return GoalResponse.REJECT

    def _execute(self, handle: ServerGoalHandle) -> PlanTask.Result:
        try:
            return self._answer(handle)
        finally:
            self._turns.release()
            self._diagnostics.changed()

    def _answer(self, handle: ServerGoalHandle) -> PlanTask.Result:
        # One at a time: the collision models are not for several threads.
        with self._busy:
            if handle.is_cancel_requested:
                handle.canceled()
                return plan_result(PlanFailure(PlanCode.CANCELED, "canceled before it began"))
            if self._closing:
                handle.abort()
                return plan_result(PlanFailure(PlanCode.CANCELED, "the planner is shut down"))
            handle.publish_feedback(PlanTask.Feedback(stage="plan"))
            self._diagnostics.changed()
            result = plan_result(self._outcome(handle.request), handle.request.scene.header.stamp)
        if handle.is_cancel_requested:
            handle.canceled()
            return plan_result(PlanFailure(PlanCode.CANCELED, "canceled"))
        if result.error_code == PlanTask.Result.NONE:
            handle.succeed()
        else:
            self.get_logger().warning(f"{handle.request.task}: {result.error_msg}")
            handle.abort()
        return result

    def _report(self) -> dict[str, Report]:
        state = "planning" if self._busy.locked() else "idle"
        return {"planner": Report(Level.OK, state, self._statistics.values())}

    def _outcome(self, request: PlanTask.Goal) -> Plan | PlanFailure:
        task: TaskSpec | None = None
        scene: SceneObject | None = None
        try:
            task, scene, q_start = read_request(request, self._library)
            # The seed of the scene makes the random samples of a free motion repeatable.
            number, attempt, seed = request.subtask, request.attempt, request.scene.seed
            outcome = self._planner.plan(task, number, scene, q_start, seed, attempt)
        except RequestError as error:
            outcome = PlanFailure(error.code, str(error))
        except (Exception, SystemExit) as error:  # Drake exits where an assertion of it fails.
            traceback.print_exc()
            text = f"unexpected {type(error).__name__}: {error}"
            outcome = PlanFailure(PlanCode.INTERNAL, text)
        self._statistics.note(outcome)
        try:
            self._show(request, task, scene, outcome)
        except Exception:  # A plan is good without its picture.
            self.get_logger().warning(f"no picture of the plan:\n{traceback.format_exc()}")
        return outcome

    def _show(
        self,
        request: PlanTask.Goal,
        task: TaskSpec | None,
        scene: SceneObject | None,
        outcome: Plan | PlanFailure,
    ) -> None:
        stamp = request.scene.header.stamp
        if isinstance(outcome, PlanFailure):
            self._view.show_failure(request.task, outcome.reason, scene, stamp)
        elif task is not None and scene is not None:
            solver = self._planner.solver_of(task, request.subtask, outcome)
            start = request.start
            motion = joint_motion(outcome, arm_configuration(start), finger_position(start))
            self._view.show_plan(request.task, outcome, motion, scene, solver, stamp)
