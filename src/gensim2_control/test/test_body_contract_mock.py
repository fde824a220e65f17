"""The mock robot keeps the body contract, and a broken one is never obeyed or resumed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from gensim2_control.body import Body
from gensim2_control.goals import Outcome
from gensim2_control.hardware import Fault
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.mock_hardware import MockHardware
from gensim2_control.state_machine import Mode
from gensim2_control.testing.body_contract import BodyContract
from gensim2_control.testing.contract_rig import WORKSPACE, ContractRig, require_smooth

URDF = Path(__file__).resolve().parents[3] / "launch" / "urdf" / "fr3.urdf"


class MockRig(ContractRig):
    """A body over `MockHardware`."""

    def __init__(self) -> None:
        self.hardware = MockHardware()
        self.hardware.connect()
        kinematics = Fr3Kinematics.from_urdf(URDF.read_text(encoding="utf-8"))
        self.body = Body(self.hardware, kinematics=kinematics, workspace=WORKSPACE)
        self.body.update()

    def advance(self) -> None:
        self.hardware.step(self.period)

    def place_object(self, finger_position: float) -> None:
        self.hardware.place_object(finger_position)

    def hold_up(self) -> None:
        self.hardware.block_joint(1)


class TestMockContract(BodyContract):
    rig = MockRig


FAULTS: dict[str, tuple[Callable[[MockHardware], None], Fault, Mode]] = {
    "reflex": (lambda hw: hw.inject_reflex(), Fault.REFLEX, Mode.REFLEX),
    "user stop": (lambda hw: hw.set_user_stop(True), Fault.USER_STOPPED, Mode.USER_STOPPED),
    "no answer": (lambda hw: hw.set_comm_lost(True), Fault.COMM_LOST, Mode.COMM_LOST),
    "disconnected": (lambda hw: hw.disconnect(), Fault.COMM_LOST, Mode.COMM_LOST),
    "nan": (lambda hw: hw.set_nan(True), Fault.STATE_INVALID, Mode.STOPPED),
    "frozen clock": (lambda hw: hw.set_clock_frozen(True), Fault.STATE_STALE, Mode.STOPPED),
    "drives off": (lambda hw: hw.set_drives_off(True), Fault.DRIVES_OFF, Mode.STOPPED),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_ends_the_goal_and_latches_and_nothing_jumps_after_it(fault: str) -> None:
    inject, code, mode = FAULTS[fault]
    rig = MockRig()
    goal = rig.body.follow(rig.move(0.8, speed=0.8))
    rig.step(80)
    inject(rig.hardware)
    rig.step(100)
    assert goal.result is not None and goal.result.outcome is Outcome.ABORTED
    assert code.name in goal.result.text
    assert (rig.state.error_code, rig.state.mode) == (code, mode)
    assert not rig.state.motion_possible
    np.testing.assert_array_equal(rig.state.dq_ref, 0.0, "nobody renews this velocity")
    assert np.isfinite(rig.state.q).all(), "an invalid measurement must not be passed on"
    rig.hardware.set_user_stop(False)
    rig.hardware.set_comm_lost(False)
    rig.hardware.set_nan(False)
    rig.hardware.set_clock_frozen(False)
    rig.hardware.set_drives_off(False)
    rig.step(100)
    assert not rig.state.motion_possible, "recovery is never automatic"
    assert rig.body.recover()
    rig.step(2)
    assert rig.state.motion_possible and rig.state.error_code is Fault.NONE
    np.testing.assert_allclose(rig.state.q_ref, rig.state.q[:7], atol=1e-6)
    rested = rig.state.q.copy()
    states = rig.step(100)
    np.testing.assert_allclose([s.q for s in states], [rested] * 100, atol=1e-6)
    again = rig.body.follow(rig.move(0.1))
    states += rig.run()
    assert again.result is not None and again.result.succeeded, again.result
    require_smooth(rig, states)


def test_a_blocked_joint_is_let_go_without_a_jump() -> None:
    rig = MockRig()
    rig.hold_up()
    goal = rig.body.follow(rig.move(0.3, 0.3), path_tol=0.05)
    rig.run()
    assert goal.result is not None and "fr3_joint2" in goal.result.text
    rig.body.stop("operator")
    rig.run()
    assert rig.body.recover()
    rig.step(2)
    # What holds now is the measured configuration: no spring is wound up.
    np.testing.assert_allclose(rig.state.q_ref, rig.state.q[:7], atol=1e-3)
    rig.hardware.block_joint(1, False)
    before = rig.state.q.copy()
    np.testing.assert_allclose([s.q for s in rig.step(50)], [before] * 50, atol=1e-3)
