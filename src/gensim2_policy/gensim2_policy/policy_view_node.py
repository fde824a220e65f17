"""What there is to see of a policy: `policy/path`."""

from __future__ import annotations

import numpy as np
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.ros.conversions import stamp_from_seconds
from geometry_msgs.msg import Point, PoseStamped, Quaternion
from nav_msgs.msg import Path
from numpy.typing import NDArray
from rclpy.node import Node
from scipy.spatial.transform import Rotation
from std_msgs.msg import Header


class PolicyView:
    """Shows the way of the TCP in every chunk, while somebody looks.

    Args:
        node: The node.
    """

    def __init__(self, node: Node) -> None:
        self._path = node.create_publisher(Path, "policy/path", 1)

    def show(self, kinematics: Fr3Kinematics, q: NDArray[np.float64], t: float) -> None:
        """Shows the way along configurations (N, 7), rad; ``t`` is the time of the first, s."""
        if self._path.get_subscription_count():
            self._path.publish(tcp_path(kinematics, q, t))


def tcp_path(kinematics: Fr3Kinematics, q: NDArray[np.float64], t: float) -> Path:
    """The way of the TCP along configurations (N, 7), rad, in base."""
    stamp = stamp_from_seconds(t)
    path = Path(header=Header(stamp=stamp, frame_id=kinematics.root))
    for T in kinematics.fk(q):
        pose = PoseStamped(header=path.header)
        pose.pose.position = Point(x=T[0, 3], y=T[1, 3], z=T[2, 3])
        x, y, z, w = Rotation.from_matrix(T[:3, :3]).as_quat()
        pose.pose.orientation = Quaternion(x=x, y=y, z=z, w=w)
        path.poses.append(pose)
    return path
