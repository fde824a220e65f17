"""Files of benchmark runs: every episode, and what the run was asked for.

A run may be made in pieces and go on after an interruption: what a file holds is not run again.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gensim2_tasks.gensim2_judge import PREDICATES
from gensim2_tasks.randomisation import TASK
from gensim2_tasks.splits import ALL
from pydantic import TypeAdapter, ValidationError

from gensim2_episodes.batch import EXPERT, BatchEpisode
from gensim2_episodes.provenance import git_commit

Option = str | bool | int
USUAL: Mapping[str, Option] = {
    "controller": EXPERT,
    "asset": "",
    "randomize": True,
    "judge": PREDICATES,
    "start": "task",
    "perturb": "none",
    "randomise": TASK,
    "clutter": -1,
    "split": ALL,
}
"""What an option is where nobody gives it; a run that does not know an option has this."""
_EPISODES = TypeAdapter(tuple[BatchEpisode, ...])


class RunFileError(ValueError):
    """A file is no run, or one of another kind; the text says which and why."""


@dataclass(frozen=True)
class Run:
    """Episodes that were run with the same options.

    Attributes:
        options: Everything on which the outcome of an episode depends beside task and seed.
        commits: Of the software, sorted; several where the run was made in pieces.
        cpus: How many processors the machines had, sorted.
        episodes: In the order in which they were run.
    """

    options: Mapping[str, Option]
    commits: tuple[str, ...]
    cpus: tuple[int, ...]
    episodes: tuple[BatchEpisode, ...]

    @classmethod
    def here(cls, options: Mapping[str, Option], episodes: Sequence[BatchEpisode] = ()) -> Run:
        """A run of this software on this machine."""
        return cls(
            dict(options), (git_commit(Path(__file__)),), (os.cpu_count() or 1,), tuple(episodes)
        )

    def joined(self, other: Run) -> Run:
        """Both runs as one; of an episode that is in both, the one of `other`.

        Raises:
            RunFileError: They were made with different options.
        """
        if unusual(self.options) != unusual(other.options):
            raise RunFileError(
                f"made with {_text(self.options)}, not with {_text(other.options)}; "
                "give another file"
            )
        merged = {(e.task, e.seed): e for e in (*self.episodes, *other.episodes)}
        return Run(
            {**self.options, **other.options},
            tuple(sorted({*self.commits, *other.commits})),
            tuple(sorted({*self.cpus, *other.cpus})),
            tuple(merged.values()),
        )

    def save(self, file: Path) -> None:
        """Writes the run; a file is there as a whole or as it was before."""
        scratch = file.with_name(file.name + ".part")
        scratch.write_text(json.dumps(dataclasses.asdict(self), indent=1) + "\n")
        scratch.replace(file)


def unusual(options: Mapping[str, Option]) -> dict[str, Option]:
    """The options that are not the usual ones."""
    return {name: value for name, value in options.items() if USUAL.get(name) != value}


def load_run(file: Path) -> Run:
    """Reads a run.

    Raises:
        RunFileError: It cannot be read or is no run.
    """
    try:
        document: Any = json.loads(file.read_text())
        return Run(
            dict(document["options"]),
            tuple(document["commits"]),
            tuple(document["cpus"]),
            _EPISODES.validate_python(document["episodes"]),
        )
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise RunFileError(f"{file}: no run of bench_success: {error}") from None


def _text(options: Mapping[str, Option]) -> str:
    return ", ".join(f"{name} {value}" for name, value in options.items())
