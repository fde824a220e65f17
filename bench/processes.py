"""Processes of this machine as /proc shows them: who they are, and what they use."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_KIB = 1024
_TICK = 1.0 / os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")
# Of DDS: the discovery port of a domain.
_PORT_BASE, _PORTS_PER_DOMAIN = 7400, 250
_DOMAINS = 95


def parse_pss(rollup: str) -> int:
    """Gives the memory of a process, shared pages in equal parts, from its smaps_rollup, bytes.

    Raises:
        ValueError: There is no such line.
    """
    for line in rollup.splitlines():
        words = line.split()
        if words and words[0] == "Pss:":
            return int(words[1]) * _KIB
    raise ValueError("no line 'Pss:' in smaps_rollup: is the kernel older than 4.14?")


def parse_cpu(stat: str) -> float:
    """Gives the CPU time of a process from /proc/<pid>/stat, s."""
    # The name may hold spaces and brackets; what follows the last bracket is counted.
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK


def process_name(words: Iterable[str]) -> str:
    """Gives a short name for a command line: that of the script, or of the module after `-m`."""
    command = [word for word in words if word]
    if not command:
        return "ended"
    name = Path(command[0]).name
    if not name.startswith("python") or len(command) == 1:
        return name
    rest = command[1:]
    while rest and rest[0].startswith("-"):
        if rest[0] == "-m" and len(rest) > 1:
            return rest[1].rpartition(".")[2]
        rest = rest[1:]
    if not rest:
        return name
    script = Path(rest[0]).name
    return " ".join([script, *rest[1:2]]) if script == "ros2" else script


@dataclass(frozen=True)
class Usage:
    """What a process has used.

    Attributes:
        name: See `process_name`.
        cpu: Since its start, s.
    """

    name: str
    cpu: float


def marked(mark: str) -> list[int]:
    """Lists the processes whose environment holds a word `NAME=VALUE`."""
    found = []
    for folder in _PROC.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            if mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:
            continue  # It has ended meanwhile, or belongs to somebody else.
    return sorted(found)


def usage(pids: Iterable[int]) -> dict[int, Usage]:
    """Gives the CPU time of processes; those that have ended are left out."""
    found = {}
    for pid in pids:
        try:
            words = (_PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
            cpu = parse_cpu((_PROC / str(pid) / "stat").read_text())
        except OSError:
            continue
        found[pid] = Usage(process_name(words), cpu)
    return found


def pss(pids: Iterable[int]) -> dict[int, int]:
    """Gives the memory of processes, bytes; those that have ended are left out."""
    found = {}
    for pid in pids:
        try:
            found[pid] = parse_pss((_PROC / str(pid) / "smaps_rollup").read_text())
        except (OSError, ValueError):
            continue
    return found


def used_ports(table: str) -> set[int]:
    """Lists the local ports in the text of /proc/net/udp."""
    return {int(line.split()[1].rpartition(":")[2], 16) for line in table.splitlines()[1:] if line}


def free_domain(table: str, first: int) -> int:
    """Gives a ROS domain in which nobody on this machine is.

    Args:
        table: The text of /proc/net/udp.
        first: Where to begin to look, so that several who look find different ones.

    Raises:
        ValueError: All are taken.
    """
    ports = used_ports(table)
    for step in range(_DOMAINS):
        domain = 1 + (first + step) % _DOMAINS
        if _PORT_BASE + _PORTS_PER_DOMAIN * domain not in ports:
            return domain
    raise ValueError("no ROS domain is free: end graphs that still run")


def pick_domain(offset: int) -> int:
    """Gives a free ROS domain of this machine now, another one for every offset."""
    return free_domain((_PROC / "net" / "udp").read_text(), os.getpid() + 46 + offset)
