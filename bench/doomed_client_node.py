"""A process that sends one goal with a heartbeat and waits to be killed or stopped.

python doomed_client_node.py ACTION GOAL    (the goal serialized, in hexadecimal digits)
"""

from __future__ import annotations

import sys

import rclpy
from control_msgs.action import FollowJointTrajectory
from gensim2_control.ros.heartbeat import ClientHeartbeat
from rclpy.action import ActionClient
from rclpy.serialization import deserialize_message, serialize_message
from trajectory_msgs.msg import JointTrajectory


def encode(trajectory: JointTrajectory) -> str:
    """Makes the second argument of the command."""
    return serialize_message(FollowJointTrajectory.Goal(trajectory=trajectory)).hex()


def main(action: str, goal: str) -> None:
    """Sends the goal and goes on until the process ends."""
    rclpy.init()
    node = rclpy.create_node("bench_doomed")
    heartbeat = ClientHeartbeat(node)
    client = ActionClient(node, FollowJointTrajectory, action)
    client.wait_for_server()
    client.send_goal_async(deserialize_message(bytes.fromhex(goal), FollowJointTrajectory.Goal))
    rclpy.spin(node)
    heartbeat.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
