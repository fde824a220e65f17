"""Manager and collect client as processes, with a scripted cell in place of the simulation."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from gensim2_control.hardware import Fault
from gensim2_episodes.attempts import ResultCode
from gensim2_episodes.check import check_episode
from gensim2_episodes.store import EpisodeStore

pytest.importorskip("rclpy", reason="needs ROS 2")
pytest.importorskip("gensim2_msgs.action", reason="needs the built workspace")
pytest.importorskip("control_msgs.msg", reason="needs the built workspace")

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile
from visualization_msgs.msg import Marker, MarkerArray

from gensim2_msgs.action import CollectEpisodes
from gensim2_msgs.msg import EpisodeSummary

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[2]
PROGRAM = "import sys; from gensim2_episodes.programs import {0}; sys.exit({0}())"
GUARD = 120  # s; only ends a test that hangs


class Process:
    """A process whose output is followed line by line."""

    def __init__(self, *command: str, parameters: dict[str, object], domain: int) -> None:
        arguments = [text for item in parameters.items() for text in ("-p", "{}:={}".format(*item))]
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-u", *command, "--ros-args", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(sys.path),
                "ROS_DOMAIN_ID": str(domain),
                "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
                "FASTRTPS_DEFAULT_PROFILES_FILE": str(
                    REPOSITORY / "launch" / "config" / "fastdds_profile.xml"
                ),
            },
        )

        self._guard = threading.Timer(GUARD, self._process.kill)
        self._guard.daemon = True
        self._guard.start()

    def until(self, text: str) -> str:
        """Reads until a line contains a text."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line.rstrip())
            if text in line:
                return line
        raise AssertionError(f"{text!r} never came:\n" + "\n".join(self.lines))

    def freeze(self) -> None:
        """Stops the process where it is: alive, in sight, and silent."""
        self._process.send_signal(signal.SIGSTOP)

    def end(self, number: int | None = None) -> int:
        """Waits for the end, after a signal if one is given; returns the exit code."""
        if number is not None:
            self._process.send_signal(number)
        rest, _ = self._process.communicate(timeout=GUARD)
        self.lines += rest.splitlines()
        assert not any("Traceback" in line for line in self.lines), "\n".join(self.lines)
        return self._process.returncode

    def kill(self) -> None:
        self._guard.cancel()
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


