"""What nodes share: running, parameters, conversions and the ROS side of the body contract."""
