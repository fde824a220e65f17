"""The executables of this package."""

from __future__ import annotations

from gensim2_control.program import run_program


def web_view() -> int:
    """Run the node `web_view`; return its exit code."""
    # Callbacks only keep what they are given; more threads would only cost time. Many may look.
    return run_program("gensim2_view.web_view_node", "WebViewNode", threads=1, unique=False)
