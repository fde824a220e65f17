"""Events, handlers, timers, and the order in which a launch ends."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

import launch.logging
import pytest
from launch.actions import (
    EmitEvent,
    ExecuteProcess,
    GroupAction,
    LogInfo,
    OpaqueCoroutine,
    OpaqueFunction,
    RegisterEventHandler,
    Shutdown,
    TimerAction,
    UnregisterEventHandler,
)
from launch.event_handlers import OnExecutionComplete, OnProcessIO, OnProcessStart, OnShutdown
from launch.events import matches_action
from launch.events.process import ProcessIO, ProcessStdin, ShutdownProcess, SignalProcess

from launch import Event, EventHandler, LaunchContext, LaunchDescription, LaunchService

Run = Callable[..., Any]


class Custom(Event):
    """An event of this test."""


def is_custom(event: Event) -> bool:
    return isinstance(event, Custom)


def fail(*args: Any) -> None:
    raise RuntimeError("failed on purpose")


def order(result: Any) -> list[str]:
    return [line.split()[-1] for line in result.screen.splitlines() if line.endswith(">")]


def test_timer_keeps_the_launch_alive_and_runs_once(run_launch: Run) -> None:
    result = run_launch(
        TimerAction(period=0.02, actions=[LogInfo(msg="<late>")]), LogInfo(msg="<early>")
    )
    assert order(result) == ["<early>", "<late>"]


def test_timer_is_cancelled_by_shutdown(run_launch: Run) -> None:
    result = run_launch(TimerAction(period=1000.0, actions=[LogInfo(msg="<late>")]), Shutdown())
    assert result.code == 0
    assert order(result) == []


def test_exception_in_a_timer_ends_the_launch(run_launch: Run) -> None:
    result = run_launch(
        ExecuteProcess(cmd=["sleep", "100"]),
        TimerAction(period="0.02", actions=[OpaqueFunction(function=fail)]),
    )
    assert result.code == 1
    assert "failed on purpose" in result.screen


def test_newest_handler_is_asked_first_and_once_means_once(run_launch: Run) -> None:
    old = EventHandler(matcher=is_custom, entities=LogInfo(msg="<old>"))
    result = run_launch(
        RegisterEventHandler(old),
        RegisterEventHandler(
            EventHandler(matcher=is_custom, entities=[LogInfo(msg="<new>")], handle_once=True)
        ),
        EmitEvent(event=Custom()),
        EmitEvent(event=Custom()),
        RegisterEventHandler(
            EventHandler(matcher=is_custom, entities=[UnregisterEventHandler(old)])
        ),
    )
    # The last handler is there before the events are handled, and removes the first one.
    assert order(result) == ["<new>"]


def test_one_failing_handler_does_not_keep_processes_from_ending(run_launch: Run) -> None:
    result = run_launch(
        ExecuteProcess(cmd=["sleep", "100"]),
        RegisterEventHandler(OnShutdown(on_shutdown=fail)),
        TimerAction(period=0.05, actions=[Shutdown()]),
    )
    assert result.code == 1
    assert "sending signal 'SIGINT' to process[sleep-1]" in result.screen


def test_on_shutdown_and_on_execution_complete(run_launch: Run) -> None:
    group = GroupAction([LogInfo(msg="<group>")])
    timer = TimerAction(period=0.01, actions=[])
    result = run_launch(
        RegisterEventHandler(
            OnShutdown(on_shutdown=lambda event, context: LogInfo(msg=f"<{event.reason}>"))
        ),
        RegisterEventHandler(
            OnExecutionComplete(target_action=timer, on_completion=[LogInfo(msg="<timer>")])
        ),
        RegisterEventHandler(
            OnExecutionComplete(target_action=group, on_completion=[LogInfo(msg="<complete>")])
        ),
        timer,
        group,
    )
    assert order(result) == ["<group>", "<complete>", "<timer>", "<idle>"]


def test_signal_and_shutdown_of_one_process(run_launch: Run) -> None:
    first = ExecuteProcess(cmd=["sleep", "100"], name="first")
    second = ExecuteProcess(cmd=["sleep", "100"], name="second")
    result = run_launch(
        first,
        RegisterEventHandler(
            OnProcessStart(
                target_action=first,
                on_start=EmitEvent(
                    event=SignalProcess(
                        signal_number=signal.SIGUSR1, process_matcher=matches_action(first)
                    )
                ),
            )
        ),
        second,
        RegisterEventHandler(
            OnProcessStart(
                target_action=second,
                on_start=EmitEvent(event=ShutdownProcess(process_matcher=matches_action(second))),
            )
        ),
    )
    assert f"exit code {-signal.SIGUSR1}" in result.screen
    assert "sending signal 'SIGINT' to process[second-2]" in result.screen
    assert "sending signal 'SIGINT' to process[first-1]" not in result.screen


def test_writing_to_standard_input(run_launch: Run) -> None:
    reader = ExecuteProcess(cmd=["sh", "-c", "echo ready; read x; echo got-$x"], output="screen")

    def answer(event: ProcessIO) -> EmitEvent | None:
        if b"ready" not in event.text:
            return None
        stdin = ProcessStdin(
            text=b"hello\n", fd=0, action=reader, name="", cmd=[], cwd=None, env=None, pid=event.pid
        )
        return EmitEvent(event=stdin)

    result = run_launch(
        RegisterEventHandler(OnProcessIO(target_action=reader, on_stdout=answer)), reader
    )
    assert "[sh-1] got-hello" in result.screen


ESCALATION = """
import signal, sys
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
print("ready")
while True:
    signal.pause()
