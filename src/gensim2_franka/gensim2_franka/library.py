"""The wheel of libfranka, imported so that it leaves the process as it was."""

from __future__ import annotations

import signal

# Its network library blocks SIGPIPE in the thread that imports it, for good, and in every program
# that this thread starts. Python ignores that signal anyway.
_blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
try:
    import franky
finally:
    signal.pthread_sigmask(signal.SIG_SETMASK, _blocked)

__all__ = ["franky"]
