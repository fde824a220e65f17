"""`./ws` runs one step at a time, says what fails, and resumes there."""

import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workspace.stamps import Stamps, digest
from workspace.steps import Runner, Step, StepError, StepLog

TOOLS = Path(__file__).resolve().parents[1] / "tools"
GUARD = 60.0


def _python(program: str, *arguments: str | Path) -> "subprocess.Popen[str]":
    """Starts a program that can import the package under test, its output to be read."""
    command = [
        sys.executable,
        "-u",
        "-c",
        f"import sys\nsys.path.insert(0, {str(TOOLS)!r})\n{program}",
    ]
    return subprocess.Popen(
        [*command, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


HOLDER = """
from pathlib import Path
from workspace.lock import exclusive
with exclusive(Path(sys.argv[1]), print):
    print("inside")
    sys.stdin.readline()
    print("leaving")
"""


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_the_second_caller_waits_and_says_so(tmp_path: Path) -> None:
    """Two real processes: the second enters only when the first has left."""
    with _python(HOLDER, tmp_path / "lock") as first:
        assert _line(first) == "inside"
        with _python(HOLDER, tmp_path / "lock") as second:
            waiting = _line(second)
            assert f"process {first.pid}" in waiting
            assert "waiting" in waiting
            first.communicate("\n", timeout=GUARD)
            assert _line(second) == "inside"
            second.communicate("\n", timeout=GUARD)


def test_a_killed_holder_leaves_no_lock_behind(tmp_path: Path) -> None:
    """Whoever was waiting goes on when the holder dies."""
    with _python(HOLDER, tmp_path / "lock") as first:
        assert _line(first) == "inside"
        with _python(HOLDER, tmp_path / "lock") as second:
            assert "waiting" in _line(second)
            first.kill()
            assert _line(second) == "inside"
            second.communicate("\n", timeout=GUARD)


@given(st.lists(st.binary(max_size=4)), st.lists(st.binary(max_size=4)))
def test_digests_differ_when_the_parts_do(one: list[bytes], other: list[bytes]) -> None:
    """The borders between parts count: moving a byte across one is a change."""
    assert (digest(one) == digest(other)) == (one == other)


def test_stamps(tmp_path: Path) -> None:
    """A step is current for the inputs it was finished for, and no others."""
    stamps = Stamps(tmp_path / "state")
    assert not stamps.is_current("a-1", "x")
    stamps.clear("*")
    stamps.put("a-1", "x")
    stamps.put("a-2", "y")
    stamps.put("b", "z")
    assert stamps.is_current("a-1", "x")
    assert not stamps.is_current("a-1", "y")
    assert stamps.names("a-*") == ["a-1", "a-2"]
    stamps.clear("a-*")
    assert stamps.names("*") == ["b"]


class _Pretence:
    """Three steps, of which the second fails while the file `broken` exists."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.screen = io.StringIO()
        self.runner = Runner(folder / "log", Stamps(folder / "state"), self.screen)
        self.done: list[str] = []

    def prepare(self, inputs: str = "1") -> None:
        """Runs the steps in their order."""
        for name in ("first", "second", "third"):
            self.runner.run(Step(name, f"the {name}", self._work(name), "mend it thus", inputs))

    def _work(self, name: str) -> Callable[[StepLog], None]:
        def work(log: StepLog) -> None:
            script = f"echo {name} speaks; [ {name} != second ] || [ ! -e broken ]"
            log.run(["sh", "-c", script], folder=self.folder)
            self.done.append(name)

        return work


def test_a_failed_step_says_what_and_the_next_call_resumes(tmp_path: Path) -> None:
    """Steps that are done are not done again; the failed one and those behind it are."""
    pretence = _Pretence(tmp_path)
    (tmp_path / "broken").touch()
    with pytest.raises(StepError) as failure:
        pretence.prepare()
    assert failure.value.reported
    shown = pretence.screen.getvalue()
    assert re.search(r"^\[ws\] the first \.\.\. \d+ s$", shown, re.MULTILINE)
    assert re.search(r"the second \.\.\. failed after \d+ s: sh ended with code 1", shown)
    assert "    | second speaks" in shown
    assert f"whole log: {tmp_path / 'log' / 'second.log'}" in shown
    assert "mend it thus" in shown
    assert "third" not in shown
    assert pretence.done == ["first"]

    (tmp_path / "broken").unlink()
    pretence.prepare()
    assert pretence.done == ["first", "second", "third"]

    before = pretence.screen.getvalue()
    pretence.prepare()
    assert pretence.screen.getvalue() == before, "an up-to-date workspace prints nothing"

    pretence.prepare(inputs="2")
    assert pretence.done == ["first", "second", "third"] * 2


def test_a_missing_program_is_a_failed_step(tmp_path: Path) -> None:
    """It is named; there is no traceback."""
    runner = Runner(tmp_path, Stamps(tmp_path), io.StringIO())
    with pytest.raises(StepError, match="no program nonesuch"):
        runner.run(Step("x", "x", lambda log: log.run(["nonesuch"]), "mend"))


INTERRUPTED = """
import signal
from pathlib import Path
from workspace.stamps import Stamps
from workspace.steps import Runner, Step
folder = Path(sys.argv[1])
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(3))
script = "sleep 1000 & echo $! > pid.new; mv pid.new pid; wait"
work = lambda log: log.run(["sh", "-c", script], folder=folder)
Runner(folder, Stamps(folder), sys.stdout).run(Step("x", "x", work, "mend", "inputs"))
"""


def test_an_interrupted_step_ends_what_it_started(tmp_path: Path) -> None:
    """Neither the program nor its children go on in the background, and the step is not done."""
    with _python(INTERRUPTED, tmp_path) as process:
        _await(lambda: (tmp_path / "pid").exists())
        grandchild = int((tmp_path / "pid").read_text())
        assert _alive(grandchild)
        process.send_signal(signal.SIGTERM)
        shown, _ = process.communicate(timeout=GUARD)
        assert process.returncode == 3
    assert "interrupted" in shown
    _await(lambda: not _alive(grandchild))
    assert Stamps(tmp_path).read("x") is None


def _alive(pid: int) -> bool:
    """Tells whether a process runs; one that has ended but was not yet reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def _await(condition: Callable[[], bool]) -> None:
    """Waits for something another process does; the limit is only a guard."""
    end = time.monotonic() + GUARD
    while not condition():
        assert time.monotonic() < end, "did not happen"
        time.sleep(0.01)


def test_help_prepares_nothing(tmp_path: Path) -> None:
    """Asking for help in a fresh clone leaves no trace; so does a wrong option."""
    for name in ("ws", "tools/ws.py"):
        target = tmp_path / name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes((TOOLS.parent / name).read_bytes())
    (tmp_path / "ws").chmod(0o755)
    package = tmp_path / "tools" / "workspace"
    package.mkdir()
    for source in (TOOLS / "workspace").glob("*.py"):
        (package / source.name).write_bytes(source.read_bytes())
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    for arguments, code in ((["--help"], 0), ([], 0), (["--with", "nonesuch", "true"], 2)):
        result = subprocess.run(
            [tmp_path / "ws", *arguments], capture_output=True, text=True, env=environment
        )
        assert result.returncode == code
        assert "./ws ros2 launch gensim2 sim_collect.launch.py" in result.stdout + result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tools", "ws"]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["sh", "-c", "kill -PIPE $$"], -signal.SIGPIPE),
        (["sh", "-c", "kill -TERM $$"], -signal.SIGTERM),
        (["sh", "-c", "exit 5"], 5),
        (["no such program"], 127),
        (["/"], 126),
    ],
)
def test_the_command_takes_the_place_of_ws(command: list[str], code: int) -> None:
    """Its exit code is ours, and signals do to it what they always do."""
    program = (
        f"import os\nfrom workspace.cli import become\nsys.exit(become({command}, os.environ))"
    )
    with _python(program) as process:
        process.communicate(timeout=GUARD)
        assert process.returncode == code


LEAVES_A_CHILD = """
import subprocess
from pathlib import Path
from workspace.lock import exclusive
with exclusive(Path(sys.argv[1]), print):
    print(subprocess.Popen(["sleep", "1000"]).pid)
"""


def test_what_is_started_inside_does_not_hold_the_lock(tmp_path: Path) -> None:
    """A program that outlives the preparation keeps nobody waiting."""
    with _python(LEAVES_A_CHILD, tmp_path / "lock") as first:
        child = int(_line(first))
        try:
            first.wait(timeout=GUARD)
            with _python(HOLDER, tmp_path / "lock") as second:
                assert _line(second) == "inside"
                second.communicate("\n", timeout=GUARD)
        finally:
            os.kill(child, signal.SIGKILL)
