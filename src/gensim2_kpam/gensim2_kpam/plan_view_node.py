"""Shows the newest plan: topics `markers`, `path`, `key_poses` and `trajectory`, all latched."""

from __future__ import annotations

from collections.abc import Iterable

from builtin_interfaces.msg import Time
from gensim2_control.ros.conversions import matrix_to_pose, stamp_from_seconds
from gensim2_control.ros.markers import LATCHED, marker_array
from geometry_msgs.msg import PoseArray, PoseStamped
from nav_msgs.msg import Path
from rclpy.node import Node
from trajectory_msgs.msg import JointTrajectory
from visualization_msgs.msg import MarkerArray

from .arm_model import ArmModel, Array
from .kpam_messages_node import BASE, motion_message
from .plan import Plan, SceneObject
from .plan_motion import JointMotion
from .plan_picture import WayPoint, failure_marks, plan_marks, way
from .solver_config import SolverConfig


class PlanView:
    """Publishers of what there is to see of a plan."""

    def __init__(self, node: Node, arm: ArmModel) -> None:
        """Publishes an empty picture, so that a view knows of the topics.

        Args:
            node: The node.
            arm: Kinematics; used by the thread that plans.
        """
        self._arm = arm
        self._markers = node.create_publisher(MarkerArray, "kpam_planner/markers", LATCHED)
        self._path = node.create_publisher(Path, "kpam_planner/path", LATCHED)
        self._key_poses = node.create_publisher(PoseArray, "kpam_planner/key_poses", LATCHED)
        self._motion = node.create_publisher(JointTrajectory, "kpam_planner/trajectory", LATCHED)
        self._publish(marker_array(()), Time())

    def show_plan(
        self,
        title: str,
        plan: Plan,
        motion: JointMotion,
        scene: SceneObject,
        solver: SolverConfig | None,
        stamp: Time,
    ) -> None:
        """Replaces the picture by that of a plan.

        Args:
            title: The task.
            plan: What was planned.
            motion: The same as a motion of all joints.
            scene: What it was planned on.
            solver: Whose plan it is; None = that of a skill.
            stamp: Of the scene.
        """
        points = way(plan, self._arm)
        drawn = plan_marks(title, solver, scene, plan, points, self._arm.T_hand_tcp)
        self._publish(marker_array(drawn), stamp, plan.key_poses, points, motion)

    def show_failure(self, title: str, reason: str, scene: SceneObject | None, stamp: Time) -> None:
        """Replaces the picture by the scene, if it is known, and why there is no plan."""
        self._publish(marker_array(failure_marks(title, reason, scene)), stamp)

    def _publish(
        self,
        markers: MarkerArray,
        stamp: Time,
        key_poses: Iterable[Array] = (),
        points: Iterable[WayPoint] = (),
        motion: JointMotion | None = None,
    ) -> None:
        poses, path = PoseArray(), Path()
        for message in (poses, path):
            message.header.frame_id, message.header.stamp = BASE, stamp
        poses.poses = [matrix_to_pose(T) for T in key_poses]
        path.poses = [_stamped(p.t, p.T_base_tcp) for p in points]
        self._markers.publish(markers)
        self._path.publish(path)
        self._key_poses.publish(poses)
        self._motion.publish(motion_message(motion, stamp))


def _stamped(t: float, T_base_tcp: Array) -> PoseStamped:
    """A pose of the way; its stamp counts from the start of the plan."""
    message = PoseStamped(pose=matrix_to_pose(T_base_tcp))
    message.header.frame_id = BASE
    message.header.stamp = stamp_from_seconds(t)
    return message
