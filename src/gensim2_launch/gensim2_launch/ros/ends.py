"""What the end of a process means to the launch; each is an `on_exit` of a node."""

from __future__ import annotations

from launch.actions import LogInfo, Shutdown
from launch.events.process import ProcessExited

from launch import LaunchContext


def fail_without(event: ProcessExited, context: LaunchContext) -> None:
    """Nothing goes on without this node: its end is an error, whatever its exit code.

    Raises:
        RuntimeError: unless the launch is ending anyway.
    """
    if not context.is_shutdown:
        raise RuntimeError(_told(event))


def end_with(event: ProcessExited, context: LaunchContext) -> Shutdown:
    """The launch ends with this node, and its failure is that of the launch.

    Also after Ctrl-C or the death of another node: the work is not complete then.

    Raises:
        RuntimeError: the exit code is not 0.
    """
    if event.returncode:
        raise RuntimeError(_told(event))
    return Shutdown(reason=f"{event.process_name} has done its work")


def go_on_without(event: ProcessExited, context: LaunchContext) -> LogInfo | None:
    """Whatever ends a view, the work goes on; only the log tells."""
    if context.is_shutdown:
        return None
    return LogInfo(msg=f"{_told(event)}: the view is gone, everything else goes on")


def _told(event: ProcessExited) -> str:
    return f"{event.process_name} ended with exit code {event.returncode}"
