"""Writers that run as processes of their own, to be killed, raced or starved by the tests.

Usage: store_processes.py ROLE FOLDER [ARGUMENT]
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from pathlib import Path

from episode_samples import sample_frame, sample_record, write_sample
from gensim2_episodes.errors import StoreError
from gensim2_episodes.store import EpisodeStore


def die_at_each_step(folder: Path, steps: str) -> None:
    """Forks a writer per step number and kills it at that file-system call of its episode."""
    for step in (int(text) for text in steps.split(",")):
        child = os.fork()
        if child == 0:
            store = EpisodeStore(folder)
            count = 0

            def hook(event: str, _: object, last: int = step) -> None:
                nonlocal count
                if event in ("open", "os.mkdir", "os.rename", "os.link", "os.remove"):
                    count += 1
                    if count == last:
                        os.kill(os.getpid(), signal.SIGKILL)

            sys.addaudithook(hook)
            write_sample(store, seed=step, frames=300)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print("killed" if os.WIFSIGNALED(status) else "finished", step, flush=True)


def scan_at_each_step(folder: Path) -> None:
    """Looks at the data set before every file-system call of a writer, as a reader might."""
    store = EpisodeStore(folder)
    looking = False
    looks = 0

    def hook(event: str, _: object) -> None:
        nonlocal looking, looks
        if looking or event not in ("open", "os.mkdir", "os.rename", "fcntl.flock"):
            return
        looking = True
        scan = store.scan()
        looking = False
        looks += 1
        for partial in scan.abandoned:
            print("abandoned", partial.path.name)
        for broken in scan.broken:
            print("broken", broken.problem)

    sys.addaudithook(hook)
    write_sample(store, frames=3)
    print("looks", looks)


def hold(folder: Path) -> None:
    """Stops in the middle of an episode, after chunks have reached the disk."""
    with EpisodeStore(folder, create=True).writer("OpenBox") as writer:
        for index in range(300):
            writer.append(sample_frame(index))
        print(writer.episode_id, flush=True)
        sys.stdin.readline()
        writer.commit(sample_record())


def write_many(folder: Path, number: str) -> None:
    """Creates the data set unless it is there, and writes four episodes."""
    store = EpisodeStore(folder, create=True)
    for seed in range(4):
        write_sample(store, task=f"Task{number}", seed=seed, frames=20)


def full_disk(folder: Path, limit: str) -> None:
    """Writes with a limit on the size of files, which fails like a full disk."""
    store = EpisodeStore(folder, create=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    expect_error(store)


def full_device(folder: Path) -> None:
    """Writes until the device is full."""
    expect_error(EpisodeStore(folder, create=True))


def other_user(folder: Path) -> None:
    """Gives up being root, and tries to create and to write a data set."""
    store = EpisodeStore(folder / "mine")
    os.setgid(65534)
    os.setuid(65534)
    expect_error(store)
    try:
        EpisodeStore(folder / "new" / "deep", create=True)
    except StoreError as error:
        print(type(error).__name__, error)


def expect_error(store: EpisodeStore) -> None:
    try:
        with store.writer("OpenBox") as writer:
            for index in range(600):
                writer.append(sample_frame(index, points=4096))
            writer.commit(sample_record())
    except StoreError as error:
        print(type(error).__name__, error)


if __name__ == "__main__":
    roles = (
        die_at_each_step,
        scan_at_each_step,
        hold,
        write_many,
        full_disk,
        full_device,
        other_user,
    )
    {role.__name__: role for role in roles}[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
