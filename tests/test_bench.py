"""`./ws python bench`: its sums, what it reads of the system, and that it really measures."""

from __future__ import annotations

import importlib.util
import io
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))

pytest.importorskip("gensim2_msgs.msg", reason="needs the workspace: run the tests with ./ws")

from collections_of_graph import Collections
from figures import BenchError, Figure, Settings, Spread, make_document, make_table, shown
from gensim2_control.config import ArmConfig
from gensim2_control.hardware import HOME_Q
from gensim2_control.limits import JointLimits
from graph_run import Moment, telling
from machine import cpu_model, read_machine, total_memory
from processes import Usage, free_domain, parse_cpu, parse_pss, process_name, pss, usage
from rich.console import Console
from safety_moves import SPEED, sweep
from typer.testing import CliRunner

GUARD = 600.0  # s; only ends a test that hangs
BENCH = Path(__file__).resolve().parents[1] / "bench"
ROLLUP = """\
55d4c8a00000-7ffd2a9fe000 ---p 00000000 00:00 0                  [rollup]
Rss:               20000 kB
Pss:                9876 kB
Pss_Dirty:          5000 kB
Pss_Anon:           4000 kB
"""
UDP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt
  1: 00000000:{0:04X} 00000000:0000 07 00000000:00000000 00:00000000 00000000
  2: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000
