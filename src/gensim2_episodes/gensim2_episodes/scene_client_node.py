"""The scene as the manager sees it: resets it, and remembers what `scene/state` said."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node

from gensim2_episodes.attempts import (
    GraphError,
    NoAnswerError,
    ResetReply,
    Stopped,
    TaskImpossibleError,
    UnknownTaskError,
)
from gensim2_episodes.episode_messages_node import scene_from_msg
from gensim2_episodes.manager_parameters_node import ManagerParameters
from gensim2_episodes.manifest import json_object
from gensim2_episodes.robot_recovery_node import RobotRecovery
from gensim2_episodes.scene import Scene
from gensim2_episodes.waiting import POLL, result_of, wait_until
from gensim2_msgs.srv import ResetScene

SERVICE = "scene/reset"
_RETRY = 0.5  # s
_REMINDER = 60.0  # s
_SCENES = 50_000
_VERDICT = (
    "was it a success? Say so by key (ros2 run gensim2_teleop keyboard) or by: ros2 service call "
    "/scene/success std_srvs/srv/SetBool '{data: true}'"
)
_GRACE = 1.0
"""For the state of the end of an execution to arrive [s of wall time]."""


class SceneClient:
    """Client of `scene/reset`, and memory of the present scene."""

    def __init__(self, node: Node, parameters: ManagerParameters) -> None:
        """Creates the client."""
        self._node = node
        self._parameters = parameters
        self._client = node.create_client(
            ResetScene, SERVICE, callback_group=ReentrantCallbackGroup()
        )
        self._recovery = RobotRecovery(node, parameters.recover_lost_heartbeat)
        # Between two resets; where time never stands still the oldest are forgotten.
        self._scenes: deque[Scene] = deque(maxlen=_SCENES)
        self._heard = threading.Condition()

    def reset(
        self, task: str, asset: str, seed: int, randomize: bool, stopped: Stopped
    ) -> ResetReply:
        """See `attempts.Graph`."""
        request = ResetScene.Request(task=task, asset=asset, seed=seed, randomize=randomize)
        reply = self._call(request, stopped)
        codes = ResetScene.Response
        if reply.error_code == codes.UNKNOWN_TASK:
            raise UnknownTaskError(f"{SERVICE}: {reply.error_msg}")
        if reply.error_code == codes.UNKNOWN_ASSET or (
            asset and reply.error_code == codes.BAD_ASSET
        ):
            raise TaskImpossibleError(reply.error_msg)
        parameters = json_object(reply.parameters_json)
        if not reply.success:
            text = reply.error_msg or f"{SERVICE} failed with code {reply.error_code}"
            return ResetReply(None, parameters, text)
        scene = scene_from_msg(reply.state)
        with self._heard:
            of_this = [s for s in self._scenes if s.reset_count == scene.reset_count]
            self._scenes = deque([*of_this, scene], maxlen=_SCENES)
        return ResetReply(scene, parameters)

    def _call(self, request: ResetScene.Request, stopped: Stopped) -> ResetScene.Response:
        wait_until(
            self._client.service_is_ready,
            stopped,
            self._parameters.server_timeout,
            lambda: f"no node offers the service {SERVICE}: is sim_bridge running?",
        )
        codes = ResetScene.Response
        give_up = time.monotonic() + self._parameters.busy_timeout
        asked = None
        while True:
            reply = self._answer(request, stopped)
            if reply.error_code == codes.NOT_ARRANGED:
                # Whoever arranges it takes the time that it takes.
                asked = self._ask(asked, reply.error_msg)
                self._pause(stopped)
                continue
            if reply.error_code != codes.ROBOT_BUSY:
                return reply
            if time.monotonic() > give_up:
                raise GraphError(
                    f"{SERVICE} refuses, the robot is busy: {reply.error_msg}. End what moves it; "
                    "after a stop or a fault call robot/recover"
                )
            self._recovery.release(stopped)
            self._pause(stopped)

    def _pause(self, stopped: Stopped) -> None:
        if error := stopped():
            raise error
        threading.Event().wait(_RETRY)

    def _ask(self, asked: float | None, text: str) -> float:
        """Tells the operator what is waited for, now and then; returns when that was."""
        now = time.monotonic()
        if asked is not None and now < asked + _REMINDER:
            return asked
        self._node.get_logger().warning(text)
        return now

    def _answer(self, request: ResetScene.Request, stopped: Stopped) -> ResetScene.Response:
        # A server that has not discovered this client yet drops its answer, so the request is
        # repeated, ever more patiently: a slow reset must come to its end. Only the answer to
        # the newest request tells of the scene that stays.
        text = f"the service {SERVICE} does not answer"
        left, patience = self._parameters.reset_timeout, self._parameters.reset_patience
        while left > 0.0:
            future = self._client.call_async(request)
            with contextlib.suppress(NoAnswerError):
                reply: ResetScene.Response = result_of(future, stopped, min(left, patience), text)
                return reply
            left -= patience
            patience *= 2.0
        raise GraphError(f"{text} within {self._parameters.reset_timeout:.0f} s")

    def on_scene(self, scene: Scene) -> None:
        """Takes a state of the scene."""
        with self._heard:
            self._scenes.append(scene)
            self._heard.notify_all()

    def scene_at(self, reset_count: int, stamp_ns: int, stopped: Stopped) -> Scene:
        """See `attempts.Graph`."""
        # The state of the end itself may still be on its way: with the one before it the episode
        # would be shorter by a frame. Where time stands still after the last goal and nothing is
        # sent, the newest state is that of the last observation: up to a period before the end.
        oldest = stamp_ns - round(1e9 / self._parameters.observation_rate)
        started = time.monotonic()
        deadline = started + self._parameters.message_timeout
        with self._heard:
            while (scene := self._newest(reset_count)) is None or scene.stamp_ns < (
                stamp_ns if time.monotonic() < started + _GRACE else oldest
            ):
                if error := stopped():
                    raise error
                if time.monotonic() > deadline:
                    last = f"{scene.stamp_ns / 1e9:.2f} s" if scene else "never"
                    raise GraphError(
                        f"the outcome cannot be judged: scene/state last spoke of {last}, the "
                        f"controller ended at {stamp_ns / 1e9:.2f} s"
                    )
                self._heard.wait(POLL)
            return scene

    def verdict(self, scene: Scene, stopped: Stopped) -> Scene:
        """See `attempts.Graph`."""
        asked = None
        while True:
            newest = self._newest(scene.reset_count)
            if newest is not None and not newest.undecided:
                return newest
            if error := stopped():
                raise error
            asked = self._ask(asked, _VERDICT)
            with self._heard:
                self._heard.wait(POLL)

    @property
    def newest(self) -> Scene | None:
        """The newest state of the present scene."""
        with self._heard:
            return self._scenes[-1] if self._scenes else None

    def _newest(self, reset_count: int) -> Scene | None:
        return max(self.history(reset_count), key=lambda scene: scene.stamp_ns, default=None)

    def history(self, reset_count: int) -> list[Scene]:
        """See `attempts.Graph`."""
        with self._heard:
            return [scene for scene in self._scenes if scene.reset_count == reset_count]
