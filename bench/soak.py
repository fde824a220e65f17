"""Keeps the Franka driver busy on fake hardware: `./ws --with real python bench/soak.py`.

Random valid goals, grips, cancels, stops and streams, over DDS and libfranka's protocol. Every
second memory, threads, files and rates are noted; README.md tells what must hold at the end.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from figures import OVER, BenchError, make_table
from gensim2_control.description import resolve_packages, robot_description
from gensim2_episodes.dataset_cli import make_console
from processes import pick_domain
from rich.console import Console
from rich.table import Table
from soak_client_node import NOMINAL, End, SoakClient
from soak_moves import ACCELERATION_SHARE, MARGIN, SPEED_SHARE, WORKSPACE, RandomMoves
from soak_picture import draw
from soak_record import Outcomes, Sample, figures_of, look, write_csv

JUDGED = ("fake_robot", "franka_driver")
# Share of the goals, their kinds, and how each must end.
KINDS = {
    "move": (0.55, "succeeded"),
    "grip": (0.2, "succeeded"),
    "stream": (0.12, "succeeded"),
    "cancel": (0.08, "canceled"),
    "stop": (0.05, "stopped"),
}
_PERIOD = 1.0
_GUARD = 30.0
_STREAMED = 0.4  # of a way, so that a stream is slow enough and short


class Soak:
    """One run: a robot, its driver, a client, and what was noted of them."""

    def __init__(self, client: SoakClient, pids: dict[str, int], seed: int) -> None:
        """Prepares a run.

        Args:
            client: Connected to the body.
            pids: Processes to look at, by name.
            seed: Of all goals.
        """
        self._client, self._pids = client, pids
        self._rng = np.random.default_rng(seed)
        self._moves = RandomMoves(self._rng, resolve_packages(robot_description()))
        self._began = time.monotonic()
        self.samples: list[Sample] = []
        self.outcomes = Outcomes()

    @property
    def t(self) -> float:
        """Time since the start, s."""
        return time.monotonic() - self._began

    def watch(self, ended: threading.Event) -> None:
        """Takes a sample every second until the event; meant for a thread."""
        while not ended.wait(max(len(self.samples) * _PERIOD - self.t, 0.0)):
            try:
                processes = {name: look(pid) for name, pid in self._pids.items()}
            except OSError as error:
                self.outcomes.failures.append(f"{self.t:.1f} s: a process has ended: {error}")
                return
            client = self._client
            load = os.getloadavg()[0]
            self.samples.append(
                Sample(self.t, processes, client.heard(), client.take_success(), load)
            )

    def attempt(self) -> None:
        """Sends one goal and waits for its end.

        Raises:
            BenchError: The body is not there any more, or cannot be recovered.
        """
        shares = [share for share, _ in KINDS.values()]
        kind = str(self._rng.choice(list(KINDS), p=shares))
        expected = (KINDS[kind][1],)
        try:
            end = self._perform(kind)
        except BenchError as error:
            self.outcomes.note(kind, "no answer", expected, str(error), self.t)
            self._client.recover()
            return
        self.outcomes.note(kind, end.word, expected, end.text, self.t)
        if end.word not in expected:
            self._client.recover()

    def _perform(self, kind: str) -> End:
        client = self._client
        if kind == "grip":
            return client.grip(self._moves.grip())
        streamed = kind == "stream"
        motion = self._moves.move(client.rest(), _STREAMED if streamed else 1.0, streamed=streamed)
        after = float(self._rng.uniform(0.1, 0.6)) * motion.duration
        if kind == "move":
            return client.move(motion)
        if kind == "stream":
            return client.lead(motion)
        return client.cancel(motion, after) if kind == "cancel" else client.stop(motion, after)


@contextmanager
def program(name: str, domain: int, folder: Path, *parameters: str) -> Iterator[int]:
    """Runs an executable of gensim2_franka; gives its process.

    Raises:
        BenchError: It is not there, or it does not end as it should.
    """
    try:
        path = Path(get_package_prefix("gensim2_franka"), "lib", "gensim2_franka", name)
    except PackageNotFoundError as error:
        raise BenchError("gensim2_franka is not built: ./ws --with real build") from error
    words = [word for given in parameters for word in ("-p", given)]
    log = folder / f"{name}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [str(path), "--ros-args", *words],
            env={**os.environ, "ROS_DOMAIN_ID": str(domain)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process.pid
    except BenchError as error:
        raise BenchError(f"{error}\n{name} said:\n{log.read_text()[-2000:]}") from error
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_GUARD)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.returncode != 0 or "Traceback" in log.read_text():
        raise BenchError(f"{name} ended with exit code {process.returncode}, see {log}")


def main(
    minutes: Annotated[float, typer.Option(min=0.05, help="How long.")] = 30.0,
    seed: Annotated[int, typer.Option(min=0, help="Of all goals.")] = 0,
    out: Annotated[
        Path, typer.Option(help="Folder for samples, picture and logs; made where it is not.")
    ] = Path("data/soak"),
    check: Annotated[
        bool, typer.Option(help="Exit code 1 where memory, rates or numbers are out of bounds.")
    ] = True,
) -> None:
    """Keeps driver and fake robot busy with random valid goals; tells what leaks or slows down."""
    console, progress = make_console(), Console(stderr=True, style="dim", highlight=False)
    out.mkdir(parents=True, exist_ok=True)
    try:
        soak = run(minutes, seed, out, progress)
    except BenchError as error:
        console.print(f"the soak has failed: {error}", style="red", markup=False)
        raise typer.Exit(1) from None
    write_csv(soak.samples, out / "samples.csv")
    draw(soak.samples, NOMINAL, out / "soak.png")
    figures = figures_of(soak.samples, soak.outcomes, NOMINAL, JUDGED)
    console.print(goals_table(soak.outcomes))
    console.print(make_table(f"{soak.samples[-1].t / 60.0:.1f} minutes", figures))
    for failure in soak.outcomes.failures:
        console.print(f"WRONG: {failure}", style="red", markup=False)
    over = [figure for figure in figures if figure.verdict == OVER]
    for figure in over:
        console.print(f"OVER: {figure.label}: {figure.value:.3g} {figure.unit}", style="red")
    console.print(f"samples, picture and logs are in {out}", markup=False)
    if soak.outcomes.failures or (over and check):
        raise typer.Exit(1)


def run(minutes: float, seed: int, folder: Path, progress: Console) -> Soak:
    """Starts everything, sends goals for some minutes, and ends everything.

    Raises:
        BenchError: Something did not start, ended by itself, or does not end.
    """
    domain, address = pick_domain(7), f"127.{2 + os.getpid() % 250}.251.1"
    # Longer than a moment in which an ordinary kernel has no time for one of the processes.
    robot = (f"robot_ip:={address}", "longest_silence:=0.5")
    driver = (
        f"robot_ip:={address}",
        *("allow_non_rt:=true", "connect_timeout:=60.0", "heartbeat_required:=true"),
        *(f"position_margin:={MARGIN}", f"velocity_scale:={SPEED_SHARE}"),
        f"acceleration_scale:={ACCELERATION_SHARE}",
        f"workspace_lower:={list(WORKSPACE.lower)}",
        f"workspace_upper:={list(WORKSPACE.upper)}",
        "controller_state_rate:=50.0",
    )
    with ExitStack() as stack:
        pids = {
            "fake_robot": stack.enter_context(program("fake_robot", domain, folder, *robot)),
            "franka_driver": stack.enter_context(program("franka_driver", domain, folder, *driver)),
            "client": os.getpid(),
        }
        client = SoakClient(domain)
        stack.callback(client.close)
        client.connect()
        progress.print(f"[soak] {minutes:g} minutes from here on", markup=False)
        soak, ended = Soak(client, pids, seed), threading.Event()
        watcher = threading.Thread(target=soak.watch, args=(ended,))
        watcher.start()
        try:
            told = 0
            while soak.t < 60.0 * minutes and watcher.is_alive():
                soak.attempt()
                if soak.t // 60 > told:
                    told = int(soak.t // 60)
                    progress.print(f"[soak] {report(soak, told)}", markup=False)
        except KeyboardInterrupt:
            progress.print("[soak] ended early", markup=False)
        except BenchError as error:
            soak.outcomes.failures.append(f"{soak.t:.1f} s: the end of the soak: {error}")
        finally:
            ended.set()
            watcher.join()
        if not soak.samples:
            raise BenchError("; ".join(soak.outcomes.failures) or "it ended at once")
    return soak


def report(soak: Soak, minute: int) -> str:
    """Gives one line of progress."""
    counts, newest = soak.outcomes.counts, soak.samples[-1]
    memory = ", ".join(f"{n} {newest.processes[n].rss / 2**20:.1f} MiB" for n in JUDGED)
    wrong = len(soak.outcomes.failures)
    return f"{minute} min: {sum(counts.values())} goals, {wrong} wrong, {memory}"


def goals_table(outcomes: Outcomes) -> Table:
    """Shows how many goals of each kind have ended how."""
    table = Table(title="goals", title_justify="left")
    for column in ("kind", "end", "number"):
        table.add_column(column, justify="right" if column == "number" else "left")
    for (kind, end), number in sorted(outcomes.counts.items()):
        table.add_row(kind, end, str(number))
    return table


if __name__ == "__main__":
    typer.run(main)