"""


def test_a_spread_is_summed_up_by_quantiles() -> None:
    """The worst is the worst, and the order of the measurements does not matter."""
    spread = Spread([5.0, 1.0, 3.0, 2.0, 4.0])
    assert (spread.median, spread.worst) == (3.0, 5.0)
    assert Spread(range(101)).p95 == 95.0
    figures = spread.figures("a.b", "time", "s", "median", "worst", bound=4.0)
    assert [(f.key, f.verdict, f.samples) for f in figures] == [
        ("a.b.median", "ok", 5),
        ("a.b.worst", "OVER", 5),
    ]


def test_what_was_not_measured_is_not_within_its_bound() -> None:
    """Nothing, and not a number, are no success."""
    (nothing,) = Spread([]).figures("a", "a", "s", "median", bound=1.0)
    assert math.isnan(nothing.value) and nothing.verdict == "OVER"
    assert Figure("a", "a", math.nan, "s").verdict == ""
    assert Figure("a", "a", 1.0, "s", 1.0).verdict == "ok"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0519, "0.0519"), (12.345, "12.3"), (0.0, "0"), (123456.7, "123,457"), (math.nan, "-")],
)
def test_numbers_are_shown_with_three_digits(value: float, text: str) -> None:
    """Neither six digits of noise nor none at all."""
    assert shown(value) == text


def test_the_table_shows_bounds_and_verdicts() -> None:
    """What is over its bound is seen; brackets in a label are no markup."""
    figures = [
        Figure("a", "stop [worst]", 0.4, "s", 0.3),
        Figure("b", "stop, median", 0.2, "s", 0.3, 10),
        Figure("c", "speed", 5.0, "s/s", note="quiet"),
    ]
    console = Console(file=io.StringIO(), width=120)
    console.print(make_table("safety", figures))
    assert isinstance(console.file, io.StringIO)
    rows = [line for line in console.file.getvalue().splitlines() if "s" in line]
    over, fine, free = (next(r for r in rows if f in r) for f in ("[worst]", "median", "speed"))
    assert "0.400" in over and "<= 0.3" in over and "OVER" in over
    assert "ok" in fine and "10" in fine
    assert "OVER" not in free and "ok" not in free and "quiet" in free


def test_the_document_has_one_entry_per_key_and_is_json() -> None:
    """A figure never hides another one, and what is no number is null."""
    figures = [Figure("a.x", "x", math.nan, "s", 1.0), Figure("a.y", "y", 2.0, "ms")]
    facts: dict[str, dict[str, object]] = {"machine": {"cores": 2}, "versions": {"python": "3.11"}}
    document = make_document(figures, {"b": "broken"}, facts, {"seed": 1})
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert set(document) == {"schema", "arguments", "machine", "versions", "figures", "failures"}
    assert document["figures"]["a.x"]["value"] is None
    assert document["figures"]["a.x"]["verdict"] == "OVER"
    assert document["figures"]["a.y"] == {
        "label": "y",
        "value": 2.0,
        "unit": "ms",
        "bound": None,
        "verdict": None,
        "samples": 1,
        "note": "",
    }
    with pytest.raises(ValueError, match=r"a\.y"):
        make_document([*figures, figures[1]], {}, facts, {})


def test_memory_is_the_proportional_share() -> None:
    """Not the resident size, which counts shared pages in every process."""
    assert parse_pss(ROLLUP) == 9876 * 1024
    with pytest.raises(ValueError, match="Pss"):
        parse_pss("Rss: 20000 kB\nPss_Dirty: 1 kB\n")
    (own,) = pss([os.getpid(), 2**22 + 1]).values()
    assert 2**20 < own < total_memory(Path("/proc/meminfo").read_text())


def test_cpu_time_is_found_behind_any_name() -> None:
    """A process may be called what it likes."""
    tick = os.sysconf("SC_CLK_TCK")
    stat = f"7 (a) b (c) S 1 7 7 0 -1 4194304 9 0 0 0 {3 * tick} {tick} 99 99 20 0 1 0 5"
    assert parse_cpu(stat) == 4.0
    # Ticks of 10 ms, and this process goes on.
    before = usage([os.getpid()])[os.getpid()].cpu
    times = os.times()
    assert before <= times.user + times.system + 0.05


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("python3 /ws/install/lib/gensim2_kpam/kpam_planner --ros-args", "kpam_planner"),
        ("python3.11 -u -m gensim2_control.mock_robot_node --ros-args", "mock_robot_node"),
        ("/venv/bin/python /venv/bin/ros2 launch gensim2 x.launch.py", "ros2 launch"),
        ("/usr/lib/robot_state_publisher --ros-args", "robot_state_publisher"),
        ("", "ended"),
    ],
)
def test_processes_are_named_by_what_they_run(command: str, name: str) -> None:
    """All of them are Python: that name would tell nothing."""
    assert process_name(command.split(" ")) == name


def test_cpu_time_between_moments_is_summed_by_name() -> None:
    """Two processes of a name add up, and one that is new counts from its start."""
    before = Moment(0.0, {1: Usage("a", 5.0)})
    after = Moment(9.0, {1: Usage("a", 7.0), 2: Usage("a", 1.0), 3: Usage("b", 4.0)})
    assert after.cpu_since(before) == {"a": 3.0, "b": 4.0}


def test_the_process_that_died_first_tells_why_a_launch_failed() -> None:
    """Those that are ended because of it print more."""
    lines = [
        "[b-2] ready",
        "[a-1] ImportError: no engine",
        "[ERROR] [a-1]: process has died [pid 7, exit code 1]",
        *["[b-2] KeyboardInterrupt"] * 50,
        "[ERROR] [b-2]: process has died [pid 8, exit code -2]",
    ]
    assert telling(lines).splitlines() == lines[1:3]
    assert telling(lines[:1]) == lines[0]


def test_a_domain_is_chosen_that_nobody_uses() -> None:
    """The discovery port tells where a graph is."""
    table = UDP.format(7400 + 250 * 8)
    assert free_domain(table, 6) == 7
    assert free_domain(table, 7) == 9
    assert free_domain(table, 94) == 95 and free_domain(table, 95) == 1


def test_the_machine_is_described() -> None:
    """Also where the kernel does not tell."""
    assert cpu_model("processor\t: 0\nmodel name\t: Some   CPU @ 2 GHz\n") == "Some CPU @ 2 GHz"
    assert cpu_model("nothing") == "unknown"
    assert total_memory("MemFree: 1 kB\nMemTotal:  2048 kB\n") == 2**21
    machine = read_machine()
    assert machine["cores"] >= 1 and machine["ram_gib"] > 0.1 and machine["kernel"]


@pytest.mark.parametrize("q1", [0.0, 2.4, -2.4, 1.1])
@pytest.mark.parametrize("longest", [np.inf, 1.9])
def test_the_arm_is_stopped_at_full_measure(q1: float, longest: float) -> None:
    """The motion has the speed it claims for long enough, within the limits of the arm."""
    q = np.array(HOME_Q)
    q[0] = q1
    trajectory = sweep(q, longest)
    assert trajectory.dq is not None
    assert np.allclose(trajectory.q[0], q) and JointLimits.fr3().contains(trajectory.q)
    # Between the inner points joint 1 moves with just the speed that they tell.
    way, time = np.ptp(trajectory.q[1:-1, 0]), np.ptp(trajectory.t[1:-1])
    way *= np.sign(trajectory.q[-1, 0] - q1)
    assert abs(way / time) == pytest.approx(SPEED) == pytest.approx(abs(trajectory.dq[1, 0]))
    assert np.sign(way) == np.sign(trajectory.dq[1, 0]) and time > 1.0
    assert trajectory.t[-1] <= longest + 1e-9
    trajectory.validate(JointLimits.fr3())
    assert np.abs(np.diff(trajectory.q, axis=0)).max() <= ArmConfig().stream_max_step


def command() -> ModuleType:
    """The command, which is no module of a package."""
    spec = importlib.util.spec_from_file_location("bench_command", BENCH / "__main__.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("value", "arguments", "code"),
    [(0.2, [], 0), (0.4, [], 1), (0.4, ["--no-check"], 0), (None, ["--no-check"], 1)],
    ids=["ok", "over", "over, not checked", "not measured"],
)
def test_the_exit_code_tells_whether_the_bounds_are_kept(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    value: float | None,
    arguments: list[str],
    code: int,
) -> None:
    """What could not be measured is an error in any case, and the rest is still told."""

    def measure() -> list[Figure]:
        if value is None:
            raise BenchError("no robot")
        return [Figure("safety.x", "stop", value, "s", 0.3)]

    def given(_: object) -> dict[str, Callable[[], list[Figure]]]:
        return {"safety": measure, "disk": lambda: [Figure("disk.x", "size", 1.0, "B")]}

    module = command()
    monkeypatch.setattr(module, "measurements", given)
    file = tmp_path / "figures.json"
    words = ["--only", "safety,disk", "--json", str(file), *arguments]
    result = CliRunner().invoke(module.make_app(), words)
    assert result.exit_code == code, result.output
    document = json.loads(file.read_text())
    assert "disk.x" in document["figures"]
    assert document["failures"] == ({"safety": "no robot"} if value is None else {})
    assert ("no robot" if value is None else "1 of 1" if value < 0.3 else "OVER") in result.output


def test_unknown_groups_are_refused() -> None:
    """A misspelt group is no reason to measure nothing and say that all is well."""
    result = CliRunner().invoke(command().make_app(), ["--only", "disk,speeed"])
    assert result.exit_code == 2
    assert "speeed" in result.output


def test_it_measures(tmp_path: Path) -> None:
    """Episodes and processes that talk to each other: everything comes, whatever the speed."""
    file = tmp_path / "figures.json"
    words = [sys.executable, str(BENCH), "--only", "transport", "--quick", "--json", str(file)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=GUARD)
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads(file.read_text())
    figures = document["figures"]
    assert document["failures"] == {} and document["arguments"]["quick"] is True
    assert {"git", "python", "rclpy", "sapien", "drake", "numpy"} <= set(document["versions"])
    for name in ("cloud", "state"):
        assert 0 < figures[f"transport.{name}.received"]["value"] <= 100
        assert figures[f"transport.{name}.latency.median"]["value"] > 0
        assert figures[f"transport.{name}.received"]["samples"] > 30
    assert figures["transport.sender.cpu"]["value"] > 0


def test_a_launch_is_measured_from_its_start_to_its_end(tmp_path: Path) -> None:
    """Start, episode, memory and disk come from one launch of the main job, and nothing is left."""
    said: list[str] = []
    settings = Settings(0, True, None, tmp_path, said.append)
    collections = Collections(settings)
    made = collections.get("state")
    assert 0 < made.first_process < made.first_state <= made.first_motion
    nodes = {"sim_bridge", "kpam_planner", "kpam_expert", "episode_manager"}
    assert nodes <= set(made.start_cpu) and all(made.start_cpu[name] > 0 for name in nodes)
    assert len(made.walls) == len(made.cpus) == 1 and made.walls[0] > 0
    assert all(made.cpus[0][name] > 0 for name in nodes) and made.ctrl_c > 0
    assert nodes <= set(made.memory.processes)
    assert made.memory.total == sum(made.memory.processes.values()) > 100 * 2**20
    assert len(made.episodes) >= 2 and all(e.frames > 20 and e.size > 1000 for e in made.episodes)
    assert collections.get("state") is made, "it was measured twice"
    assert "obs:=state, episode 2 of 2 is over" in said[-1]
