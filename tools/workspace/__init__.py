"""Prepares the workspace and runs a command in it. Only the standard library is used.

Read `cli.py` first: `prepare` is the list of steps, each of which is one module here.
"""
