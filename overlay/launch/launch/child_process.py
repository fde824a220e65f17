"""One running program below the launch: started, listened to, signalled, waited for."""

from __future__ import annotations

import asyncio
import ctypes
import os
import pty
import signal
import sys
import termios
from collections.abc import Callable, Mapping, Sequence

OnOutput = Callable[[int, bytes], None]
"""Takes the stream (1 or 2) and data; called in the event loop."""

_STDOUT, _STDERR = 1, 2
_PR_SET_PDEATHSIG = 1
_SECONDS_FOR_LAST_OUTPUT = 1.0
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class ChildProcess:
    """A program that never outlives the process that started it (on Linux)."""

    def __init__(
        self,
        transport: asyncio.SubprocessTransport,
        protocol: _Protocol,
        ttys: list[_Tty],
        output: _Output,
    ) -> None:
        self._transport = transport
        self._protocol = protocol
        self._ttys = ttys
        self._output = output

    @classmethod
    async def start(
        cls,
        cmd: Sequence[str],
        *,
        cwd: str | None,
        env: Mapping[str, str],
        shell: bool,
        emulate_tty: bool,
    ) -> ChildProcess:
        """Start a program.

        Args:
            cmd: the arguments; with `shell` they are joined to one line for /bin/sh.
            cwd: working folder, None for ours.
            env: the whole environment.
            shell: whether a shell runs the line.
            emulate_tty: give the program a terminal to write to, so that it buffers by lines.

        Raises:
            OSError: the program or the folder does not exist or may not be used.
        """
        output = _Output()
        ttys = [_Tty(_STDOUT, output), _Tty(_STDERR, output)] if emulate_tty else []
        try:
            transport, protocol = await asyncio.get_running_loop().subprocess_exec(
                lambda: _Protocol(output),
                *(["/bin/sh", "-c", " ".join(cmd)] if shell else cmd),
                stdin=asyncio.subprocess.PIPE,
                stdout=ttys[0].slave if ttys else asyncio.subprocess.PIPE,
                stderr=ttys[1].slave if ttys else asyncio.subprocess.PIPE,
                cwd=cwd,
                env=dict(env),
                preexec_fn=_die_with_parent(os.getpid()),
            )
        except BaseException:
            for tty in ttys:
                tty.close()
            raise
        for tty in ttys:
            await tty.listen()
        return cls(transport, protocol, ttys, output)

    def listen(self, on_output: OnOutput) -> None:
        """Hand over the output so far, and all that follows as it comes."""
        self._output.connect(on_output)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._transport.get_pid()

    @property
    def is_running(self) -> bool:
        """Whether the program has not ended yet."""
        return not self._protocol.exited.done()

    def send_signal(self, number: signal.Signals) -> bool:
        """Send a signal; return False if the program has ended already."""
        if not self.is_running:
            return False
        try:
            self._transport.send_signal(number)
        except ProcessLookupError:
            return False
        return True

    def write(self, data: bytes) -> None:
        """Write to the standard input of the program."""
        stdin = self._transport.get_pipe_transport(0)
        if isinstance(stdin, asyncio.WriteTransport) and not stdin.is_closing():
            stdin.write(data)

    async def wait(self) -> int:
        """Wait for the end and the last output; return the exit code (negative: a signal).

        A grandchild may hold the streams open for ever, so the last output has a time limit. What
        comes later is still handed over.
        """
        await asyncio.shield(self._protocol.exited)
        await asyncio.wait(self._stream_ends(), timeout=_SECONDS_FOR_LAST_OUTPUT)
        if not self.has_open_streams:
            self.close()
        returncode = self._transport.get_returncode()
        assert returncode is not None
        return returncode

    @property
    def has_open_streams(self) -> bool:
        """Whether something still holds the output streams of the program."""
        return not all(end.done() for end in self._stream_ends())

    def _stream_ends(self) -> list[asyncio.Future[None]]:
        return [self._protocol.streams_closed, *(tty.closed for tty in self._ttys)]

    def close(self) -> None:
        """Kill the program if it runs, and listen no longer."""
        self._transport.close()
        for tty in self._ttys:
            tty.close()


class _Output:
    """Keeps what comes before anybody listens: a program can be faster than its starter."""

    def __init__(self) -> None:
        self._early: list[tuple[int, bytes]] = []
        self._on_output: OnOutput | None = None

    def connect(self, on_output: OnOutput) -> None:
        self._on_output = on_output
        for stream, data in self._early:
            on_output(stream, data)
        self._early.clear()

    def take(self, stream: int, data: bytes) -> None:
        if self._on_output is None:
            self._early.append((stream, data))
        else:
            self._on_output(stream, data)


class _Protocol(asyncio.SubprocessProtocol):
    def __init__(self, output: _Output) -> None:
        loop = asyncio.get_running_loop()
        self.exited: asyncio.Future[None] = loop.create_future()
        self.streams_closed: asyncio.Future[None] = loop.create_future()
        self._output = output

    def pipe_data_received(self, fd: int, data: bytes | str) -> None:
        assert isinstance(data, bytes)
        self._output.take(fd, data)

    def process_exited(self) -> None:
        self.exited.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self.streams_closed.set_result(None)


class _Tty(asyncio.Protocol):
    """A terminal for one output stream of a program."""

    def __init__(self, stream: int, output: _Output) -> None:
        self._stream = stream
        self._output = output
        self._master, self.slave = pty.openpty()
        self._transport: asyncio.ReadTransport | None = None
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # A terminal would turn each "\n" into "\r\n".
        attributes = termios.tcgetattr(self.slave)
        attributes[1] &= ~termios.OPOST
        termios.tcsetattr(self.slave, termios.TCSANOW, attributes)

    async def listen(self) -> None:
        os.close(self.slave)  # the program has its copy; ours would keep the stream open
        self.slave = -1
        pipe = os.fdopen(self._master, "rb", buffering=0)
        self._master = -1
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.connect_read_pipe(lambda: self, pipe)

    def data_received(self, data: bytes) -> None:
        self._output.take(self._stream, data)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)

    def close(self) -> None:
        for descriptor in (self._master, self.slave):
            if descriptor >= 0:
                os.close(descriptor)
        self._master = self.slave = -1
        if self._transport is not None:
            self._transport.close()


def _die_with_parent(parent: int) -> Callable[[], None] | None:
    """Return what makes the kernel kill a new child as soon as this process is gone.

    SIGKILL, because nobody is left to escalate when a child ignores a friendlier signal. As long
    as the launch lives it ends its children itself, in the orderly way.
    """
    if _LIBC is None:
        return None
    prctl = _LIBC.prctl

    def ask_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:  # gone before the request took effect
            os._exit(1)

    return ask_kernel
