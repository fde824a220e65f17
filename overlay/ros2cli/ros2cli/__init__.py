"""The `ros2` command: a small stand-in for the upstream command line tools."""
