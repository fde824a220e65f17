"""Joint states and a URDF to transforms: a Python stand-in for the upstream node."""
