"""The controller stack that every host runs over its hardware: the last line of safety.

A host calls `update` once per control period from its control thread; clients call the other
methods from any thread. What happens depends only on the measurements and the calls, never on
wall time, so simulated runs repeat to the last bit.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from gensim2_control.arm_controller import ArmController
from gensim2_control.body_state import Answer, BodyState, describe
from gensim2_control.config import BodyConfig
from gensim2_control.goals import ArmCode, ArmGoal, Goal, GripperGoal, TrajectoryRejected
from gensim2_control.gripper_controller import GripperCommand, GripperController
from gensim2_control.hardware import (
    ARM_DOF,
    Array,
    Fault,
    HardwareError,
    HardwareStatus,
    JointSample,
    RobotHardware,
)
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.limits import JointLimits, Workspace
from gensim2_control.motion_clock import MotionClock
from gensim2_control.state_machine import StateMachine
from gensim2_control.trajectory import Sample, Trajectory, point_to_point

_UNRELIABLE_CLOCK = (Fault.COMM_LOST, Fault.STATE_INVALID, Fault.STATE_STALE)
_RECOVERY_UPDATES = 2
"""Updates within which a recovery must show; the first may still see the status before it."""


class Body:
    """Arm and gripper controllers, limits and state machine over one `RobotHardware`."""

    def __init__(
        self,
        hardware: RobotHardware,
        limits: JointLimits | None = None,
        config: BodyConfig | None = None,
        *,
        kinematics: Fr3Kinematics | None = None,
        workspace: Workspace | None = None,
    ) -> None:
        """Set up the controllers; nothing is read or written before the first `update`.

        Args:
            hardware: what to control; the host connects it.
            limits: joint limits to enforce; default: those of the FR3.
            config: settings; `ValueError` where the period is too short for the jerk limit.
            kinematics: needed where a workspace is given.
            workspace: box the TCP and the fingertips may not leave.
        """
        self.limits = limits or JointLimits.fr3()
        self.config = config or BodyConfig()
        self.limits.require_period(self.config.control_period)
        self._hardware = hardware
        self._lock = threading.Lock()
        self._arm = ArmController(self.limits, self.config.arm, kinematics, workspace)
        self._gripper = GripperController(self.config.gripper)
        self._machine = StateMachine()
        self._clock = MotionClock(self.config)
        self._sample: JointSample | None = None
        self._seeded = False
        self._recovery_updates = 0
        self._pending = False
        self._state: BodyState | None = None
        self._conditions: list[Callable[[], str]] = []

    @property
    def state(self) -> BodyState | None:
        """Result of the last update, None before the first one that measured something."""
        return self._state

    @property
    def busy(self) -> bool:
        """Whether updates are due, so that time must go on.

        A goal or stream runs, the arm is still decelerating, or a stop or recovery has not been
        taken in yet.
        """
        with self._lock:
            return self._busy() or self._pending or self._recovery_updates > 0

    @property
    def motion_possible(self) -> bool:
        """Whether goals are accepted."""
        with self._lock:
            return self._seeded and self._machine.motion_possible

    def require(self, condition: Callable[[], str]) -> None:
        """Add a condition for accepting goals: it returns what is missing, or nothing."""
        self._conditions.append(condition)

    def update(self) -> BodyState | None:
        """Run one control period: read, check, advance the references, write.

        Returns:
            The state, or None while there has been no valid measurement yet.
        """
        sample = self._read(status := self._hardware.status())
        with self._lock:
            reference, command = self._advance(status, sample)
        if reference is not None:
            self._write(reference, command)
        return self._state

    def follow(
        self,
        trajectory: Trajectory,
        path_tol: ArrayLike | None = None,
        goal_tol: ArrayLike | None = None,
        goal_time_tol: float | None = None,
    ) -> ArmGoal:
        """Follow a trajectory from the next update on; a running goal is aborted.

        Tolerances are per joint (7,) or one number, in rad: None or 0 takes the default of the
        configuration, negative or inf is unlimited. A joint without goal tolerance may also
        still move at the end.

        Args:
            trajectory: starts within the start tolerance of the measured configuration or of
                the held reference, and ends at rest.
            path_tol: allowed |q - q_ref| on the way.
            goal_tol: allowed |q - q_ref| at the end.
            goal_time_tol: s after the end to reach `goal_tol`; None or 0 = default, negative =
                unlimited.

        Returns:
            The goal; it ends in a later `update`.

        Raises:
            TrajectoryRejected: nothing has changed and a running goal goes on.
        """
        with self._lock:
            sample = self._require_motion_possible()
            start = self._arm.start
        # A long trajectory takes a while to check: a stop and the control loop must not wait.
        planned = self._arm.planner.join(trajectory, start, sample.q[:ARM_DOF])
        self._arm.planner.check(planned)
        with self._lock:
            sample = self._require_motion_possible()
            return self._arm.follow(planned, sample.q[:ARM_DOF], path_tol, goal_tol, goal_time_tol)

    def stream(self, trajectory: Trajectory, stamp: float = 0.0) -> None:
        """Replace the streamed reference by a chunk that counts from `stamp`.

        Points that have passed are skipped, the way to the first one left starts at the present
        reference. A chunk that runs out is followed by a deceleration, `stream_stop_time` at most.

        Args:
            trajectory: the chunk; without velocities it ends at rest.
            stamp: s on the hardware's clock; 0 = now.

        Raises:
            TrajectoryRejected: a former chunk runs to its end where this one came at the wrong
                time, and is ended by `end_stream` where it is unsound.
        """
        planner = self._arm.planner
        try:
            with self._lock:
                sample = self._require_motion_possible()
                self._arm.require_no_goal()
                start = self._arm.start
            planned = planner.enter(trajectory, start, sample.t - stamp if stamp else 0.0)
            planner.check(planned)
            planner.check_stop_after(planned)
            with self._lock:
                sample = self._require_motion_possible()
                self._arm.stream(planned, sample.t - stamp if stamp else 0.0)
        except TrajectoryRejected as rejection:
            if rejection.code is not ArmCode.OLD_HEADER_TIMESTAMP:
                self.end_stream()
            raise

    def end_stream(self) -> None:
        """Slow down and hold where a stream leads the arm; its client is not to be relied upon."""
        with self._lock:
            self._arm.end_stream()

    def grip(self, position: float, effort: float = 0.0) -> GripperGoal:
        """Move the fingers from the next update on; a running gripper goal is aborted.

        Args:
            position: finger joint position, 0 (closed) to 0.04 m (open).
            effort: largest force, N; 0 = default.

        Raises:
            GoalRejected: nothing has changed and a running goal goes on.
        """
        with self._lock:
            self._require_motion_possible()
            return self._gripper.grip(position, effort)

    def check_ready(self) -> None:
        """Raise `GoalRejected` where no goal is accepted now."""
        with self._lock:
            self._require_motion_possible()

    def check_grip(self, position: float, effort: float) -> None:
        """Raise `GoalRejected` where `grip` would refuse these numbers at any time."""
        self._gripper.check(position, effort)

    def home(self) -> ArmGoal:
        """Move in a straight joint line to the home configuration; obstacles are not known.

        Raises:
            TrajectoryRejected: the arm moves, or no motion is possible.
        """
        config = self.config
        gentle = self.limits.reduced(
            velocity=config.home_speed, acceleration=config.home_acceleration
        )
        with self._lock:
            self._require_motion_possible()
            self._arm.require_rest()
            start = self._arm.start
        trajectory = point_to_point(start[0], np.array(config.home_q), gentle)
        planned = self._arm.planner.join(trajectory, start, start[0])
        self._arm.planner.check(planned)
        with self._lock:
            sample = self._require_motion_possible()
            self._arm.require_rest()
            return self._arm.follow(planned, sample.q[:ARM_DOF])

    def cancel(self, goal: Goal) -> bool:
        """End a goal as canceled: the arm first slows down, the fingers stop at once.

        Returns:
            False where the goal has ended already.
        """
        with self._lock:
            if isinstance(goal, ArmGoal):
                return self._arm.cancel(goal)
            return isinstance(goal, GripperGoal) and self._gripper.cancel(goal)

    def stop(self, reason: str) -> None:
        """Slow down, abort all goals and refuse new ones until `recover`. Never blocks."""
        with self._lock:
            self._recovery_updates = 0
            self._trip(Fault.STOP_REQUESTED, reason)

    def heartbeat_lost(self, reason: str = "the client that sent the goal is gone") -> bool:
        """Stop as `stop` does, if anything runs; True where that was so."""
        with self._lock:
            if not self._busy():
                return False
            self._trip(Fault.HEARTBEAT_LOST, reason)
            return True

    def recover(self) -> Answer:
        """Ask the hardware to recover; may block. No while the arm is still decelerating.

        Where it succeeds, the next update with a valid measurement releases the latched faults,
        holds the measured configuration and accepts goals again. Nothing is resumed.
        """
        with self._lock:
            if self._machine.fault is Fault.NONE:
                return Answer(True, "nothing to recover from")
            if self._machine.drives_follow and self._arm.busy:
                return Answer(False, "the arm is still decelerating")
        try:
            ready = self._hardware.recover()
        except HardwareError as error:
            return Answer(False, f"the hardware did not recover: {error}")
        with self._lock:
            if not ready:
                return Answer(False, f"the hardware did not recover: {self._machine.reason}")
            self._clock.restart()
            self._recovery_updates = _RECOVERY_UPDATES
            return Answer(True, "recovered; holding the measured configuration")

    def reseed(self) -> None:
        """Forget references and time after the world was reset; call between two updates.

        Running goals are aborted. The next update holds the measured configuration. Latched
        faults stay latched, and the fingers stay where the hardware holds them.
        """
        with self._lock:
            self._abort_all("the world was reset")
            self._seeded = False
            self._clock.restart()

    def close(self, reason: str = "the body is shut down") -> None:
        """Slow down and abort every goal; nothing latches."""
        with self._lock:
            self._abort_all(reason)

    def _busy(self) -> bool:
        return self._arm.busy or self._gripper.busy

    def _require_motion_possible(self) -> JointSample:
        if self._sample is None or not self._seeded:
            raise TrajectoryRejected(ArmCode.INVALID_GOAL, "there is no measurement of the arm yet")
        if not self._machine.motion_possible:
            mode = self._machine.mode(busy=False).name
            reason = self._machine.reason or "the hardware is not ready"
            raise TrajectoryRejected(
                ArmCode.INVALID_GOAL,
                f"no motion is possible, the robot is {mode} ({reason}): mend the cause, then call "
                "robot/recover",
            )
        for condition in self._conditions:
            if text := condition():
                raise TrajectoryRejected(ArmCode.INVALID_GOAL, text)
        return self._sample

    def _read(self, status: HardwareStatus) -> JointSample | None:
        if not status.connected:
            return None
        try:
            return self._hardware.read()
        except HardwareError as error:
            with self._lock:
                self._trip(Fault.COMM_LOST, str(error))
            return None

    def _write(self, reference: Sample, command: GripperCommand | None) -> None:
        try:
            self._hardware.write(reference[0], reference[1])
            if command is not None and command.stop:
                self._hardware.gripper_stop()
            elif command is not None:
                self._hardware.gripper_command(command.position, command.effort)
        except HardwareError as error:
            with self._lock:
                self._trip(Fault.COMM_LOST, str(error))

    def _advance(
        self, status: HardwareStatus, sample: JointSample | None
    ) -> tuple[Sample | None, GripperCommand | None]:
        """Take in a measurement; return what to write, nothing where the drives do not follow."""
        self._pending = False
        if self._machine.observe(status):
            self._abort_all(f"{self._machine.fault.name}: {self._machine.reason}")
        if status.connected and not status.drives_powered and self._busy():
            self._trip(Fault.DRIVES_OFF, "the drives lost their power during a motion")
        valid = self._take(sample)
        self._try_recovery(valid)
        if self._sample is None:
            return None, None
        follows = self._machine.drives_follow
        q, dq, tau = self._sample.q, self._sample.dq, self._sample.tau
        if valid and (not self._seeded or not follows):
            self._arm.seed(q[:ARM_DOF])
            self._gripper.seed(_fingers(q))
            self._seeded = True
        if not self._seeded:
            return None, None
        reference = self._arm.update(
            self._clock.now_ns, self._clock.period_ns, q[:ARM_DOF], dq[:ARM_DOF], judge=valid
        )
        command = self._gripper.update(self._clock.now_ns, _fingers(q), abs(_fingers(tau)))
        if not (np.isfinite(reference[0]).all() and np.isfinite(reference[1]).all()):
            self._trip(Fault.REFERENCE_INVALID, "the controllers produced a reference that is NaN")
            follows = False
        now = self._arm.reference(self._clock.now_ns)
        self._state = describe(
            self._sample, now, self._gripper.commanded, self._machine, self._busy()
        )
        return (reference, command) if follows else (None, None)

    def _take(self, sample: JointSample | None) -> bool:
        """Take over a measurement and advance the motion time; False where it is unusable."""
        reliable = self._machine.fault not in _UNRELIABLE_CLOCK
        reading = self._clock.advance(sample, self._busy(), reliable)
        if reading.fault is not Fault.NONE:
            self._trip(reading.fault, reading.text)
        if sample is not None and reading.usable:
            self._sample = sample
        return reading.usable

    def _try_recovery(self, valid: bool) -> None:
        if self._recovery_updates == 0:
            return
        self._recovery_updates -= 1
        if valid and self._machine.clear():
            self._recovery_updates = 0
            self._seeded = False

    def _trip(self, fault: Fault, text: str) -> None:
        self._pending |= self._machine.trip(fault, text)
        self._abort_all(f"{fault.name}: {text}")

    def _abort_all(self, text: str) -> None:
        self._arm.stop(text)
        self._gripper.stop(text)


def _fingers(values: Array) -> float:
    """Return the mean of the two finger joints of a 9-vector."""
    return float(values[ARM_DOF:].mean())
