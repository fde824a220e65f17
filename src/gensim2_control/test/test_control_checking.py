"""While a trajectory is checked, which may take a second, the robot must stay in hand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from control_rig import PERIOD, RecordingHardware, Rig
from gensim2_control.body import Body
from gensim2_control.goals import ArmGoal, GoalRejected, Outcome, TrajectoryRejected
from gensim2_control.hardware import HOME_Q, Array, Fault
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.limits import Workspace
from gensim2_control.trajectory import Trajectory

GUARD = 30.0  # s; only ends a test that hangs
HOME = np.array(HOME_Q)


class SlowKinematics:
    """Kinematics that let the check of a trajectory go on only when told to."""

    def __init__(self, kinematics: Fr3Kinematics) -> None:
        self._kinematics = kinematics
        self.held = False
        self.entered = threading.Event()
        self.release = threading.Event()

    def fk(self, q: Array, link: str) -> Array:
        if self.held:
            self.held = False
            self.entered.set()
            assert self.release.wait(GUARD)
        return self._kinematics.fk(q, link)


class CheckedRig(Rig):
    """A rig whose body checks the workspace with slow kinematics."""

    def __init__(self, kinematics: Fr3Kinematics) -> None:
        self.kinematics = SlowKinematics(kinematics)
        self.hardware = RecordingHardware()
        self.hardware.connect()
        self.body = Body(
            self.hardware,
            kinematics=self.kinematics,  # type: ignore[arg-type]
            workspace=Workspace((-1.0, -1.0, 0.02), (1.0, 1.0, 1.2)),
        )
        self.body.update()

    def during_the_check(
        self, request: Callable[[], ArmGoal | None], act: Callable[[], None]
    ) -> ArmGoal | GoalRejected | None:
        """Do something while a request is being checked; return what becomes of the request."""
        answers: list[ArmGoal | GoalRejected | None] = []

        def ask() -> None:
            try:
                answers.append(request())
            except GoalRejected as rejection:
                answers.append(rejection)

        self.kinematics.held = True
        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        assert self.kinematics.entered.wait(GUARD)
        # In a thread, since it waits for ever where the check keeps the body to itself.
        acting = threading.Thread(target=act, daemon=True)
        acting.start()
        acting.join(GUARD / 6)
        waits = acting.is_alive()
        self.kinematics.release.set()
        asking.join(GUARD)
        acting.join(GUARD)
        assert not waits, "everybody waits for the check"
        return answers[0]


@pytest.fixture
def checked(kinematics: Fr3Kinematics) -> Iterator[CheckedRig]:
    rig = CheckedRig(kinematics)
    yield rig
    rig.kinematics.release.set()


def move_to(target: Array, duration: float = 1.5) -> Trajectory:
    return Trajectory(np.array([duration]), target[None])


def turned(angle: float) -> Array:
    target = HOME.copy()
    target[0] += angle
    return target


def test_a_stop_during_the_check_wins(checked: CheckedRig) -> None:
    running = checked.body.follow(move_to(turned(0.5)))
    checked.step(60)

    def stop() -> None:
        checked.body.stop("operator")
        checked.step(200)

    answer = checked.during_the_check(lambda: checked.body.follow(move_to(turned(-0.5))), stop)
    assert isinstance(answer, TrajectoryRejected) and "STOPPED" in str(answer)
    assert running.result is not None and running.result.outcome is Outcome.ABORTED
    assert checked.state.error_code is Fault.STOP_REQUESTED
    checked.step(50)
    assert np.abs(checked.state.dq_ref).max() == 0.0


@pytest.mark.parametrize("kind", ["goal", "chunk"])
def test_a_moving_arm_goes_on_and_is_led_over_smoothly(checked: CheckedRig, kind: str) -> None:
    """The reference moves during the check: a motion from where it was would be a leap."""
    if kind == "goal":
        checked.body.follow(move_to(turned(0.5)))
    else:
        checked.body.stream(move_to(turned(0.5)))
    checked.step(60)
    moving = checked.state.q_ref[0]

    def request() -> ArmGoal | None:
        if kind == "goal":
            return checked.body.follow(move_to(turned(0.2)))
        return checked.body.stream(move_to(turned(0.2)), stamp=checked.state.t)

    answer = checked.during_the_check(request, lambda: checked.step(20) and None)
    assert not isinstance(answer, GoalRejected), answer
    assert checked.state.q_ref[0] > moving + 0.01
    checked.run()
    np.testing.assert_allclose(checked.q, turned(0.2), atol=1e-3)
    dq = np.array([dq for _, _, dq in checked.hardware.writes])
    q = np.array([q for _, q, _ in checked.hardware.writes])
    assert np.abs(np.diff(dq, axis=0)).max() <= 10.0 * PERIOD * 1.01
    assert np.abs(np.diff(q, axis=0)).max() <= np.abs(dq).max() * PERIOD * 1.01


def test_a_start_that_has_gone_is_refused(checked: CheckedRig) -> None:
    """The trajectory was made for the arm at rest, and another goal takes it away meanwhile."""
    trajectory = Trajectory(np.array([0.0, 1.5]), np.vstack([HOME, turned(0.5)]))

    def leave() -> None:
        checked.body.follow(move_to(turned(-0.5)))
        checked.step(100)

    answer = checked.during_the_check(lambda: checked.body.follow(trajectory), leave)
    assert isinstance(answer, TrajectoryRejected), "the arm would leap back"
    checked.run()
    np.testing.assert_allclose(checked.q, turned(-0.5), atol=1e-3)


def test_an_entry_that_has_become_too_fast_is_refused(checked: CheckedRig) -> None:
    """What leads onto the trajectory is checked again from where the arm is then."""
    back = Trajectory(np.array([0.4, 2.0]), np.vstack([turned(0.0), turned(0.1)]))

    def leave() -> None:
        checked.body.follow(move_to(turned(0.6), 1.0))
        checked.step(120)

    answer = checked.during_the_check(lambda: checked.body.follow(back), leave)
    assert isinstance(answer, TrajectoryRejected) and "limit" in str(answer)
    checked.run()
    np.testing.assert_allclose(checked.q, turned(0.6), atol=1e-3)


def test_homing_does_not_take_a_running_goal_away(checked: CheckedRig) -> None:
    checked.body.follow(move_to(turned(0.5)))
    checked.run()

    def start() -> None:
        checked.body.follow(move_to(turned(0.2)))

    answer = checked.during_the_check(checked.body.home, start)
    assert isinstance(answer, TrajectoryRejected) and "the arm is moving" in str(answer)
    checked.run()
    np.testing.assert_allclose(checked.q, turned(0.2), atol=1e-3)
