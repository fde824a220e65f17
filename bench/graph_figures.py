"""Figures of whole collections: time of an episode, start, Ctrl-C, memory and disk."""

from __future__ import annotations

from collections.abc import Iterator

from batch_runs import Batch
from collections_of_graph import SAMPLE_PERIOD, Collection, Collections
from figures import Figure, Settings, Spread, ratio
from machine import GIB

START_BOUND = 15.0  # s, on two cores
END_BOUND = 5.0  # s
MEMORY_BOUND = 3.0  # GiB
_SHOWN = 5  # processes that are named in a note
_MIB = 2**20


def measure_episodes(batch: Batch, collections: Collections) -> Iterator[Figure]:
    """Measures an episode without transport and over the graph, the start and the end of it."""
    alone = [e for episodes in batch.get().values() for e in episodes]
    cpu = Spread([e.cpu_time for e in alone])
    wall = Spread([e.wall_time for e in alone])
    simulated = sum(e.sim_time for e in alone)
    yield from [
        *cpu.figures("episode.alone.cpu", "without transport, CPU", "s", "median", "p95"),
        *wall.figures("episode.alone.wall", "without transport, wall", "s", "median"),
        Figure(
            "episode.alone.speed",
            "without transport, simulated per CPU time",
            ratio(simulated, sum(cpu.values)),
            "s/s",
            samples=len(alone),
        ),
        Figure(
            "episode.alone.success",
            "without transport, success",
            100 * ratio(sum(e.success for e in alone), len(alone)),
            "%",
            samples=len(alone),
        ),
    ]
    for obs in ("state", "pointcloud"):
        yield from _over_graph(collections.get(obs), cpu.median)


def measure_memory(collections: Collections) -> list[Figure]:
    """Measures the memory of the whole graph while it collects clouds."""
    peak = collections.get("pointcloud").memory
    found = [
        Figure(
            "memory.peak",
            "whole graph, sum of PSS, peak",
            peak.total / GIB,
            "GiB",
            MEMORY_BOUND,
            peak.samples,
            f"a look every {SAMPLE_PERIOD:g} s",
        )
    ]
    for name, size in sorted(peak.processes.items(), key=lambda item: -item[1]):
        found.append(Figure(f"memory.process.{name}", f"  {name}", size / _MIB, "MiB"))
    return found


def measure_disk(settings: Settings, collections: Collections) -> Iterator[Figure]:
    """Measures what episodes take on disk."""
    for obs in ("state", "pointcloud") if settings.quick else ("state", "pointcloud", "image"):
        episodes = collections.get(obs).episodes
        frames, size = sum(e.frames for e in episodes), sum(e.size for e in episodes)
        n = len(episodes)
        note = f"{ratio(frames, n):.0f} frames per episode"
        yield from [
            Figure(f"disk.{obs}.frame", f"{obs}, per frame", ratio(size, frames), "B", None, n),
            Figure(
                f"disk.{obs}.episode",
                f"{obs}, per episode",
                ratio(size, n) / _MIB,
                "MiB",
                samples=n,
                note=note,
            ),
        ]


def _over_graph(collection: Collection, alone_cpu: float) -> list[Figure]:
    obs = collection.obs
    key, label = f"episode.{obs}", f"graph, {obs}"
    cpu = Spread([sum(parts.values()) for parts in collection.cpus])
    wall = Spread(collection.walls)
    n = len(collection.walls)
    parts = {
        name: sum(part.get(name, 0.0) for part in collection.cpus) / max(n, 1)
        for name in {name for part in collection.cpus for name in part}
    }
    start = collection.start_cpu
    return [
        Figure(f"{key}.cpu", f"{label}, CPU", cpu.median, "s", None, n, _largest(parts)),
        Figure(f"{key}.wall", f"{label}, wall", wall.median, "s", None, n),
        Figure(
            f"{key}.cores",
            f"{label}, CPU per wall",
            ratio(sum(cpu.values), sum(wall.values)),
            "cores",
            samples=n,
        ),
        Figure(
            f"{key}.overhead",
            f"{label}, CPU per CPU without transport",
            ratio(cpu.median, alone_cpu),
            "ratio",
            samples=n,
        ),
        Figure(
            f"{key}.start.state",
            f"{label}, start to first joint state",
            collection.first_state,
            "s",
        ),
        Figure(
            f"{key}.start.motion",
            f"{label}, start to first motion",
            collection.first_motion,
            "s",
            START_BOUND,
            note=f"first process after {collection.first_process:.1f} s",
        ),
        Figure(
            f"{key}.start.cpu",
            f"{label}, start to first motion, CPU",
            sum(start.values()),
            "s",
            note=_largest(start),
        ),
        Figure(f"{key}.ctrl_c", f"{label}, Ctrl-C to end", collection.ctrl_c, "s", END_BOUND),
    ]


def _largest(parts: dict[str, float]) -> str:
    """Names the processes with the largest shares."""
    ordered = sorted(parts.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {value:.1f}" for name, value in ordered[:_SHOWN])
