"""Real processes: start, output, end, restart."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import launch.logging
import pytest
from launch.actions import (
    EmitEvent,
    ExecuteProcess,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
    SetLaunchConfiguration,
    Shutdown,
)
from launch.event_handlers import OnProcessExit, OnProcessIO, OnProcessStart
from launch.events import Shutdown as ShutdownEvent
from launch.events.process import ProcessExited, ProcessIO
from launch.substitutions import LaunchConfiguration

from launch import LaunchContext, LaunchDescription, LaunchService

Run = Callable[..., Any]
WAIT = ["sleep", "100"]


def sh(line: str, **options: Any) -> ExecuteProcess:
    return ExecuteProcess(cmd=["sh", "-c", line], **options)


def test_messages_and_labels(run_launch: Run) -> None:
    result = run_launch(
        sh("exit 0"), sh("exit 3", name="server"), ExecuteProcess(cmd=["echo a | cat"], shell=True)
    )
    assert result.code == 0  # as upstream, also when a process died
    assert re.search(r"\[INFO\] \[sh-1\]: process started with pid \[\d+\]", result.screen)
    assert re.search(r"\[INFO\] \[sh-1\]: process has finished cleanly \[pid \d+\]", result.screen)
    died = (
        r"\[ERROR\] \[server-2\]: process has died \[pid \d+, exit code 3, cmd 'sh -c exit 3'\]\."
    )
    assert re.search(died, result.screen)
    assert "[echo-3]: process has finished cleanly" in result.screen
    assert "All log files can be found below" in result.screen.splitlines()[0]


def test_program_that_does_not_exist_does_not_end_the_launch(run_launch: Run) -> None:
    result = run_launch(
        ExecuteProcess(cmd=["no-such-program"]), sh("echo still here", output="screen")
    )
    assert result.code == 0
    assert "[ERROR] [no-such-program-1]: process could not be started" in result.screen
    assert "[sh-2] still here" in result.screen


def test_arguments_are_concatenated_per_entry(run_launch: Run) -> None:
    name = LaunchConfiguration("x")
    command: list[Any] = ["printf", "<%s>", ["a", name], name, "two words"]
    result = run_launch(ExecuteProcess(cmd=command, output="screen"), x="1")
    assert "[printf-1] <a1><1><two words>" in result.screen


@pytest.mark.parametrize("wrong", ["echo hello", LaunchConfiguration("x"), Path("/bin/true")])
def test_command_must_be_a_list(wrong: Any) -> None:
    with pytest.raises(TypeError, match="cmd must be a list with one entry per argument"):
        ExecuteProcess(cmd=wrong)
    with pytest.raises(ValueError, match="cmd is empty"):
        ExecuteProcess(cmd=[])


def test_folder_and_environment(run_launch: Run, tmp_path: Path) -> None:
    line = "echo $PWD $A $B"
    result = run_launch(
        SetEnvironmentVariable("A", "launch"),
        sh(line, output="screen", cwd=tmp_path, additional_env={"B": LaunchConfiguration("x")}),
        ExecuteProcess(cmd=["/bin/sh", "-c", line], output="screen", cwd="/", env={"B": "only"}),
        x="added",
    )
    assert f"[sh-1] {tmp_path} launch added" in result.screen
    assert "[sh-2] / only" in result.screen


def test_output_goes_where_it_should(run_launch: Run) -> None:
    both = "echo to-out; echo to-err >&2"
    settings: dict[str, Any] = {
        "screen": "screen",
        "log": "log",
        "both": "both",
        "own": "own_log",
        "full": "full",
        "dict": {"stdout": "screen", "stderr": {"log", "own_log"}},
    }
    result = run_launch(*(sh(both, name=name, output=out) for name, out in settings.items()))

    def targets(text: str, stream: str) -> set[str]:
        return {name for name in settings if re.search(rf"\[{name}-\d\] to-{stream}", text)}

    assert targets(result.screen, "out") == {"screen", "both", "full", "dict"}
    assert targets(result.screen, "err") == {"screen", "log", "both", "full"}
    assert targets(result.log, "out") == {"log", "both", "full"}
    assert targets(result.log, "err") == {"log", "both", "full", "dict"}
    folder = Path(launch.logging.launch_config.log_dir)
    own = {path.name: path.read_text() for path in folder.glob("*-*.log")}
    assert own.pop("own-4-stdout.log") == own.pop("full-5-stdout.log") == "to-out\n"
    assert own.pop("own-4-stderr.log") == own.pop("full-5-stderr.log") == "to-err\n"
    assert own.pop("dict-6-stderr.log") == "to-err\n"
    assert {name: set(text.split()) for name, text in own.items()} == {
        "own-4.log": {"to-out", "to-err"},
        "full-5.log": {"to-out", "to-err"},
    }
    assert (folder.parent / "latest").resolve() == folder


def test_output_setting_is_checked_and_overridden(
    run_launch: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "output='monitor' is unknown" in run_launch(sh("echo", output="monitor")).screen
    wrong = run_launch(sh("echo", output={"stdout": "monitor"}))
    assert wrong.code == 1
    assert "targets are ['screen', 'log', 'own_log']" in wrong.screen
    monkeypatch.setenv("OVERRIDE_LAUNCH_PROCESS_OUTPUT", "both")
    assert "[sh-1] hello" in run_launch(sh("echo hello")).screen


def test_output_may_be_a_substitution(run_launch: Run) -> None:
    result = run_launch(sh("echo hello", output=LaunchConfiguration("where")), where="screen")
    assert "[sh-1] hello" in result.screen


def test_lines_are_put_together(run_launch: Run) -> None:
    """Characters cut in two, a Windows line end, bytes that are no text, no last line end."""
    code = (
        "import os, time\n"
        "for part in (b'a\\xc3', b'\\xbcb\\r\\n', b'\\xff\\n', b'last'):\n"
        "    os.write(1, part); time.sleep(0.02)\n"
    )
    result = run_launch(
        ExecuteProcess(
            cmd=[sys.executable, "-c", code], name="p", output="screen", output_format="{line}|"
        )
    )
    lines = [line for line in result.screen.splitlines() if line.endswith("|")]
    assert lines == ["aüb|", "\ufffd|", "last|"]


def test_fast_program_shows_its_output_after_its_start(run_launch: Run) -> None:
    result = run_launch(*(sh(f"echo line{n}", output="screen") for n in range(5)))
    for number in range(1, 6):
        lines = [line for line in result.screen.splitlines() if f"sh-{number}]" in line]
        assert [line.split()[0] for line in lines] == ["[INFO]", f"[sh-{number}]", "[INFO]"]


def test_print_is_seen_before_the_process_is_killed(run_launch: Run) -> None:
    """Python would keep print() in a buffer when it writes to a pipe."""
    code = "import os, signal; print('printed'); os.kill(os.getpid(), signal.SIGKILL)"
    result = run_launch(ExecuteProcess(cmd=[sys.executable, "-c", code], name="p", output="screen"))
    assert "[p-1] printed" in result.screen
    assert "exit code -9" in result.screen


def test_emulated_terminal(run_launch: Run) -> None:
    line = "test -t 1 && test -t 2 && printf 'terminal\\nlast'"
    result = run_launch(
        sh(line, output="screen", emulate_tty=True, output_format="{line}|"),
        SetLaunchConfiguration("emulate_tty", "false"),
        sh("test -t 1 || echo pipe", output="screen", emulate_tty=True),
    )
    assert "terminal|\n" in result.screen
    assert "last|\n" in result.screen
    assert "[sh-2] pipe" in result.screen


def test_grandchild_that_keeps_the_pipe_does_not_keep_the_launch(run_launch: Run) -> None:
    result = run_launch(sh("sleep 100 & echo $!", output="screen", cached_output=True))
    assert "process has finished cleanly" in result.screen
    pid = re.search(r"\[sh-1\] (\d+)", result.screen)
    assert pid is not None
    run_launch(ExecuteProcess(cmd=["kill", pid[1]]))


@pytest.mark.parametrize("trap", ["", "trap '' INT; trap 'exit 0' TERM; "])
def test_child_that_has_ended_is_not_said_to_resist(run_launch: Run, trap: str) -> None:
    """A grandchild keeps its output open for longer than the time to terminate."""
    process = sh(
        f"{trap}sleep 100 & echo $!; wait",
        cached_output=True,
        sigterm_timeout=0.1,
        sigkill_timeout=0.1,
    )
    end = EmitEvent(event=ShutdownEvent(reason="started"))
    result = run_launch(RegisterEventHandler(OnProcessIO(on_stdout=lambda event: end)), process)
    escalations = 0 if not trap else 1
    assert result.screen.count("failed to terminate") == escalations
    run_launch(ExecuteProcess(cmd=["kill", process.get_stdout().strip()]))


def test_cached_output(run_launch: Run) -> None:
    process = sh("printf 'one\\ntwo'; echo bad >&2", cached_output=True)
    run_launch(process)
    assert (process.get_stdout(), process.get_stderr()) == ("one\ntwo", "bad\n")
    assert process.return_code == 0
    other = sh("echo")
    run_launch(other)
    with pytest.raises(RuntimeError, match="cached_output=True"):
        other.get_stdout()


def test_prefix(run_launch: Run) -> None:
    result = run_launch(
        ExecuteProcess(cmd=["echo", "own"], prefix="env P=1", output="screen", log_cmd=True),
        SetLaunchConfiguration("launch-prefix", "echo prefixed"),
        ExecuteProcess(cmd=["echo", "all"], output="screen"),
        SetLaunchConfiguration("launch-prefix-filter", "ech"),
        ExecuteProcess(cmd=["echo", "matching"], output="screen"),
        ExecuteProcess(cmd=["printf", "other"], output="screen"),
    )
    assert "cmd='env P=1 echo own'" in result.screen
    for line in (
        "[echo-2] prefixed echo all",
        "[echo-3] prefixed echo matching",
        "[printf-4] other",
    ):
        assert line in result.screen


def test_on_exit_action_ends_the_launch(run_launch: Run) -> None:
    result = run_launch(ExecuteProcess(cmd=WAIT), sh("exit 5", on_exit=Shutdown(reason="done")))
    assert result.code == 0
    assert "process[sh-2] was required: shutting down launched system" in result.screen
    assert "sending signal 'SIGINT' to process[sleep-1]" in result.screen
    assert "[sleep-1]: process has died" in result.screen


def test_on_exit_callback_gets_the_exit_code(run_launch: Run) -> None:
    seen: list[tuple[Any, ...]] = []

    def callback(event: ProcessExited, context: LaunchContext) -> list[LogInfo]:
        seen.append((event.returncode, event.process_name, event.cmd, event.pid > 0, event.action))
        return [LogInfo(msg="<from callback>")]

    process = sh("exit 4", on_exit=callback)
    result = run_launch(process)
    assert seen == [(4, "sh-1", ["sh", "-c", "exit 4"], True, process)]
    assert "<from callback>" in result.screen


def test_exception_in_on_exit_ends_the_launch_with_1(run_launch: Run) -> None:
    """What our launch files use to report that the work was not done."""

    def callback(event: ProcessExited, context: LaunchContext) -> None:
        raise RuntimeError(f"collecting failed with {event.returncode}")

    result = run_launch(ExecuteProcess(cmd=WAIT), sh("exit 7", on_exit=callback))
    assert result.code == 1
    assert "[ERROR] [launch]: Caught exception in launch" in result.screen
    assert "collecting failed with 7" in result.screen
    assert "[sleep-1]: process has died" in result.screen


def test_exception_in_on_exit_counts_while_shutting_down(run_launch: Run) -> None:
    def callback(event: ProcessExited, context: LaunchContext) -> None:
        raise RuntimeError("late")

    result = run_launch(ExecuteProcess(cmd=WAIT, on_exit=callback), sh("", on_exit=Shutdown()))
    assert result.code == 1


def test_start_exit_and_io_handlers(run_launch: Run) -> None:
    heard: list[tuple[bool, bytes]] = []

    def hear(event: ProcessIO) -> None:
        heard.append((event.from_stdout, event.text))

    first, second = sh("echo out"), sh("echo err >&2; exit 1")
    result = run_launch(
        RegisterEventHandler(
            OnProcessStart(target_action=first, on_start=LogInfo(msg="<started>"))
        ),
        RegisterEventHandler(OnProcessExit(target_action=first, on_exit=[second])),
        RegisterEventHandler(
            OnProcessExit(
                target_action=lambda action: action is second,
                on_exit=lambda event, context: LogInfo(msg=f"<second {event.returncode}>"),
            )
        ),
        RegisterEventHandler(OnProcessIO(on_stdout=hear, on_stderr=hear)),
        first,
    )
    assert "<started>" in result.screen
    assert "<second 1>" in result.screen
    assert heard == [(True, b"out\n"), (False, b"err\n")]
    with pytest.raises(TypeError, match="target_action must be an action of type ExecuteLocal"):
        OnProcessExit(target_action=LogInfo(msg=""), on_exit=[])  # type: ignore[arg-type]


def test_respawn_with_limit_keeps_the_label(run_launch: Run) -> None:
    exits: list[int] = []
    result = run_launch(
        sh(
            "exit 2",
            respawn=LaunchConfiguration("again"),
            respawn_delay=0.01,
            respawn_max_retries=2,
            on_exit=lambda event, context: exits.append(event.returncode),
        ),
        again="true",
    )
    assert result.screen.count("[sh-1]: process started") == 3
    assert exits == [2, 2, 2]


def test_respawn_ends_with_the_launch(run_launch: Run) -> None:
    result = run_launch(sh("", respawn=True, respawn_delay=1000.0, on_exit=Shutdown()))
    assert result.screen.count("process started") == 1


def test_process_is_not_started_once_shutting_down(run_launch: Run) -> None:
    late = sh("echo late", output="screen")
    result = run_launch(sh("", on_exit=Shutdown()), ExecuteProcess(cmd=WAIT, on_exit=late))
    assert "late" not in result.screen


def test_failure_right_after_a_start_ends_the_launch(run_launch: Run) -> None:
    """The shutdown comes before the process has been started."""

    def fail(context: LaunchContext) -> None:
        raise RuntimeError("failed on purpose")

    result = run_launch(ExecuteProcess(cmd=["sleep", "1000"]), OpaqueFunction(function=fail))
    assert result.code == 1


def test_same_action_twice_is_an_error(run_launch: Run) -> None:
    process = sh("")
    result = run_launch(process, OpaqueFunction(function=lambda context: [process]))
    assert result.code == 1
    assert "executed more than once" in result.screen


def test_service_can_run_again() -> None:
    service = LaunchService(noninteractive=True)
    done: list[int] = []
    for _ in range(2):
        service.include_launch_description(
            LaunchDescription([sh("exit 6", on_exit=lambda e, c: done.append(e.returncode))])
        )
        assert service.run() == 0
    assert done == [6, 6]
