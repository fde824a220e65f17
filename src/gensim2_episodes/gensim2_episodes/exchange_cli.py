"""Commands of `dataset` that make new data sets: parts of others, and other formats."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from gensim2_control.description import DescriptionError, robot_description
from gensim2_control.kinematics import Fr3Kinematics, UrdfError
from rich.console import Console
from rich.progress import Progress

from gensim2_episodes.copying import copy_episodes, unique_episodes
from gensim2_episodes.errors import StoreError
from gensim2_episodes.frame import IMAGE_GROUP
from gensim2_episodes.manifest import Outcome
from gensim2_episodes.selection import Criteria, SplitBy, split_episodes
from gensim2_episodes.staging import staged
from gensim2_episodes.store import EpisodeInfo, EpisodeStore

EXIT_ERROR = 2

app = typer.Typer()
In = Annotated[Path, typer.Argument(metavar="IN", help="Folder of the data set; never changed.")]
Out = Annotated[Path, typer.Argument(metavar="OUT", help="Folder to make.")]
Tick = Callable[[object], None]


class ExportFormat(str, Enum):
    """Formats that can be written."""

    LEROBOT = "lerobot"
    MCAP = "mcap"


class ImportFormat(str, Enum):
    """Formats that can be read."""

    LEROBOT = "lerobot"
    MCAP = "mcap"
    GENSIM2 = "gensim2"


class Colour(str, Enum):
    """How colour images are written for LeRobot."""

    VIDEO = "video"
    PNG = "png"


@contextlib.contextmanager
def _one_line_errors() -> Iterator[Console]:
    """Ends the program with one line and exit code 2 when a data set has an error."""
    try:
        yield Console(stderr=True, highlight=False)
    except StoreError as error:
        typer.echo(f"error: {' '.join(str(error).split())}", err=True)
        raise typer.Exit(EXIT_ERROR) from None


@contextlib.contextmanager
def _progress(console: Console, label: str, total: int | None) -> Iterator[Tick]:
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(label, total=total)
        yield lambda done: bar.advance(task)


def _episodes(path: Path) -> list[EpisodeInfo]:
    """The complete episodes; says which others are passed over.

    Raises:
        StoreError: There are none.
    """
    scan = EpisodeStore(path).scan()
    for partial in scan.partial:
        typer.echo(f"passed over: {partial.path} is not complete", err=True)
    for broken in scan.broken:
        typer.echo(f"passed over: {broken.path.name}: {broken.problem}", err=True)
    if not scan.episodes:
        raise StoreError(f"{path} holds no complete episode; nothing to do")
    return list(scan.episodes)


def _copy(console: Console, parts: list[tuple[list[EpisodeInfo], Path]]) -> None:
    targets = [out for _, out in parts]
    total = sum(len(episodes) for episodes, _ in parts)
    with _progress(console, "copying", total) as tick, staged(*targets) as folders:
        for (episodes, _), folder in zip(parts, folders, strict=True):
            copy_episodes(episodes, folder, tick)
    for episodes, out in parts:
        typer.echo(f"{out}: {len(episodes)} episodes")


@app.command()
def merge(
    out: Out,
    sources: Annotated[list[Path], typer.Argument(metavar="IN...", help="Data sets.")],
) -> None:
    """Join data sets; an episode that is in several of them is taken once."""
    with _one_line_errors() as console:
        episodes, repeated = unique_episodes([_episodes(path) for path in sources])
        _copy(console, [(episodes, out)])
        if repeated:
            typer.echo(f"{repeated} episodes were in more than one of them")


@app.command()
def split(
    path: In,
    out_a: Annotated[Path, typer.Argument(metavar="OUT_A", help="Folder to make: the rest.")],
    out_b: Annotated[Path, typer.Argument(metavar="OUT_B", help="Folder to make: the share.")],
    share: Annotated[float, typer.Option(help="Share of every task for OUT_B.")] = 0.1,
    by: Annotated[
        SplitBy, typer.Option(help="What stays together: an episode, or all of an object.")
    ] = SplitBy.EPISODE,
    seed: Annotated[int, typer.Option(help="Of the choice.")] = 0,
) -> None:
    """Divide a data set in two; the same seed always divides it alike."""
    with _one_line_errors() as console:
        if not 0.0 < share < 1.0:
            raise StoreError(f"--share is {share:g}; name a number between 0 and 1")
        parts = split_episodes(_episodes(path), share, seed, by)
        if not parts[1]:
            raise StoreError(
                f"every task of {path} has only one {by.value}: nothing can be split by {by.value}"
            )
        _copy(console, list(zip(parts, (out_a, out_b), strict=True)))


@app.command("filter")
def filter_(
    path: In,
    out: Out,
    task: Annotated[list[str] | None, typer.Option(help="Task; * and ? are wild.")] = None,
    outcome: Annotated[list[Outcome] | None, typer.Option(help="Outcome.")] = None,
    success: Annotated[
        bool | None, typer.Option("--success/--failure", help="Only successes, or only failures.")
    ] = None,
    asset: Annotated[list[str] | None, typer.Option(help="Object; * and ? are wild.")] = None,
    controller: Annotated[list[str] | None, typer.Option(help="Who acted; * and ? wild.")] = None,
    array: Annotated[
        list[str] | None, typer.Option(help="Recorded array, such as cloud/xyz or image/*; all of.")
    ] = None,
    after: Annotated[datetime | None, typer.Option(help="Written since, UTC.")] = None,
    before: Annotated[datetime | None, typer.Option(help="Written before, UTC.")] = None,
    min_frames: Annotated[int, typer.Option(min=0, help="At least so many frames.")] = 0,
) -> None:
    """Take the episodes for which everything holds that is asked; of a repeated option one of."""
    with _one_line_errors() as console:
        asked = {*(outcome or Outcome)}
        if success is not None:
            asked &= {Outcome.SUCCESS} if success else {*Outcome} - {Outcome.SUCCESS}
        criteria = Criteria(
            tasks=tuple(task or ()),
            outcomes=frozenset(asked),
            assets=tuple(asset or ()),
            controllers=tuple(controller or ()),
            arrays=tuple(array or ()),
            after=after,
            before=before,
            min_frames=min_frames,
        )
        found = [e for e in _episodes(path) if criteria.match(e.manifest)]
        if not found:
            raise StoreError(
                f"no episode of {path} is like that; `dataset info {path}` says what there is"
            )
        _copy(console, [(found, out)])


@app.command()
def export(
    path: In,
    out: Out,
    to: Annotated[ExportFormat, typer.Option("--format", help="What to write.")],
    colour: Annotated[
        Colour,
        typer.Option(help="For LeRobot: video is smaller and loses detail, png does not."),
    ] = Colour.VIDEO,
) -> None:
    """Write all episodes in another format: a LeRobotDataset v3, or an MCAP file for each."""
    with _one_line_errors() as console:
        store, episodes = EpisodeStore(path), _episodes(path)
        description, kinematics = _robot()
        with _progress(console, "exporting", len(episodes)) as tick, staged(out) as (folder,):
            if to is ExportFormat.LEROBOT:
                from gensim2_episodes.lerobot_export import export_lerobot

                kind = "video" if colour is Colour.VIDEO else "image"
                export_lerobot(store, episodes, folder, kinematics, kind, tick)
            else:
                from gensim2_episodes.mcap_exchange_node import export_mcap

                export_mcap(store, episodes, folder, kinematics, description, tick)
        typer.echo(f"{out}: {len(episodes)} episodes")
        if to is ExportFormat.LEROBOT and colour is Colour.VIDEO and _has_images(episodes):
            typer.echo("colour images were encoded as video, which loses detail; --colour png not")


@app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(metavar="IN", help="Folder, or MCAP file.")],
    out: Out,
    of: Annotated[ImportFormat, typer.Option("--format", help="What it is.")],
) -> None:
    """Make a data set of a LeRobotDataset v3, of MCAP files, or of GenSim2's zarr v2."""
    with _one_line_errors() as console:
        if not path.exists():
            raise StoreError(f"{path} does not exist; name what should be imported")
        _, kinematics = _robot()
        with _progress(console, "importing", None) as tick, staged(out) as (folder,):
            if of is ImportFormat.LEROBOT:
                from gensim2_episodes.lerobot_import import import_lerobot

                count = import_lerobot(path, folder, kinematics, tick)
            elif of is ImportFormat.MCAP:
                from gensim2_episodes.mcap_exchange_node import import_mcap

                count = import_mcap(path, folder, tick)
            else:
                from gensim2_episodes.gensim2_import import import_gensim2

                count = import_gensim2(path, folder, kinematics, tick)
        typer.echo(f"{out}: {count} episodes")
        for note, number in Counter(e.manifest.note for e in EpisodeStore(out).episodes()).items():
            if note:
                typer.echo(f"note of {number} episodes: {note}")


def _robot() -> tuple[str, Fr3Kinematics]:
    """The robot description, and the kinematics it says.

    Raises:
        StoreError: It is not installed, or damaged.
    """
    try:
        text = robot_description()
        return text, Fr3Kinematics.from_urdf(text)
    except (DescriptionError, UrdfError) as error:
        raise StoreError(str(error)) from error


def _has_images(episodes: list[EpisodeInfo]) -> bool:
    return any(path.startswith(f"{IMAGE_GROUP}/") for path in episodes[0].manifest.arrays)
