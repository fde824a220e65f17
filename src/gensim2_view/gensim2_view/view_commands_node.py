"""What the buttons do: services, and the action of a controller. Nothing waits for an answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from gensim2_control.ros.safe_action_client import SafeActionClient
from rclpy.client import Client
from rclpy.node import Node
from rclpy.task import Future
from std_srvs.srv import Trigger

from gensim2_msgs.action import ExecuteTask
from gensim2_msgs.srv import ResetScene

from .notice import Notice

# s of wall time
SERVER_TIMEOUT = 3.0
STOP_REPEAT = 0.5  # An answer is lost where the server has not discovered this client yet.
STOP_TRIES = 4
ANSWER_TIMEOUT = 120.0
_COLLECTING = "a collection is running; end it first, or wait for its end"


class ViewCommands:
    """The commands of the page."""

    def __init__(self, node: Node, controller: str) -> None:
        self._node = node
        self._lock = threading.Lock()
        self._running: Any = None  # The run that counts; another one has been given up.
        self._goal: Any = None
        self._stops = 0
        self._doing = ""
        self.say: Callable[[Notice], None] = lambda _: None
        """Tells the user."""
        self.collecting: Callable[[], bool] = lambda: False
        """Whether episodes are being collected."""
        self._stop, self._recover, self._home = (
            node.create_client(Trigger, f"robot/{name}") for name in ("stop", "recover", "home")
        )
        self._reset = node.create_client(ResetScene, "scene/reset")
        self._action = f"{controller}/execute_task"
        self._controller = SafeActionClient(node, ExecuteTask, self._action)

    def activity(self) -> str:
        """What is going on; empty where nothing is."""
        with self._lock:
            return self._doing

    def stop(self) -> None:
        """Stop the robot, whatever else is going on."""
        with self._lock:
            self._stops += 1
            goal = self._goal
        answered = threading.Event()
        self._send_stop(answered, STOP_TRIES)
        if goal is not None:
            goal.cancel_goal_async()

    def recover(self) -> None:
        """Clear a stop or fault."""
        self._call(self._recover, Trigger.Request(), "Recover", _trigger_answer)

    def home(self) -> None:
        """Move the robot to its home configuration."""
        if self._refused("Home"):
            return
        self._call(self._home, Trigger.Request(), "Home", _trigger_answer)

    def reset(self, task: str, seed: int) -> None:
        """Build the scene of a task anew."""
        if self._refused("Reset"):
            return
        request = ResetScene.Request(task=task, seed=seed, randomize=True)
        self._call(self._reset, request, "Reset", _reset_answer)

    def run(self, task: str) -> None:
        """Let the controller perform a task."""
        if self._refused("Run"):
            return
        run = object()
        with self._lock:
            self._running, self._doing, stops = run, f"starting {task}", self._stops
        self.say(Notice("busy", "Run", f"{task} ..."))
        if not self._controller.wait_for_server(SERVER_TIMEOUT):
            self._end(run, Notice("error", "Run", f"no node offers {self._action}"))
        elif self._stopped_since(stops):
            self._end(run, Notice("error", "Run", "stopped before it began"))
        else:
            goal = ExecuteTask.Goal(task=task)
            self._controller.send_goal_async(
                goal, feedback_callback=lambda message: self._on_feedback(run, task, message)
            ).add_done_callback(lambda future: self._on_goal(run, stops, future))

    def _refused(self, title: str) -> bool:
        """Refuse what would disturb a collection or a run."""
        if self.collecting():
            self.say(Notice("error", title, _COLLECTING))
            return True
        with self._lock:
            # A controller that has died ends nothing any more.
            if self._goal is not None and not self._controller.server_is_ready():
                self._running, self._goal, self._doing = None, None, ""
            busy = self._running is not None
        if busy:
            self.say(Notice("error", title, "a task is running; wait for its end or press Stop"))
        return busy

    def _send_stop(self, answered: threading.Event, tries: int) -> None:
        if answered.is_set():
            return
        if tries == 0:
            text = "robot/stop does not answer: use the enabling device or the emergency stop"
            self.say(Notice("error", "Stop", text))
            return

        def done(future: Future) -> None:
            if not answered.is_set():
                answered.set()
                self._answer("Stop", _trigger_answer, future)

        # Sent whether or not a server is seen: it may see us before we see it.
        self._stop.call_async(Trigger.Request()).add_done_callback(done)
        _later(STOP_REPEAT, lambda: self._send_stop(answered, tries - 1))

    def _call(
        self, client: Client, request: Any, title: str, words: Callable[[Any], Notice]
    ) -> None:
        if not client.service_is_ready():
            self.say(Notice("error", title, f"no node offers {client.srv_name}"))
            return
        self.say(Notice("busy", title, "..."))
        future = client.call_async(request)
        future.add_done_callback(lambda done: self._answer(title, words, done))

        def late() -> None:
            if not future.done():
                text = f"{client.srv_name} has not answered for {ANSWER_TIMEOUT:.0f} s"
                self.say(Notice("error", title, text))

        _later(ANSWER_TIMEOUT, late)

    def _answer(self, title: str, words: Callable[[Any], Notice], future: Future) -> None:
        if future.exception() is not None:
            self.say(Notice("error", title, str(future.exception())))
            return
        answer = words(future.result())
        self.say(Notice(answer.kind, title, answer.text))

    def _on_feedback(self, run: object, task: str, message: Any) -> None:
        feedback = message.feedback
        with self._lock:
            if self._running is run:
                self._doing = f"{task}: {feedback.stage}, {100 * feedback.progress:.0f} %"

    def _on_goal(self, run: object, stops: int, future: Future) -> None:
        goal = future.result()
        if not goal.accepted:
            self._end(run, Notice("error", "Run", f"{self._action} is busy and takes no goal"))
            return
        with self._lock:
            if self._running is run:
                self._goal = goal
        if self._stopped_since(stops):
            goal.cancel_goal_async()
        goal.get_result_async().add_done_callback(lambda done: self._on_result(run, done))

    def _on_result(self, run: object, future: Future) -> None:
        result = future.result().result
        if result.error_code == ExecuteTask.Result.NONE:
            text = f"done in {result.execution_time:.1f} s, planned in {result.plan_time:.2f} s"
            self._end(run, Notice("ok", "Run", text))
        else:
            text = result.error_msg or f"error {result.error_code}"
            self._end(run, Notice("error", "Run", text))

    def _end(self, run: object, notice: Notice) -> None:
        with self._lock:
            if self._running is not run:
                return
            self._running, self._goal, self._doing = None, None, ""
        self.say(notice)

    def _stopped_since(self, stops: int) -> bool:
        with self._lock:
            return self._stops != stops


def _later(delay: float, work: Callable[[], None]) -> None:
    timer = threading.Timer(delay, work)
    timer.daemon = True
    timer.start()


def _trigger_answer(answer: Trigger.Response) -> Notice:
    return Notice("ok" if answer.success else "error", "", answer.message or "done")


def _reset_answer(answer: ResetScene.Response) -> Notice:
    if not answer.success:
        return Notice("error", "", answer.error_msg or f"error {answer.error_code}")
    assets = ", ".join(state.asset for state in answer.state.objects)
    return Notice("ok", "", f"{answer.state.task}, seed {answer.state.seed}: {assets}")
