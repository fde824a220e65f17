"""What the expert has heard of scene and robot, and how long ago."""

from __future__ import annotations

import threading
import time
from collections import deque

from gensim2_control.ros.conversions import seconds
from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import JointState

from gensim2_msgs.msg import RobotStatus, SceneState

SCENE, JOINTS, STATUS = "scene/state", "joint_states", "robot_status"
ENOUGH = 4  # joint states, the newest of which is of later than a result that came before them
ROUNDING = 1e-6  # s, of stamps that are added up
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class GraphNews:
    """The newest scene, joint state and status of the robot.

    Args:
        node: The node; its clock is ROS time.
        group: Of the subscriptions.
        changed: Guards the news and is notified of each.
    """

    def __init__(self, node: Node, group: CallbackGroup, changed: threading.Condition) -> None:
        self.scene: SceneState | None = None
        self.joints: JointState | None = None
        self._moving = False
        self._clock = node.get_clock()
        self._changed = changed
        self._scene_heard = False  # since the task began
        self._since = 0.0  # ROS time of the scene that the task is for, s
        self._came: dict[str, float] = {}  # wall time, s
        self._began = time.monotonic()
        self._look_from, self._look_stamps = 0.0, deque[float](maxlen=2)
        self._joint_stamps = deque[float](maxlen=ENOUGH)
        node.create_subscription(SceneState, SCENE, self._on_scene, LATCHED, callback_group=group)
        node.create_subscription(JointState, JOINTS, self._on_joints, 1, callback_group=group)
        node.create_subscription(
            RobotStatus, STATUS, self._on_status, LATCHED, callback_group=group
        )

    def _on_scene(self, message: SceneState) -> None:
        with self._changed:
            self.scene, self._scene_heard = message, True
            self._came[SCENE] = time.monotonic()
            self._look_stamps.append(seconds(message.header.stamp))
            self._changed.notify_all()

    def _on_joints(self, message: JointState) -> None:
        with self._changed:
            self.joints = message
            self._came[JOINTS] = time.monotonic()
            self._joint_stamps.append(seconds(message.header.stamp))
            self._changed.notify_all()

    def _on_status(self, message: RobotStatus) -> None:
        with self._changed:
            was_moving, self._moving = self._moving, message.mode == RobotStatus.MOVING
            if was_moving and not self._moving:
                self.look()
            self._changed.notify_all()

    def look(self) -> None:
        """From here on ``looked`` waits for a scene that shows what has been done up to now."""
        with self._changed:
            self._look_from = self.now()
            self._look_stamps.clear()

    def looked(self) -> bool:
        """Whether the newest scene shows the robot at rest, after the call of ``look``.

        Two scenes of that moment or later tell so: the first may be one from within the end of the
        motion. Where time stands still both are of the same moment.
        """
        stamps = self._look_stamps
        rested = len(stamps) == 2 and not self._moving
        return rested and stamps[0] >= self._look_from - ROUNDING

    def listen(self) -> None:
        """From here on ``caught_up`` waits for joint states."""
        with self._changed:
            self._joint_stamps.clear()

    def caught_up(self) -> bool:
        """Whether the time is known to which a goal has led whose result has come already.

        Results overtake topics. Where time stands still, two joint states of one moment tell that
        nothing older is on its way; where it goes on, a few of them do.
        """
        stamps = self._joint_stamps
        still = len(stamps) > 1 and stamps[-1] - stamps[-2] < ROUNDING
        return still or len(stamps) == ENOUGH

    def begin(self, since: float) -> None:
        """From here on only a scene that comes later is known to be of the present.

        Args:
            since: The time of the scene that the task is for, s; what is older and still on its
                way is not of the present.
        """
        with self._changed:
            self._scene_heard, self._since = False, since

    def now(self) -> float:
        """ROS time, s: the newest that was heard, for the clock may be behind the other topics."""
        clock = float(self._clock.now().nanoseconds) * 1e-9
        heard = (m for m in (self.scene, self.joints) if m is not None)
        return max([clock, *(seconds(m.header.stamp) for m in heard)])

    def age(self, topic: str) -> float | None:
        """Time since the newest message of a topic came, s of wall time; None = never heard."""
        with self._changed:
            came = self._came.get(topic)
        return None if came is None else time.monotonic() - came

    @property
    def silence(self) -> float:
        """Time since the newest joint state came, or since the start, s of wall time."""
        age = self.age(JOINTS)
        return time.monotonic() - self._began if age is None else age

    def stale(self, task: str, oldest: float) -> str:
        """What keeps the newest scene and joint state from being planned on; empty = nothing.

        Args:
            task: What the scene must be of.
            oldest: Age they must not reach, s of ROS time.
        """
        if self.scene is None or self.scene.task != task:
            return f"no scene of task {task} on {SCENE}"
        if not self._scene_heard:
            return f"no news on {SCENE} since the task began"
        if self.joints is None:
            return f"no {JOINTS}"
        now = self.now()
        for topic, message in ((SCENE, self.scene), (JOINTS, self.joints)):
            stamp = seconds(message.header.stamp)
            if stamp < self._since - ROUNDING:
                return f"{topic} is {self._since - stamp:.3f} s older than the scene of the goal"
            age = now - stamp
            if age > oldest - ROUNDING:
                return f"{topic} is {age:.3f} s old; it must be newer than {oldest:g} s"
        return ""
