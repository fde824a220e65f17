"""Leaving a fault by itself would restart a robot under somebody's hands."""

from __future__ import annotations

from itertools import product

import pytest
from gensim2_control.hardware import Fault, HardwareStatus
from gensim2_control.state_machine import WORST_FIRST, Mode, StateMachine

READY = HardwareStatus()
UNREADY = (
    HardwareStatus(connected=False),
    HardwareStatus(drives_powered=False),
    HardwareStatus(e_stopped=True),
    HardwareStatus(fault=Fault.REFLEX, errors=("joint_reflex",)),
    HardwareStatus(fault=Fault.COMM_LOST),
)


def machine(*statuses: HardwareStatus) -> StateMachine:
    result = StateMachine()
    for status in statuses:
        result.observe(status)
    return result


def test_every_fault_has_a_rank() -> None:
    assert set(WORST_FIRST) == set(Fault) - {Fault.NONE}


def test_before_a_connection_it_is_disconnected_and_needs_no_recovery_after() -> None:
    disconnected = HardwareStatus(connected=False, drives_powered=False)
    m = machine(disconnected)
    assert m.mode(busy=False) is Mode.DISCONNECTED
    assert not m.motion_possible
    m.observe(READY)
    assert m.mode(busy=False) is Mode.IDLE
    assert m.mode(busy=True) is Mode.MOVING
    assert m.motion_possible


@pytest.mark.parametrize("fault", [f for f in Fault if f is not Fault.NONE])
@pytest.mark.parametrize("busy", [False, True])
def test_every_fault_latches_in_every_state(fault: Fault, busy: bool) -> None:
    m = machine(READY)
    assert m.trip(fault, "why")
    assert not m.trip(fault, "again")
    m.observe(READY)
    assert not m.motion_possible
    assert m.fault is fault
    assert m.reason == "why"
    assert m.errors[0] == fault.name
    assert m.mode(busy) not in (Mode.IDLE, Mode.MOVING)
    assert m.clear()
    assert m.motion_possible
    assert m.fault is Fault.NONE


@pytest.mark.parametrize(("first", "second"), list(product(WORST_FIRST, WORST_FIRST)))
def test_the_worst_of_two_faults_decides(first: Fault, second: Fault) -> None:
    m = machine(READY)
    m.trip(first, "first")
    m.trip(second, "second")
    assert m.fault is min(first, second, key=WORST_FIRST.index)


@pytest.mark.parametrize("status", UNREADY)
def test_nothing_is_cleared_while_the_hardware_is_not_ready(status: HardwareStatus) -> None:
    m = machine(READY, status)
    m.trip(Fault.STOP_REQUESTED, "operator")
    assert not m.clear()
    assert m.fault is not Fault.NONE
    assert not m.motion_possible


def test_a_vanished_hardware_fault_stays_latched() -> None:
    m = machine(READY, HardwareStatus(fault=Fault.REFLEX, errors=("joint_reflex",)))
    assert m.errors == ("REFLEX", "joint_reflex")
    assert m.reason == "joint_reflex"
    m.observe(READY)
    assert m.mode(busy=False) is Mode.REFLEX
    assert not m.motion_possible


def test_a_released_user_stop_stays_latched() -> None:
    m = machine(READY, HardwareStatus(e_stopped=True), READY)
    assert m.mode(busy=False) is Mode.USER_STOPPED


def test_a_lost_connection_is_a_fault_and_references_go_on() -> None:
    """A controller that keeps the last reference for ever must be given one that rests."""
    m = machine(READY, HardwareStatus(connected=False))
    assert m.mode(busy=False) is Mode.COMM_LOST
    assert m.drives_follow


@pytest.mark.parametrize("fault", [Fault.REFLEX, Fault.USER_STOPPED, Fault.DRIVES_OFF])
def test_drives_that_stand_are_not_sent_references(fault: Fault) -> None:
    m = machine(READY)
    m.trip(fault, "")
    assert not m.drives_follow
