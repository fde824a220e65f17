"""Sensor messages to and from numpy: a small stand-in for the upstream package."""
