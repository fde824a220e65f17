"""Runs a node from start to a clean end."""

from __future__ import annotations

import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from types import FrameType

import rclpy
from rclpy.executors import (
    Executor,
    ExternalShutdownException,
    MultiThreadedExecutor,
    SingleThreadedExecutor,
)
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from gensim2_control.ros.parameters import ParameterError, reject_unknown_parameters

DEFAULT_THREADS = 6
"""Two goals and a service may each hold one; stop, status and topics need more."""


_SIGNAL_POLL = 0.1
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StartError(RuntimeError):
    """A node cannot start. Its message is for the operator and shown without a traceback."""


def run_node(
    factory: Callable[[], Node],
    args: Sequence[str] | None = None,
    threads: int = DEFAULT_THREADS,
) -> int:
    """Run a node until it is shut down; return the exit code of the process.

    Ctrl-C and SIGTERM end it with code 0, and a node ends itself with `rclpy.shutdown()`. A
    node may have:

    * `close()`: called first, while topics, services and actions still work. Here hardware is
      brought to rest, goals are ended and threads are stopped.
    * `exit_code`: returned at the end.

    Args:
        factory: makes the node; called after rclpy is initialised.
        args: command line; default: that of the process.
        threads: threads of the executor.

    Returns:
        The node's `exit_code`, else 0; 1 where it could not start or a callback failed.
    """
    # rclpy's own handlers would cut the communication before the node has come to rest.
    rclpy.init(
        args=None if args is None else list(args), signal_handler_options=SignalHandlerOptions.NO
    )
    # Said outright, since a shell starts background processes with SIGINT ignored.
    for number in _SIGNALS:
        signal.signal(number, _interrupt)
    failed = False
    node: Node | None = None
    spinner: _Spinner | None = None
    try:
        node = factory()
        reject_unknown_parameters(node)
        spinner = _Spinner(node, threads)
        spinner.wait()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except (ParameterError, StartError) as error:
        failed = True
        print(f"error: {error}", file=sys.stderr, flush=True)
    except Exception:
        failed = True
        traceback.print_exc()
    finally:
        _ignore_signals()
        if node is not None and hasattr(node, "close"):
            node.close()
        if spinner is not None:
            spinner.stop()
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()
    return 1 if failed else int(getattr(node, "exit_code", 0))


def _interrupt(number: int, frame: FrameType | None) -> None:
    # Here and not later: the next signal may arrive before anything else is executed.
    _ignore_signals()
    raise KeyboardInterrupt


def _ignore_signals() -> None:
    """Keep a second Ctrl-C from interrupting the controlled stop."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


class _Spinner:
    """Spins a node in a thread, so that the main thread stays free for signals."""

    def __init__(self, node: Node, threads: int) -> None:
        # One thread needs no pool, which costs time with busy topics.
        self._executor: Executor = (
            SingleThreadedExecutor() if threads == 1 else MultiThreadedExecutor(num_threads=threads)
        )
        self._executor.add_node(node)
        self._ended = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._spin, name="executor", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Wait until rclpy is shut down; raise what a callback has raised."""
        # The system may hand a signal to any thread, which does not wake this one; Python runs
        # the handler here as soon as it wakes.
        while not self._ended.wait(_SIGNAL_POLL):
            pass
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """End the thread."""
        self._executor.shutdown(timeout_sec=1.0)
        self._thread.join(timeout=1.0)

    def _spin(self) -> None:
        try:
            self._executor.spin()
        except ExternalShutdownException:
            pass
        except BaseException as error:
            # One that is shut down in the middle of its preparations to wait complains.
            if self._executor.context.ok():
                self._error = error
        finally:
            self._ended.set()
