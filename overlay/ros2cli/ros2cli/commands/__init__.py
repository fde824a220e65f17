"""The commands that this package contributes to `ros2`."""
