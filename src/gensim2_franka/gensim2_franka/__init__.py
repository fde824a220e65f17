"""The Franka Research 3 behind `RobotHardware`, over libfranka."""
