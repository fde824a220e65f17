"""What launch files share: arguments, includes, and what the end of a node means."""
