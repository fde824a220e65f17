"""A body over `FrankyHardware` and a fake robot, for which time passes only when a test says so."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable
from itertools import count
from pathlib import Path

from gensim2_control.body import Body
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.testing.contract_rig import WORKSPACE, ContractRig
from gensim2_franka.fake_robot import TICK, FakeRobot
from gensim2_franka.franky_hardware import FrankyHardware
from gensim2_franka.hand import FrankaHand
from gensim2_franka.settings import FrankaSettings

URDF = Path(__file__).resolve().parents[3] / "launch" / "urdf" / "fr3.urdf"


_ADDRESSES = count()
_PATIENCE = 0.6


class FrankyRig(ContractRig):
    """A body over `FrankyHardware`, a fake robot behind it."""

    def __init__(self) -> None:
        number = next(_ADDRESSES)
        # One for every rig and test process: libfranka's ports are fixed.
        host = f"127.{2 + os.getpid() % 250}.{number // 250}.{1 + number % 250}"
        self.fake = fake = FakeRobot(host)
        settings = FrankaSettings(host, allow_non_rt=True)
        self.hand = FrankaHand(host, settings.hand_speed, poll=0.0)
        self.kinematics = Fr3Kinematics.from_urdf(URDF.read_text(encoding="utf-8"))
        self.hardware = FrankyHardware(
            settings,
            self.kinematics,
            clock=lambda: fake.t,
            steady=lambda: fake.t,
            hand=self.hand,
        )
        self.serve(self.hardware.connect)
        self._alive = _KeptAlive(self.fake)
        weakref.finalize(self, _close, self.fake, self.hardware, self._alive)
        self._exchange_hand()
        self.body = Body(self.hardware, kinematics=self.kinematics, workspace=WORKSPACE)
        self.body.update()

    def serve(self, call: Callable[[], object]) -> None:
        """Call something that waits for the robot, while the arm stands still."""
        _serve(self.fake.wait_for_answers, call)

    def advance(self) -> None:
        with self._alive.busy:
            self._exchange_hand()
            self.fake.step(round(self.period / TICK))
            self._exchange_hand()

    def place_object(self, finger_position: float) -> None:
        self.fake.place_object(finger_position)

    def hold_up(self) -> None:
        self.fake.block_joint2()

    def _exchange_hand(self) -> None:
        """Let the hand's commands arrive, and its state of this moment."""
        server = self.fake.server.hand

        def listen() -> None:
            server.hear()
            self.fake.send_hand_state()  # who waits for a state cannot send

        self._wait(lambda: self.hand.idle and server.heard == self.hand.commands_sent, listen)
        first = server.messages * TICK
        self._wait(lambda: self.hand.state.t >= first - TICK / 2, self.fake.send_hand_state)

    def _wait(self, condition: Callable[[], bool], push: Callable[[], None]) -> None:
        began = time.monotonic()
        while not condition():
            push()
            time.sleep(2e-4)
            waited = time.monotonic() - began
            # A stop waits for its turn: libfranka hands its lock to whom it finds awake. The arm's
            # client must not give up meanwhile.
            if waited > _PATIENCE:
                self.fake.wait_for_answers()
            assert waited < 60.0, "the hand and its client do not find each other"


def _serve(tick: Callable[[], None], call: Callable[[], object]) -> None:
    failures: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    while thread.is_alive():
        tick()
        time.sleep(5e-4)
    if failures:
        raise failures[0]


class _KeptAlive:
    """Answers the clients while a test is busy with something else for long.

    libfranka gives up after a second without a state. The physics stands still meanwhile.
    """

    def __init__(self, fake: FakeRobot) -> None:
        self._idle = Idle(threading.Lock())
        self._fake = fake
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def busy(self) -> Idle:
        """Held while the fake robot is used."""
        return self._idle

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(0.1):
            if time.monotonic() - self._idle.since > _PATIENCE:
                with self._idle:
                    self._fake.wait_for_answers()


class Idle:
    """A lock that knows since when it has been free."""

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock
        self.since = time.monotonic()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self.since = time.monotonic()
        self._lock.release()


def _close(fake: FakeRobot, hardware: FrankyHardware, alive: _KeptAlive) -> None:
    alive.stop()
    _serve(fake.tick, hardware.disconnect)
    fake.close()
