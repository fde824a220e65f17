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


def check_waits(future: Future[list[str]]) -> None:
    with pytest.raises(NotYet):
        future.result(A_MOMENT)


def test_nobody_records_nobody_waits() -> None:
    gate = ObservationGate(GUARD)
    assert gate.wait(10**18) == []
    gate.acknowledge("recorder", 5, True)
    gate.acknowledge("recorder", 5, False)
    assert gate.wait(10**18) == [], "the recording is over"


def test_waits_until_the_observation_is_stored(pool: ThreadPoolExecutor) -> None:
    gate = ObservationGate(GUARD)
    gate.acknowledge("recorder", 100, True)
    assert gate.wait(99) == gate.wait(100) == []
    waiting = pool.submit(gate.wait, 300)
    check_waits(waiting)
    gate.acknowledge("recorder", 200, True)
    check_waits(waiting)
    gate.acknowledge("recorder", 300, True)
    assert waiting.result(GUARD) == []


def test_the_end_of_a_recording_lets_the_simulation_go(pool: ThreadPoolExecutor) -> None:
    gate = ObservationGate(GUARD)
    gate.acknowledge("recorder", 100, True)
    waiting = pool.submit(gate.wait, 200)
    check_waits(waiting)
    gate.acknowledge("recorder", 100, False)
    assert waiting.result(GUARD) == []


def test_a_silent_recorder_is_given_up_once(pool: ThreadPoolExecutor) -> None:
    gate = ObservationGate(0.02)
    gate.acknowledge("recorder", 100, True)
    assert pool.submit(gate.wait, 200).result(GUARD) == ["recorder"]
    assert gate.wait(300) == [], "each further observation would cost the whole time again"
    # It was slow, not dead: what it stores counts again.
    gate = ObservationGate(GUARD)
    gate.acknowledge("recorder", 300, True)
    waiting = pool.submit(gate.wait, 400)
    check_waits(waiting)
    gate.release()
    assert waiting.result(GUARD) == []


def test_all_who_follow_are_waited_for_and_named_where_they_are_given_up(
    pool: ThreadPoolExecutor,
) -> None:
    """A recorder and a policy; only the one that is late is given up."""
    gate = ObservationGate(GUARD)
    gate.acknowledge("recorder", 200, True)
    gate.acknowledge("policy", 100, True)
    waiting = pool.submit(gate.wait, 200)
    check_waits(waiting)
    gate.acknowledge("policy", 200, True)
    assert waiting.result(GUARD) == []
    gate = ObservationGate(0.02)
    gate.acknowledge("recorder", 300, True)
    gate.acknowledge("policy", 200, True)
    assert pool.submit(gate.wait, 300).result(GUARD) == ["policy"]
    assert gate.wait(300) == []


def test_at_the_end_of_the_node_nobody_is_held(pool: ThreadPoolExecutor) -> None:
    gate = ObservationGate(GUARD)
    gate.acknowledge("recorder", 0, True)
    held = [pool.submit(gate.wait, stamp) for stamp in (1, 2, 3)]
    gate.release()
    assert all(future.result(GUARD) == [] for future in held)
    gate.acknowledge("recorder", 0, True)
    assert gate.wait(10) == [], "acknowledgements that come late change nothing"


def test_a_simulation_is_never_more_than_one_observation_ahead() -> None:
    gate = ObservationGate(GUARD)
    gate.acknowledge("recorder", 0, True)
    shown, stored, ahead = 0, 0, []
    changed = threading.Condition()

    def simulate() -> None:
        nonlocal shown
        for stamp in range(1, 200):
            assert gate.wait(stamp - 1) == []
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
        gate.acknowledge("recorder", stored, True)
    simulation.join(GUARD)
    assert not simulation.is_alive() and max(ahead) == 1
