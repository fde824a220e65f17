"""Task catalogue, typed specifications, assets and success predicates. No ROS, no simulator."""