class Bench:
    """Starts the processes of a test on a domain of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.domain = 1 + (os.getpid() + 72) % 95
        self.processes: list[Process] = []

    def _start(self, *command: str, **parameters: object) -> Process:
        process = Process(*command, parameters=parameters, domain=self.domain)
        self.processes.append(process)
        return process

    def cell(self, **fates: object) -> Process:
        return self._start(str(HERE / "stub_cell.py"), **fates)

    def manager(self, **parameters: object) -> Process:
        settings = {"use_sim_time": True, "message_timeout": 5.0} | parameters
        return self._start("-c", PROGRAM.format("episode_manager"), **settings)

    def collect(self, **parameters: object) -> Process:
        settings = {
            "dataset": self.folder / "data",
            "controller": "stub_expert",
            "task": "OpenBox",
            "seed": 1,
        }
        return self._start("-c", PROGRAM.format("collect"), **(settings | parameters))

    @property
    def store(self) -> EpisodeStore:
        return EpisodeStore(self.folder / "data")

    def close(self) -> None:
        for process in self.processes:
            process.kill()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


def test_result_codes_are_those_of_the_message() -> None:
    result = CollectEpisodes.Result
    assert {code.name: int(code) for code in ResultCode} == {
        code.name: getattr(result, code.name) for code in ResultCode
    }


def test_collects_over_the_graph(bench: Bench) -> None:
    cell = bench.cell(failing="[2]", unplanned="[3]", blind="[4]", abrupt="[6]")
    manager = bench.manager(message_timeout=2.0)
    collect = bench.collect(task="OpenBox,CloseBox", episodes=2, keep_failures=True)
    assert collect.end() == 1
    text = "\n".join(collect.lines)
    assert "OpenBox 1/2  success" in text and "success rate 1/1 (100 %)" in text
    assert "OpenBox 2/2  not_achieved" in text and "openness_above(box, 0.8) is 0.4" in text
    assert "OpenBox 2/2  plan_failed" in text and "no way there" in text
    # Seed 4 has no clouds at all, which is a defect of the graph and not of an attempt.
    assert "GRAPH_ERROR: no complete observation" in text and "lacking: points" in text

    # Not even where time stops just when an observation would have been due.
    again = bench.collect(episodes=3, seed=5)
    assert again.end() == 0
    text = "\n".join(again.lines)
    assert "OpenBox 3/3  success" in text and "success rate 3/3 (100 %)" in text
    assert "│ OpenBox │      3/3 │        3 │        100 % │" in text

    infos = bench.store.episodes()
    outcomes = [(info.manifest.seed, str(info.manifest.outcome)) for info in infos]
    assert outcomes == [
        (1, "success"),
        (2, "not_achieved"),
        (3, "plan_failed"),
        (5, "success"),
        (6, "success"),
        (7, "success"),
    ]
    assert [check_episode(bench.store, info) for info in infos] == [[]] * 6
    reader = bench.store.open_episode(infos[0].episode_id)
    manifest = reader.manifest
    assert manifest.frames == 13 and manifest.recording.lost == 0
    xyz, rgb = reader.cloud()
    assert np.allclose(xyz[:, :, 0], reader.stamp_ns[:, None] * 1e-9, rtol=1e-6)
    assert (rgb == [1, 2, 3]).all()
    assert reader.openness is not None and reader.openness[0] == 0.4 and reader.openness[-1] == 0.95
    assert manifest.approach_disturbance == 0.0
    assert manifest.timings.actuation == pytest.approx(0.5)
    assert manifest.task_spec["name"] == "OpenBox" and manifest.solver_report["report"]
    assert manifest.scene.parameters == {"drawn": {"openness": 0.4}}
    wrist = manifest.cameras["wrist_camera"]
    assert wrist.parent == "fr3_hand" and wrist.T_parent_cam is not None
    assert wrist.T_parent_cam[3] == 0.5 and wrist.width == 4
    assert manifest.cameras["left_camera"].parent == "base"

    assert manager.end(signal.SIGINT) == 0
    assert cell.end(signal.SIGINT) == 0
    assert not [line for line in cell.lines if "no ack" in line]


def test_a_lost_answer_is_asked_for_again(bench: Bench) -> None:
    """A simulation that has not discovered the manager yet answers to nobody."""
    bench.cell(unheard=2)
    bench.manager(reset_patience=0.5)
    collect = bench.collect(episodes=1)
    assert collect.end() == 0
    assert [info.manifest.success for info in bench.store.episodes()] == [True]


def test_interrupt_and_crash_lose_the_running_episode_only(bench: Bench) -> None:
    cell = bench.cell(hanging="[2]")
    manager = bench.manager()
    collect = bench.collect(episodes=3)
    cell.until("hanging")
    assert len(bench.store.scan().partial) == 1
    assert collect.end(signal.SIGINT) == 130
    assert "the running episode was discarded" in "\n".join(collect.lines)
    scan = bench.store.scan()
    assert [info.manifest.seed for info in scan.episodes] == [1] and scan.partial == ()

    # The manager goes on; Ctrl-C on it ends the next collection in the same way.
    collect = bench.collect(episodes=1, seed=2)
    cell.until("hanging")
    assert manager.end(signal.SIGINT) == 0
    assert collect.end() == 1
    assert "CANCELED: episode_manager was shut down" in "\n".join(collect.lines)
    assert bench.store.scan().partial == ()

    # Killed outright, it leaves a partial episode that is told apart and skipped.
    manager = bench.manager()
    collect = bench.collect(episodes=1, seed=2)
    cell.until("hanging")
    manager.kill()
    collect.kill()
    scan = bench.store.scan()
    assert len(scan.abandoned) == 1 and len(scan.episodes) == 1 and scan.broken == ()


def test_what_is_missing_is_named(bench: Bench) -> None:
    lonely = bench.collect(server_timeout=1.0)
    wrong = bench.collect(task="OpenBax")
    unknown = bench.collect(epsiodes=3)
    assert lonely.end() == 1 and "is episode_manager running?" in lonely.lines[-1]
    assert wrong.end() == 1 and "did you mean" in wrong.lines[-1]
    assert unknown.end() == 1 and "unknown parameter epsiodes" in unknown.lines[-1]

    manager = bench.manager(server_timeout=1.0)
    alone = bench.collect()
    assert alone.end() == 1
    assert "GRAPH_ERROR: nobody publishes joint_states" in alone.lines[-1]
    bench.cell().until("ready")
    nobody = bench.collect(controller="policy")
    assert nobody.end() == 1
    assert "no node offers the action policy/execute_task" in "\n".join(nobody.lines)
    full = bench.collect(dataset=__file__)
    assert full.end() == 1 and "DATASET_ERROR" in "\n".join(full.lines)
    file = bench.store.folder / "dataset.json"
    file.write_text(file.read_text().replace('"schema_version": 1', '"schema_version": 99'))
    later = bench.collect()
    assert later.end() == 1 and "version 99" in "\n".join(later.lines)
    file.write_text(file.read_text().replace('"schema_version": 99', '"schema_version": 1'))
    assert bench.store.scan().partial == ()
    assert manager.end(signal.SIGTERM) == 0


@pytest.mark.parametrize(
    ("fault", "allowed", "code"),
    [
        (Fault.HEARTBEAT_LOST, True, 0),
        (Fault.HEARTBEAT_LOST, False, 1),
        (Fault.STOP_REQUESTED, True, 1),
        (Fault.REFLEX, True, 1),
    ],
    ids=lambda value: str(value),
)
def test_only_a_lost_heartbeat_is_recovered_from_and_only_where_that_is_allowed(
    bench: Bench, fault: Fault, allowed: bool, code: int
) -> None:
    """A machine that is busy for a moment shall not end a night's work; a stop shall."""
    bench.cell(stopped_by=int(fault)).until("ready")
    manager = bench.manager(recover_lost_heartbeat=allowed, busy_timeout=3.0)
    collect = bench.collect(episodes=1)
    assert collect.end() == code, collect.lines
    assert manager.end(signal.SIGINT) == 0
    output = "\n".join(manager.lines)
    if code:
        assert "call robot/recover" in "\n".join(collect.lines)
        assert "called robot/recover" not in output
    else:
        assert output.count("called robot/recover: recovered") == 1, output


