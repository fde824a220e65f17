"""Point-cloud fusion of several depth cameras."""
