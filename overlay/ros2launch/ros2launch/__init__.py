"""The command `ros2 launch`.

A small stand-in for the ROS 2 package of the same name, for systems that have no ROS 2
installation.
"""
