"""SAPIEN simulation of the FR3, its scene and its cameras behind the body contract."""
