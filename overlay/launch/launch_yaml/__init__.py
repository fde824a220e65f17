"""The name under which launch files look for launch files in YAML; see its one module."""
