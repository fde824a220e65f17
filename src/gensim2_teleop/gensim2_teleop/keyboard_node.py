"""Program `keyboard`: the keys of an operator, for driving, judging, stopping and going on."""

from __future__ import annotations

import os
import select
import sys
import termios
import threading
import time
import tty
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import rclpy
from gensim2_control.ros.parameters import declare_parameters, parameter
from gensim2_control.ros.start_error import StartError
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from std_srvs.srv import SetBool, Trigger

from .keys import HELP, Keys, Press, Request
from .twist_publisher_node import TwistPublisher

_CTRL_C, _CTRL_D = "\x03", "\x04"


@dataclass(frozen=True)
class KeyboardParameters:
    """How keys are read."""

    hold: float = parameter(
        0.5,
        "Time for which a key counts without a repeat, s: as long as the keyboard waits before it "
        "repeats a key.",
        low=0.05,
        high=2.0,
    )
    rate: float = parameter(20.0, "Twists per second.", low=5.0, high=100.0)


class KeyboardNode(Node):
    """Reads a terminal, and publishes twists or calls services."""

    def __init__(self) -> None:
        super().__init__("keyboard")
        own = declare_parameters(self, KeyboardParameters).value
        self._keys = Keys(own.hold)
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._twists = TwistPublisher(self)
        self._triggers = {
            name: self.create_client(Trigger, name)
            for name in dict.fromkeys(request.value[0] for request in Request)
        }
        self._success = self.create_client(SetBool, "scene/success")
        clock = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = self.create_timer(1.0 / own.rate, self._publish, clock=clock)
        self._thread = threading.Thread(target=self._read, name="keys", daemon=True)
        self._before: list[Any] | None = None

    def start(self, ended: Callable[[], bool]) -> None:
        """Take over the terminal.

        Raises:
            StartError: there is none.
        """
        if not sys.stdin.isatty():
            raise StartError(
                "keys come from a terminal: start it by ros2 run in a terminal of its own, not "
                "from a launch file"
            )
        self._before = termios.tcgetattr(sys.stdin)
        tty.setcbreak(sys.stdin)
        self._say(HELP)
        self._thread.start()

    def close(self) -> None:
        """Give the terminal back as it was."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join(1.0)
        if self._before is not None:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._before)

    def _read(self) -> None:
        while not self._ended.is_set():
            if not select.select([sys.stdin], [], [], 0.1)[0]:
                continue
            typed = os.read(sys.stdin.fileno(), 64).decode(errors="replace")
            if not typed or _CTRL_C in typed or _CTRL_D in typed:
                rclpy.try_shutdown()
                return
            if typed.startswith("\x1b"):
                continue  # an arrow key or another that sends more than itself
            for key in typed:
                with self._lock:
                    press = self._keys.press(key, time.monotonic())
                self._do(press)

    def _do(self, press: Press) -> None:
        if press.text:
            self._say(press.text)
        if press.fingers is not None:
            self._twists.fingers(press.fingers)
        if press.request is None:
            return
        name, verdict, data = press.request.value
        if verdict:
            # What a person has not driven has ended by itself.
            if self._triggers[name].service_is_ready():
                self._triggers[name].call_async(Trigger.Request())
            self._call(self._success, SetBool.Request(data=data), verdict)
        else:
            self._call(self._triggers[name], Trigger.Request(), name)

    def _call(self, client: Any, request: Any, name: str) -> None:
        if not client.service_is_ready():
            self._say(f"{name}: no node offers it")
            return
        client.call_async(request).add_done_callback(
            lambda future: self._say(
                f"{name}: {future.result().message or 'done'}"
                + ("" if future.result().success else " (refused)")
            )
        )

    def _publish(self) -> None:
        with self._lock:
            twist, frame = self._keys.twist(time.monotonic()), self._keys.frame
        self._twists.move(twist, frame)

    def _say(self, text: str) -> None:
        print(text, flush=True)
