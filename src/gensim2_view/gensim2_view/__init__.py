"""The graph in a browser: what it does, what it sees, and buttons."""
