"""The node `task_generator` as a process, with a language model that lets it wait."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "gensim2_control" / "test"))

pytest.importorskip("rclpy", reason="needs ROS 2: run the tests with ./ws")
pytest.importorskip("gensim2_msgs.action", reason="needs the built workspace")
pytest.importorskip("openai", reason="needs the wheels of requirements/generation.txt")

import rclpy
from action_msgs.msg import GoalStatus
from gensim2_control.ros.safe_action_client import SafeActionClient
from gensim2_control.ros.spin import spin
from gensim2_generation.run_folder import read_request
from gensim2_tasks.task_library import VARIABLE
from mock_process import LATCHED, graph_environment
from rclpy.action.client import ClientGoalHandle
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.task import Future
from scripted_server import KEY, Reply, ScriptedServer

from gensim2_msgs.action import GenerateTasks
from gensim2_msgs.msg import GenerationProgress
from gensim2_msgs.srv import GenerateTask

DOMAIN = 1 + (os.getpid() + 43) % 95
GUARD = 60.0  # s; only ends a test that hangs
PROGRAM = "import sys; from gensim2_generation.programs import task_generator as t; sys.exit(t())"
Code = GenerateTask.Response


class Silent:
    """A server that never answers; tells when it has been asked."""

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)
        self.server = ScriptedServer(self._script)

    def _script(self, stage: str, request: dict[str, Any]) -> Reply:
        self.asked.release()
        return Reply(broken="hang")


class Asker:
    """A client of everything that the node offers."""

    def __init__(self) -> None:
        self._context = Context()
        rclpy.init(context=self._context, domain_id=DOMAIN)
        self.node = rclpy.create_node("asker", context=self._context)
        self.call = self.node.create_client(GenerateTask, "generate_task")
        self.action = SafeActionClient(self.node, GenerateTasks, "generate_tasks")
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=spin, args=(self._executor,), daemon=True)
        self._thread.start()

    def result(self, future: Future) -> Any:
        done = threading.Event()
        future.add_done_callback(lambda _: done.set())
        assert done.wait(GUARD)
        return future.result()

    def ask(self, **request: Any) -> GenerateTask.Response:
        return self.result(self.call.call_async(GenerateTask.Request(**request)))

    def begin(self, **goal: Any) -> ClientGoalHandle:
        handle = self.result(self.action.send_goal_async(GenerateTasks.Goal(**goal)))
        assert handle.accepted
        return handle

    def heard_late(self) -> GenerationProgress:
        """What somebody hears who comes when it runs already."""
        found: list[GenerationProgress] = []
        heard = threading.Event()

        def hear(message: GenerationProgress) -> None:
            found.append(message)
            heard.set()

        self.node.create_subscription(GenerationProgress, "generation/progress", hear, LATCHED)
        assert heard.wait(GUARD)
        return found[0]

    def close(self) -> None:
        self._executor.shutdown(GUARD)
        self._thread.join(GUARD)
        rclpy.shutdown(context=self._context)


@pytest.fixture
def silent() -> Iterator[Silent]:
    silent = Silent()
    with silent.server:
        yield silent


@pytest.fixture
def asker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Asker]:
    for name, value in graph_environment(DOMAIN).items():
        monkeypatch.setenv(name, value)
    asker = Asker()
    yield asker
    asker.close()


@pytest.fixture
def process(silent: Silent, asker: Asker, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    environment = {
        **graph_environment(DOMAIN),
        VARIABLE: str(tmp_path / "library"),
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": silent.server.address,
    }
    words = ["--ros-args", "-p", f"runs:={tmp_path / 'runs'}", "-p", "model:=scripted"]
    with (tmp_path / "output").open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *words],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )
    assert asker.call.wait_for_service(GUARD)
    assert asker.action.wait_for_server(GUARD)
    yield process
    process.kill()
    process.wait(GUARD)


def test_one_caller_at_a_time_is_served_can_cancel_and_is_answered_at_ctrl_c(
    silent: Silent, asker: Asker, process: subprocess.Popen[str], tmp_path: Path
) -> None:
    wrong = asker.ask(mode="sideways")
    assert wrong.error_code == Code.BAD_REQUEST and "primitive" in wrong.error_msg
    assert not (tmp_path / "runs").exists()

    first = asker.begin(mode="primitive", target_object="drawer", seed=3)
    assert silent.asked.acquire(timeout=GUARD)
    progress = asker.heard_late()
    assert (progress.stage, progress.wanted) == ("propose", 1)
    assert asker.ask().error_code == Code.BUSY
    second = asker.result(asker.begin().get_result_async())
    assert second.status == GoalStatus.STATUS_ABORTED
    assert second.result.error_code == Code.BUSY and "another" in second.result.error_msg

    assert asker.result(first.cancel_goal_async()).goals_canceling
    ended = asker.result(first.get_result_async())
    assert ended.status == GoalStatus.STATUS_CANCELED
    assert ended.result.error_code == Code.CANCELED
    request = read_request(Path(ended.result.run))
    assert (request.backend, request.wanted.seed) == ("openai", 3)

    short = asker.ask(timeout=0.5)
    assert short.error_code == Code.TIMEOUT

    while silent.asked.acquire(blocking=False):
        pass  # of those that have ended
    last = asker.call.call_async(GenerateTask.Request())
    assert silent.asked.acquire(timeout=GUARD)
    process.send_signal(signal.SIGINT)
    assert asker.result(last).error_code == Code.CANCELED
    assert process.wait(GUARD) == 0
    output = (tmp_path / "output").read_text()
    assert "Traceback" not in output
    assert KEY not in output
    record = "".join(f.read_text() for f in (tmp_path / "runs").rglob("*.json*"))
    assert record and KEY not in record
