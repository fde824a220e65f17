"""A short-lived hidden node to look at the graph and to talk to it.

There is no daemon: every call discovers anew. Discovery is asynchronous, so questions about the
graph are asked until the answer is there, or until `DISCOVERY_S` have passed.
"""

import os
import signal
import time
from collections.abc import Callable, Sequence
from types import FrameType, TracebackType
from typing import Any, TypeVar

from rclpy.context import Context
from rclpy.exceptions import InvalidServiceNameException, InvalidTopicNameException
from rclpy.executors import SingleThreadedExecutor
from rclpy.expand_topic_name import expand_topic_name
from rclpy.node import Node
from rclpy.task import Future
from rclpy.validate_full_topic_name import validate_full_topic_name

from ros2cli.command import CliError

T = TypeVar("T")
HIDDEN_PREFIX = "_"
# How long to look for something that is not there (yet).
DISCOVERY_S = 3.0
# A graph that has not changed for so long counts as completely discovered.
QUIET_S = 0.7
_POLL_S = 0.05


class Session:
    """A node of its own with an executor; use it as a context manager.

    Signals stay with Python (no rclpy handlers), so that Ctrl-C is a KeyboardInterrupt and the
    graph is still usable while cleaning up, for example to cancel a goal.
    """

    def __init__(self, node_name: str | None = None) -> None:
        """Prepare; nothing is started before the `with`.

        Args:
            node_name: of the node; None gives a hidden one.
        """
        self._name = node_name or f"{HIDDEN_PREFIX}ros2cli_{os.getpid()}"
        self._context = Context()

    def __enter__(self) -> "Session":
        # A background job of a script inherits "ignore SIGINT"; without this it never ends.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, _exit_on_signal)
        self._context.init(args=[])
        self.node = Node(
            self._name,
            context=self._context,
            use_global_arguments=False,
            start_parameter_services=False,
            enable_rosout=False,
        )
        self.executor = SingleThreadedExecutor(context=self._context)
        self.executor.add_node(self.node)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.executor.shutdown(timeout_sec=1.0)
        self.node.destroy_node()
        self._context.try_shutdown()

    def spin(self, timeout_s: float = 0.2) -> None:
        """Handle what is ready, waiting at most `timeout_s` for it."""
        self.executor.spin_once(timeout_sec=timeout_s)

    def spin_until(self, done: Callable[[], bool], timeout_s: float | None = None) -> bool:
        """Spin until `done()`; False if it was not within the time (None: no limit)."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not done():
            left = _POLL_S if deadline is None else min(_POLL_S, deadline - time.monotonic())
            if left <= 0:
                return False
            self.spin(left)
        return True

    def find(self, query: Callable[[], T | None], timeout_s: float = DISCOVERY_S) -> T | None:
        """Ask until the answer is not None (and not empty); the last answer otherwise."""
        answer = query()

        def answered() -> bool:
            nonlocal answer
            answer = query()
            return bool(answer)

        self.spin_until(answered, timeout_s)
        return answer

    def settle(
        self, spin_time_s: float | None = None, wanted: Callable[[], bool] = lambda: True
    ) -> None:
        """Spin until the graph is probably known completely.

        Args:
            spin_time_s: spin for exactly this long instead.
            wanted: what must have appeared before the graph can count as complete.
        """
        start = time.monotonic()
        if spin_time_s is not None:
            self.spin_until(lambda: False, spin_time_s)
            return
        seen, changed = self._fingerprint(), start

        def quiet() -> bool:
            nonlocal seen, changed
            now, current = time.monotonic(), self._fingerprint()
            if current != seen:
                seen, changed = current, now
            return bool(current[0]) and now - changed >= QUIET_S and wanted()

        self.spin_until(quiet, DISCOVERY_S)

    def _fingerprint(self) -> tuple[Sequence[Any], ...]:
        others = [n for n in self.node.get_node_names_and_namespaces() if n[0] != self._name]
        topics = self.node.get_topic_names_and_types()
        return (
            sorted(others),
            sorted((name, sorted(types)) for name, types in topics),
            sorted(name for name, _ in self.node.get_service_names_and_types()),
            [self.node.count_publishers(name) for name, _ in sorted(topics)],
            [self.node.count_subscribers(name) for name, _ in sorted(topics)],
        )

    def result(self, future: "Future", what: str, timeout_s: float | None = None) -> Any:
        """Spin until a future is done and return its result.

        Raises:
            CliError: it failed, or did not end within `timeout_s`.
        """
        if not self.spin_until(future.done, timeout_s):
            raise CliError(f"{what}: no answer within {timeout_s:g} s")
        error = future.exception()
        if error is not None:
            raise CliError(f"{what}: {error!r}")
        return future.result()

    def require_server(
        self,
        what: str,
        ready: Callable[[], bool],
        types: Callable[[], list[str]],
        wanted: str,
        timeout_s: float | None,
    ) -> None:
        """Wait for a server.

        Args:
            what: how to call it in an error, as "service '/x'".
            ready: whether it can be called.
            types: the types its name has on the graph.
            wanted: the type asked for, as `package/kind/Name`.
            timeout_s: longest wait; None: no limit.

        Raises:
            CliError: it does not appear, or is of another type.
        """

        def others() -> list[str]:
            # This process asks for the wanted type, so that one is always there.
            return sorted(set(types()) - {wanted})

        while self.spin_until(lambda: ready() or bool(others()), timeout_s):
            if self.spin_until(ready, QUIET_S):
                return
            if others():
                raise CliError(f"The {what} has the type {', '.join(others())}, not {wanted}")
        kind = what.split()[0]
        raise CliError(
            f"No server of the {what} appeared within {timeout_s:g} s; `ros2 {kind} list` shows "
            f"the {kind}s there are"
        )

    def full_name(self, name: str) -> str:
        """A topic or service name with its leading slash.

        Raises:
            CliError: not a valid name.
        """
        try:
            full: str = expand_topic_name(name, self.node.get_name(), self.node.get_namespace())
            validate_full_topic_name(full)
        except (ValueError, InvalidTopicNameException, InvalidServiceNameException) as error:
            raise CliError(f"'{name}' is not a valid name: {error}") from None
        return full

    def node_names(self, *, hidden: bool = False) -> list[str]:
        """Full names of all nodes known now but this one, sorted, duplicates kept."""
        names = [
            f"{namespace.rstrip('/')}/{name}"
            for name, namespace in self.node.get_node_names_and_namespaces()
            if name != self._name and (hidden or not name.startswith(HIDDEN_PREFIX))
        ]
        return sorted(names)

    def require_node(self, name: str, message: str) -> str:
        """The full name of a node, after having waited for it.

        Raises:
            CliError: with `message`, if it does not appear.
        """
        full = name if name.startswith("/") else f"/{name}"
        if not self.spin_until(lambda: full in self.node_names(hidden=True), DISCOVERY_S):
            raise CliError(message)
        return full


def _exit_on_signal(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def is_hidden(name: str) -> bool:
    """Whether a topic, service or action name is hidden: some part starts with `_`."""
    return any(part.startswith(HIDDEN_PREFIX) for part in name.split("/"))


def split_node_name(full: str) -> tuple[str, str]:
    """(name, namespace) of a full node name."""
    namespace, _, name = full.rpartition("/")
    return name, namespace or "/"
