"""What runs as a process of its own, to be killed, starved or accompanied by the tests.

Usage: policy_processes.py ROLE FOLDER [ARGUMENT...]
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from gensim2_policy.checkpoint import save_checkpoint
from gensim2_policy.demonstrations import Source
from gensim2_policy.training import Outcome, Progress, train
from policy_samples import checkpoint_parts, small_settings

EVENTS = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir")


def die_at_each_step(folder: Path) -> None:
    """Forks a writer per step number and kills it at that file-system call of its saving.

    The last one gets through.
    """
    parts = checkpoint_parts(step=2)
    step, killed = 0, True
    while killed:
        step += 1
        run = folder / str(step)
        save_checkpoint(run, "last", *checkpoint_parts(step=1))
        child = os.fork()
        if child == 0:
            count = 0

            def hook(event: str, arguments: tuple[object, ...], final: int = step) -> None:
                nonlocal count
                if event in EVENTS and str(folder) in str(arguments[0]):
                    count += 1
                    if count == final:
                        os.kill(os.getpid(), signal.SIGKILL)

            sys.addaudithook(hook)
            save_checkpoint(run, "last", *parts)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status)
    print(step - 1)


def save_without_room(folder: Path, *rooms: str) -> None:
    """Saves where no file may become larger than so many bytes."""
    parts = checkpoint_parts(step=2)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    for room in rooms:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(room), most))
        try:
            save_checkpoint(folder, "last", *parts)
        except OSError:
            print("refused", room)
        else:
            print("saved", room)


def train_together(folder: Path, run: str, rank: str, processes: str, *overrides: str) -> None:
    """One of several processes that train: to the end, and until one of them is interrupted."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        "gloo", f"file://{run}.meeting", rank=int(rank), world_size=int(processes)
    )

    def one(name: str, told: Callable[[Progress], None]) -> Outcome:
        return train(
            small_settings(*overrides),
            [Source(folder)],
            Path(name),
            told=told,
            rank=int(rank),
            processes=int(processes),
        )

    def interrupt(progress: Progress) -> None:
        if progress.step == 4 and rank != "0":
            os.kill(os.getpid(), signal.SIGINT)

    whole = one(run, lambda progress: print("loss", progress.step, repr(progress.loss)))
    print("finished", whole.finished)
    print("stopped", one(f"{run}.stopped", interrupt).step)
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    roles = {f.__name__: f for f in (die_at_each_step, save_without_room, train_together)}
    roles[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
