"""Runs a node from start to a clean end."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence

import rclpy
from rclpy.executors import (
    Executor,
    ExternalShutdownException,
    SingleThreadedExecutor,
)
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from gensim2_control.end_request import EndRequest
from gensim2_control.ros.namesakes import wait_until_name_is_free
from gensim2_control.ros.parameters import ParameterError, reject_unknown_parameters
from gensim2_control.ros.pool_executor import PoolExecutor
from gensim2_control.ros.spin import spin
from gensim2_control.ros.start_error import StartError

DEFAULT_THREADS = 6
"""Two goals and a service may each hold one; stop, status and topics need more."""


_SIGNAL_POLL = 0.05


def run_node(
    factory: Callable[[], Node],
    args: Sequence[str] | None = None,
    threads: int = DEFAULT_THREADS,
    end: EndRequest | None = None,
    unstarted: int = 0,
    unique: bool = True,
) -> int:
    """Run a node until it is shut down; return the exit code of the process.

    Ctrl-C and SIGTERM end it with code 0, also while it starts: it is then ended once it has
    started, or at once by a second one. A node ends itself with `rclpy.shutdown()`. It may have:

    * `start(ended)`: called once its parameters are known to be right, before it is spun. What
      takes long here asks `ended()` now and then whether the operator wants the end.
    * `close()`: called first, while topics, services and actions still work. Here hardware is
      brought to rest, goals are ended and threads are stopped.
    * `exit_code`: returned at the end.

    Args:
        factory: makes the node; called after rclpy is initialised.
        args: command line; default: that of the process.
        threads: threads of the executor.
        end: what has taken over the signals already, before the imports of a large program.
        unstarted: exit code where the end is asked for before there is a node.
        unique: refuse to start beside a node of the same name, as a second graph would.

    Returns:
        The node's `exit_code`, else 0; 1 where it could not start or a callback failed.
    """
    # rclpy's own handlers would cut the communication before the node has come to rest.
    rclpy.init(
        args=None if args is None else list(args), signal_handler_options=SignalHandlerOptions.NO
    )
    end = end or EndRequest()
    failed = False
    node: Node | None = None
    spinner: _Spinner | None = None
    try:
        if not end.made:
            since = time.monotonic()
            node = factory()
            reject_unknown_parameters(node)
            if unique:
                wait_until_name_is_free(node, since, lambda: end.made)
            if hasattr(node, "start"):
                node.start(lambda: end.made)
            # A second signal, as a terminal and a launch send one each, must not cut what follows:
            # the threads of a pool that is left half made would be waited for without end.
            end.started()
            spinner = _Spinner(node, threads)
            spinner.wait(end)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except (ParameterError, StartError) as error:
        failed = True
        print(f"error: {error}", file=sys.stderr, flush=True)
    except Exception:
        failed = True
        traceback.print_exc()
    finally:
        end.close()
        if node is not None and hasattr(node, "close"):
            node.close()
        if spinner is not None:
            spinner.stop()
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()
    if failed:
        return 1
    return unstarted if node is None else int(getattr(node, "exit_code", 0))


class _Spinner:
    """Spins a node in a thread, so that the main thread stays free for signals."""

    def __init__(self, node: Node, threads: int) -> None:
        # One thread needs no pool, which costs time with busy topics.
        self._executor: Executor = (
            SingleThreadedExecutor() if threads == 1 else PoolExecutor(threads)
        )
        self._executor.add_node(node)
        self._ended = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._spin, name="executor", daemon=True)
        self._thread.start()

    def wait(self, end: EndRequest) -> None:
        """Wait until rclpy is shut down or an end is asked for; raise what a callback has raised.

        The system may hand a signal to any thread, which does not wake this one; Python runs the
        handler here as soon as it wakes.
        """
        while not (end.made or self._ended.wait(_SIGNAL_POLL)):
            pass
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """End the thread."""
        self._executor.shutdown(timeout_sec=1.0)
        self._thread.join(timeout=1.0)

    def _spin(self) -> None:
        try:
            spin(self._executor)
        except BaseException as error:
            # One that is shut down in the middle of its preparations to wait complains.
            if self._executor.context.ok():
                self._error = error
        finally:
            self._ended.set()
