"""The gate between a simulation that runs ahead and a recorder that is slower."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet

import pytest
from gensim2_sim_bridge.observation_gate import ObservationGate

GUARD = 30.0  # s; only ends a test that hangs
A_MOMENT = 0.05  # s; long enough for a thread that does not wait to be through


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def check_waits(future: Future[bool]) -> None:
    with pytest.raises(NotYet):
        future.result(A_MOMENT)


def test_nobody_records_nobody_waits() -> None:
    gate = ObservationGate(GUARD)
    assert gate.wait(10**18)
    gate.acknowledge(5, recording=True)
    gate.acknowledge(5, recording=False)
    assert gate.wait(10**18), "the recording is over"


def test_waits_until_the_observation_is_stored(pool: ThreadPoolExecutor) -> None:
    gate = ObservationGate(GUARD)
    gate.acknowledge(100, recording=True)
    assert gate.wait(99) and gate.wait(100)
    waiting = pool.submit(gate.wait, 300)
    check_waits(waiting)
    gate.acknowledge(200, recording=True)
    check_waits(waiting)
    gate.acknowledge(300, recording=True)
    assert waiting.result(GUARD)


def test_the_end_of_a_recording_lets_the_simulation_go(pool: ThreadPoolExecutor) -> None:
    gate = ObservationGate(GUARD)
    gate.acknowledge(100, recording=True)
    waiting = pool.submit(gate.wait, 200)
    check_waits(waiting)
    gate.acknowledge(100, recording=False)
    assert waiting.result(GUARD)


def test_a_silent_recorder_is_given_up_once(pool: ThreadPoolExecutor) -> None:
    gate = ObservationGate(0.02)
    gate.acknowledge(100, recording=True)
    assert not pool.submit(gate.wait, 200).result(GUARD)
    assert gate.wait(300), "each further observation would cost the whole time again"
    # It was slow, not dead: what it stores counts again.
    gate = ObservationGate(GUARD)
    gate.acknowledge(300, recording=True)
    waiting = pool.submit(gate.wait, 400)
    check_waits(waiting)
    gate.release()
    assert waiting.result(GUARD)


def test_at_the_end_of_the_node_nobody_is_held(pool: ThreadPoolExecutor) -> None:
    gate = ObservationGate(GUARD)
    gate.acknowledge(0, recording=True)
    held = [pool.submit(gate.wait, stamp) for stamp in (1, 2, 3)]
    gate.release()
    assert all(future.result(GUARD) for future in held)
    gate.acknowledge(0, recording=True)
    assert gate.wait(10), "acknowledgements that come late change nothing"


def test_a_simulation_is_never_more_than_one_observation_ahead() -> None:
    gate = ObservationGate(GUARD)
    gate.acknowledge(0, recording=True)
    shown, stored, ahead = 0, 0, []
    changed = threading.Condition()

    def simulate() -> None:
        nonlocal shown
        for stamp in range(1, 200):
            assert gate.wait(stamp - 1)
            with changed:
                shown = stamp
                ahead.append(shown - stored)
                changed.notify_all()

    simulation = threading.Thread(target=simulate)
    simulation.start()
    while stored < 199:
        with changed:
            assert changed.wait_for(lambda seen=stored: shown > seen, GUARD)
            stored += 1
        gate.acknowledge(stored, recording=True)
    simulation.join(GUARD)
    assert not simulation.is_alive() and max(ahead) == 1
