"""kPAM planner and expert: keypoint constraints to collision-free timed trajectories."""
