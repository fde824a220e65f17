"""Pieces of launch descriptions; they know `launch` and `launch_ros`, and nothing else of ROS."""