@pytest.mark.parametrize("victim", ["stub_cell", "episode_manager"])
def test_a_node_that_hangs_is_named_and_ends_the_collection(bench: Bench, victim: str) -> None:
    """A process that is stopped leaves nothing to see but its silence."""
    cell = bench.cell(hanging="[2]")
    manager = bench.manager(silence_timeout=3.0)
    collect = bench.collect(episodes=2, silence_timeout=6.0)
    cell.until("hanging")
    (cell if victim == "stub_cell" else manager).freeze()
    assert collect.end() == 1
    output = "\n".join(collect.lines)
    # The middleware drops a stopped process too; whoever notices first tells.
    said = f"of {victim} (" if victim == "episode_manager" else "stub_"
    assert said in output or f"{victim} has gone" in output, output
    (first,) = bench.store.scan().episodes
    assert first.manifest.success and bench.store.scan().broken == ()


def test_who_comes_late_sees_the_episodes(bench: Bench) -> None:
    """A view may be opened after the work is done."""
    bench.cell(failing="[2]")
    bench.manager()
    assert bench.collect(episodes=2).end() == 0
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=bench.domain)
    node = rclpy.create_node("late", context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    episodes: list[EpisodeSummary] = []
    markers: list[MarkerArray] = []
    latched = QoSProfile(depth=200, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    try:
        node.create_subscription(
            EpisodeSummary, "episode_manager/episodes", episodes.append, latched
        )
        node.create_subscription(MarkerArray, "episode_manager/markers", markers.append, latched)
        ends = time.monotonic() + GUARD
        while (len(episodes) < 3 or not markers) and time.monotonic() < ends:
            executor.spin_once(timeout_sec=0.1)
    finally:
        executor.shutdown()
        node.destroy_node()
        rclpy.shutdown(context=context)
    assert [(e.seed, e.success) for e in episodes] == [(1, True), (2, False), (3, True)]
    assert any(m.text == "idle" for m in markers[-1].markers)
    assert markers[-1].markers[0].action == Marker.DELETEALL
