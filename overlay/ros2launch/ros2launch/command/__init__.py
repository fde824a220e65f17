"""The commands that this package adds to `ros2`."""
