"""The thread of the node ``sim_bridge``: it steps the simulation and publishes what is due."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gensim2_control.ros.body_interface import BodyInterface
from gensim2_control.ros.conversions import nanoseconds
from rclpy.node import Node
from std_msgs.msg import Header

from gensim2_msgs.msg import SceneState

from .observation_gate import ObservationGate
from .sim_parameters_node import SimParameters
from .sim_publisher_node import SimPublisher
from .simulation import ResetError, Simulation

IDLE_POLL = 0.002  # s of wall time
IDLE_REPUBLISH = 0.05
FOLLOWING = ("recording", "acting")


class SimLoop:
    """Steps a simulation. Services and actions only hand goals over to it.

    Args:
        node: Where warnings go.
        own: Pace and patience.
        simulation: What is stepped.
        interface: The body contract.
        publisher: Clock, scene and cameras.
        on_failure: Called in the thread with the exception that ended it.
    """

    def __init__(
        self,
        node: Node,
        own: SimParameters,
        simulation: Simulation,
        interface: BodyInterface,
        publisher: SimPublisher,
        on_failure: Callable[[BaseException], None],
    ) -> None:
        self._node = node
        self._own = own
        self._simulation = simulation
        self._interface = interface
        self._publisher = publisher
        self._on_failure = on_failure
        self._gate = ObservationGate(own.recorder_timeout)
        self._lock = threading.Lock()
        self._observed = -1
        self._ended = threading.Event()
        self._ended.set()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Starts the thread."""
        self._ended.clear()
        self._gate = ObservationGate(self._own.recorder_timeout)
        self._thread = threading.Thread(target=self._run, name="simulation", daemon=True)
        self._thread.start()

    def stop(self, rest: Callable[[], None]) -> None:
        """Brings the arm to rest and ends the thread.

        Args:
            rest: Called while the simulation still runs: the arm slows down and clients get their
                results.
        """
        self._gate.release()
        rest()
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        # Nobody may be within the simulation when it is taken down.
        with self._lock:
            pass

    def acknowledge(self, follower: str, message: Header) -> None:
        """Takes in what a recorder has stored, or what a policy has acted on."""
        following = message.frame_id in FOLLOWING
        self._gate.acknowledge(follower, nanoseconds(message.stamp), following)

    @contextmanager
    def between_steps(self) -> Iterator[None]:
        """Holds the simulation up.

        Raises:
            ResetError: It does not run.
        """
        with self._lock:
            if self._ended.is_set():
                raise ResetError(ResetError.ROBOT_BUSY, "the node is inactive or shut down")
            yield

    def show(self) -> SceneState:
        """Publishes time, joints and scene of a moment in which nothing moves."""
        self._publisher.clock(always=True)
        state = self._simulation.body.state
        if state is not None:
            self._interface.republish(state)
        return self._publisher.scene()

    def observe(self) -> None:
        """Publishes an observation, once for every moment."""
        world = self._simulation.world
        if self._observed == world.steps:
            return
        self._observed = world.steps
        self._publisher.scene()
        self._publisher.observation()

    def _run(self) -> None:
        try:
            with self._lock:
                self._interface.publish(self._simulation.control())
                self.show()
            if self._own.real_time_factor > 0.0:
                self._run_paced(self._own.real_time_factor)
            else:
                self._run_lockstep()
        except Exception as error:
            self._on_failure(error)

    def _run_lockstep(self) -> None:
        """As fast as possible, and only while the robot has something to do."""
        body = self._simulation.body
        was_busy, shown = False, time.monotonic()
        while not self._ended.is_set():
            with self._lock:
                if body.busy:
                    was_busy = True
                    self._step()
                    continue
                now = time.monotonic()
                if was_busy or now - shown > IDLE_REPUBLISH:
                    was_busy, shown = False, now
                    self.show()
            self._ended.wait(IDLE_POLL)

    def _run_paced(self, factor: float) -> None:
        """At a multiple of real time, always."""
        period = self._simulation.world.config.time_step / factor
        due = time.monotonic()
        while not self._ended.wait(max(0.0, due - time.monotonic())):
            with self._lock:
                self._step()
            due = max(due + period, time.monotonic() - period)

    def _step(self) -> None:
        simulation = self._simulation
        if simulation.observation_due:
            # Before anything of this moment goes out: ten joint states, as many as a publisher
            # keeps, lie between two observations.
            t = simulation.world.t - 1.0 / self._own.observation_rate
            for follower in self._gate.wait(round(t * 1e9)):
                self._node.get_logger().warning(
                    f"the {follower} has not dealt with the observation of {t:.2f} s; going on "
                    "without it"
                )
        self._publisher.clock()
        self._interface.publish(simulation.control())
        if simulation.observation_due:
            self.observe()
        simulation.advance()