"""


def test_escalation_goes_from_int_over_term_to_kill(run_launch: Run) -> None:
    stubborn = ExecuteProcess(
        cmd=[sys.executable, "-c", ESCALATION],
        name="stubborn",
        sigterm_timeout="0.2",
        sigkill_timeout=0.3,
    )
    result = run_launch(
        RegisterEventHandler(OnProcessIO(target_action=stubborn, on_stdout=lambda e: Shutdown())),
        stubborn,
    )
    assert result.code == 0
    texts = [
        "sending signal 'SIGINT' to process[stubborn-1]",
        "process[stubborn-1] failed to terminate '0.2' seconds after receiving 'SIGINT', "
        "escalating to 'SIGTERM'",
        "sending signal 'SIGTERM' to process[stubborn-1]",
        "process[stubborn-1] failed to terminate '0.5' seconds after receiving 'SIGTERM', "
        "escalating to 'SIGKILL'",
        "sending signal 'SIGKILL' to process[stubborn-1]",
        "exit code -9",
    ]
    places = [result.screen.index(text) for text in texts]
    assert places == sorted(places)


def test_escalation_times_come_from_launch_configurations(run_launch: Run) -> None:
    line = "trap '' INT; echo ready; exec sleep 100"
    process = ExecuteProcess(cmd=["sh", "-c", line])
    result = run_launch(
        RegisterEventHandler(OnProcessIO(target_action=process, on_stdout=lambda e: Shutdown())),
        process,
        sigterm_timeout="0.1",
    )
    assert "failed to terminate '0.1' seconds after receiving 'SIGINT'" in result.screen
    assert "exit code -15" in result.screen


def test_coroutine_is_awaited_and_cancelled(run_launch: Run) -> None:
    states: list[str] = []

    async def quick(context: LaunchContext) -> None:
        await asyncio.sleep(0.01)
        states.append("done")

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            states.append("cancelled")
            raise

    assert run_launch(OpaqueCoroutine(coroutine=quick)).code == 0
    assert states == ["done"]
    ended = run_launch(
        OpaqueCoroutine(coroutine=endless, ignore_context=True),
        TimerAction(period=0.02, actions=[Shutdown()]),
    )
    assert ended.code == 0
    assert states == ["done", "cancelled"]


def test_failing_coroutine_ends_the_launch(run_launch: Run) -> None:
    async def broken(context: LaunchContext) -> None:
        fail()

    result = run_launch(ExecuteProcess(cmd=["sleep", "100"]), OpaqueCoroutine(coroutine=broken))
    assert result.code == 1


def test_shutdown_from_another_thread() -> None:
    service = LaunchService(noninteractive=True)
    process = ExecuteProcess(cmd=["sleep", "100"])
    started = threading.Event()
    service.include_launch_description(
        LaunchDescription(
            [
                RegisterEventHandler(OnProcessStart(on_start=lambda e, c: started.set())),
                process,
            ]
        )
    )

    def stop() -> None:
        started.wait()
        service.shutdown()

    thread = threading.Thread(target=stop)
    thread.start()
    assert service.run(shutdown_when_idle=False) == 0
    thread.join()
    assert process.return_code == -signal.SIGINT


def test_run_needs_the_main_thread() -> None:
    errors: list[str] = []

    def run() -> None:
        try:
            LaunchService().run()
        except RuntimeError as error:
            errors.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert errors == ["LaunchService.run() works only in the main thread"]


def test_run_async_works_in_another_thread() -> None:
    codes: list[int] = []
    service = LaunchService(noninteractive=True)
    service.include_launch_description(LaunchDescription([ExecuteProcess(cmd=["true"])]))
    thread = threading.Thread(target=lambda: codes.append(asyncio.run(service.run_async())))
    thread.start()
    thread.join()
    assert codes == [0]


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    service = LaunchService(noninteractive=True, debug=True)
    service.include_launch_description(LaunchDescription([OpaqueFunction(function=fail)]))
    assert service.run() == 1
    assert "Traceback (most recent call last)" in capsys.readouterr().out
    launch.logging.reset()


def test_format_of_log_lines(run_launch: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVERRIDE_LAUNCH_SCREEN_FORMAT", "{name}/{levelname}/{msg}")
    result = run_launch(LogInfo(msg="100% {text}"))
    assert "launch.user/INFO/100% {text}" in result.screen
    assert "[INFO] [launch.user]: 100% {text}" in result.log
