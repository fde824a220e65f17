"""Robot hardware protocol, trajectory and gripper controllers, limits and the body interface."""
