"""The name under which launch files look for launch files in XML; see its one module."""
