"""Whatever fails in a collection ends it, in words, and nothing half is kept or left running."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

pytest.importorskip("gensim2_msgs.msg", reason="needs the workspace: run the tests with ./ws")

from collect_job import FAST, Job
from launch_process import LaunchProcess, free_port

DOMAINS = iter(1 + (os.getpid() + i) % 95 for i in (*range(64, 72), *range(73, 81)))
# Whoever dies is noticed by the launch, the same way for all; these leave the most behind.
DEAD = ("sim_bridge", "pointcloud_fusion", "episode_manager")
VICTIMS = ("kpam_planner", "sim_bridge", "pointcloud_fusion", "episode_manager", "kpam_expert")


def arguments(victim: str) -> tuple[str, ...]:
    """The cheapest collection with a node in it."""
    return ("task:=OpenBox", "obs:=pointcloud") if victim == "pointcloud_fusion" else FAST


def strike(launch: LaunchProcess, victim: str, number: signal.Signals) -> None:
    """Sends a signal to one node of a launch."""
    pid = launch.until(rf"\[{victim}-\d+\]: process started with pid \[(\d+)\]")[1]
    os.kill(int(pid), number)


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    """The launches of this file; whatever happens, they end."""
    job = Job(tmp_path_factory.mktemp("faults"), DOMAINS)
    yield job
    job.close()


@pytest.fixture(scope="module")
def frozen(job: Job) -> dict[str, LaunchProcess]:
    """One collection for every victim, which stands still since the second episode.

    All begin before the first is waited for: until silence is noticed there is nothing to do.
    """
    launches = {}
    for victim in VICTIMS:
        launches[victim] = job.begin_second_episode(f"{victim}_frozen", *arguments(victim))
        strike(launches[victim], victim, signal.SIGSTOP)
    return launches


@pytest.mark.parametrize("victim", VICTIMS)
def test_a_node_that_freezes_is_noticed_and_ends_the_job(
    job: Job, frozen: dict[str, LaunchProcess], victim: str
) -> None:
    """It has not ended, so only its silence tells; and it cannot be asked to end."""
    launch = frozen[victim]
    assert launch.end() != 0, launch.output
    told = [line for line in launch.lines if re.match(rf"\[(?!{victim})\w+-\d+\].*{victim}", line)]
    assert told, f"no other node has told of {victim}:\n{launch.output}"
    assert re.search(rf"process\[{victim}-\d+\] failed to terminate .* 'SIGKILL'", launch.output)
    assert "Traceback" not in launch.output, launch.output
    killed = victim == "episode_manager"
    assert job.episodes(f"{victim}_frozen", writer_killed=killed)


@pytest.fixture(scope="module")
def collecting(job: Job) -> Callable[[str], LaunchProcess]:
    """A collection for a victim, in its second episode; that of the next one starts meanwhile."""
    started: dict[str, LaunchProcess] = {}

    def of(victim: str) -> LaunchProcess:
        for name in DEAD[DEAD.index(victim) :][:2]:
            if name not in started:
                started[name] = job.start_collection(f"{name}_killed", *arguments(name))
        job.wait_for_second_episode(started[victim], f"{victim}_killed")
        return started[victim]

    return of


@pytest.mark.parametrize("victim", DEAD)
def test_a_node_that_dies_ends_the_job(
    job: Job, collecting: Callable[[str], LaunchProcess], victim: str
) -> None:
    """A job over night must not hang, nor keep what is cut off."""
    launch = collecting(victim)
    strike(launch, victim, signal.SIGKILL)
    assert launch.end() != 0, launch.output
    assert re.search(rf"{victim}-\d+ ended with exit code -9", launch.output), launch.output
    assert "Traceback" not in launch.output, launch.output
    killed = victim == "episode_manager"
    assert job.episodes(f"{victim}_killed", writer_killed=killed)


@pytest.mark.parametrize(
    ("words", "ready"),
    [
        (("robot_sim.launch.py", "obs:=state"), ("sim_bridge-1.*ready",)),
        (
            ("core.launch.py", "obs:=state"),
            ("kpam_planner-2.*ready", "kpam_expert-3.*ready", "episode_manager-4.*ready"),
        ),
        (("sim_collect.launch.py", *FAST, "episodes:=50"), ("1/50 +success",)),
        (("view.launch.py", "view:=web"), ("web_view-1.*open http",)),
    ],
    ids=["robot_sim", "core", "sim_collect", "view"],
)
def test_ctrl_c_ends_every_launch_file(
    tmp_path: Path, words: tuple[str, ...], ready: tuple[str, ...]
) -> None:
    """In an orderly way: nobody is killed, nothing stays, nothing but the end is told."""
    if words[0] == "sim_collect.launch.py":
        words = (*words, f"dataset:={tmp_path / 'data'}")
    if "view:=web" in words:
        words = (*words, f"view_port:={free_port()}")
    launch = LaunchProcess(tmp_path, next(DOMAINS), "gensim2", *words)
    try:
        for pattern in ready:
            launch.until(pattern)
        begin = time.monotonic()
        launch.interrupt()
        launch.end()
    finally:
        launch.kill()
    print(f"{words[0]} ended {time.monotonic() - begin:.1f} s after Ctrl-C")
    assert "Traceback" not in launch.output, launch.output
    assert "SIGKILL" not in launch.output, launch.output


def test_a_second_graph_on_the_same_domain_is_refused(job: Job) -> None:
    """Two bodies would answer to every command, and the recorder would hear both."""
    domain = next(DOMAINS)
    first = job.start("first", *FAST, "episodes:=50", domain=domain)
    first.until(r"1/50 +success")
    second = job.start("second", *FAST, "episodes:=1", domain=domain)
    assert second.end() != 0, second.output
    # Whoever meets the first graph first says so.
    refusal = rf"\[\w+-\d+\].*two (bodies|graphs) on one domain.*\b{domain}\b"
    assert re.search(refusal, second.output), second.output
    assert not re.search(r"\[sim_bridge-1\].*Traceback", second.output), second.output
    # Its collector may have made the folder; nothing was recorded. The first goes on.
    assert not (job.folder / "second").exists() or not job.episodes("second")
    first.until(r" 3/50 +success")
    first.interrupt()
    first.end()
    assert job.episodes("first")
