"""Command line `dataset`: what lies in data sets, whether it is sound; parts and other formats."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from gensim2_episodes.check import check_episode
from gensim2_episodes.errors import StoreError
from gensim2_episodes.exchange_cli import app as exchange_app
from gensim2_episodes.store import EpisodeInfo, EpisodeStore, Scan

_PLAIN_WIDTH = 140
_MAX_PROBLEMS = 5
_MIN_SHARE = 0.98

app = typer.Typer(
    help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False
)
app.add_typer(exchange_app)
Folder = Annotated[Path, typer.Argument(help="Folder of the data set.")]


def make_console() -> Console:
    """A console that does not fold its tables where nobody sees a terminal."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(width=_PLAIN_WIDTH, highlight=False)


@app.command()
def info(path: Folder) -> None:
    """Show episodes by task, outcomes, sizes, schema and versions."""
    console = make_console()
    store = EpisodeStore(path)
    scan = store.scan()
    table = Table(title=f"{path}  ({store.record.schema_name} v{store.record.schema_version})")
    table.add_column("task")
    for column in ("episodes", "success", "frames", "seconds", "disk"):
        table.add_column(column, justify="right")
    table.add_column("failures")
    groups: dict[str, list[EpisodeInfo]] = defaultdict(list)
    for episode in scan.episodes:
        groups[episode.manifest.task].append(episode)
    for task, episodes in groups.items():
        table.add_row(task, *_summary(episodes))
    if len(groups) != 1:
        table.add_section()
        table.add_row("total", *_summary(list(scan.episodes)))
    console.print(table)
    for label, values in _provenance(scan).items():
        console.print(f"{label}: {values}", soft_wrap=True)
    _print_incomplete(console, scan)


def _summary(episodes: list[EpisodeInfo]) -> list[str]:
    outcomes = Counter(str(e.manifest.outcome) for e in episodes if not e.manifest.success)
    seconds = sum(e.manifest.frames / e.manifest.rates.observation for e in episodes)
    return [
        str(len(episodes)),
        str(sum(e.manifest.success for e in episodes)),
        str(sum(e.manifest.frames for e in episodes)),
        f"{seconds:.1f}",
        decimal(sum(e.size_bytes for e in episodes)),
        ", ".join(f"{name} {count}" for name, count in outcomes.most_common()) or "-",
    ]


def _provenance(scan: Scan) -> dict[str, str]:
    """What differs between episodes, each value with the number of episodes that have it."""
    facts: dict[str, Counter[str]] = defaultdict(Counter)
    for episode in scan.episodes:
        manifest = episode.manifest
        facts["observation rate"][f"{manifest.rates.observation:g} Hz"] += 1
        facts["arrays"][", ".join(_contents(episode))] += 1
        facts["licences"].update({record.licence for record in manifest.scene.objects})
        facts["git commit"][manifest.software.git_commit] += 1
        for name, version in manifest.software.versions.items():
            facts["versions"][f"{name} {version}"] += 1
    return {
        label: ", ".join(
            value if count == len(scan.episodes) else f"{value} ({count} episodes)"
            for value, count in sorted(counter.items())
        )
        for label, counter in facts.items()
    }


def _contents(episode: EpisodeInfo) -> list[str]:
    shapes = {
        path: "x".join(map(str, record.shape)) for path, record in episode.manifest.arrays.items()
    }
    groups = sorted({path.partition("/")[0] for path in shapes if "/" in path})
    return [
        f"cloud ({episode.manifest.arrays['cloud/xyz'].shape[0]} points)"
        if group == "cloud"
        else f"{group} ({', '.join(p.partition('/')[2] for p in shapes if p.startswith('image/'))})"
        if group == "image"
        else group
        for group in groups
    ]


def _print_incomplete(console: Console, scan: Scan) -> None:
    for episode in scan.partial:
        if episode.in_progress:
            console.print(f"[cyan]being written[/]: {episode.path}", soft_wrap=True)
        else:
            console.print(
                f"[yellow]partial[/]: {episode.path} was left by a process that died; it is "
                "skipped and may be deleted",
                soft_wrap=True,
            )
    for broken in scan.broken:
        console.print(f"[red]broken[/]: {broken.path.name}: {broken.problem}", soft_wrap=True)


@app.command()
def check(path: Folder) -> None:
    """Read every episode and verify it against its manifest; exit code 1 if one is bad."""
    console = make_console()
    store = EpisodeStore(path)
    scan = store.scan()
    bad = len(scan.broken)
    for episode in scan.episodes:
        problems = check_episode(store, episode)
        bad += bool(problems)
        for problem in problems[:_MAX_PROBLEMS]:
            console.print(f"[red]bad[/]: {episode.episode_id}: {problem}", soft_wrap=True)
        if len(problems) > _MAX_PROBLEMS:
            console.print(f"     and {len(problems) - _MAX_PROBLEMS} more problems")
    _print_incomplete(console, scan)
    total = len(scan.episodes) + len(scan.broken)
    partial = f", {len(scan.partial)} partial (skipped)" if scan.partial else ""
    colour = "red" if bad else "green"
    console.print(f"[{colour}]{total - bad} of {total} episodes are sound{partial}[/]")
    raise typer.Exit(1 if bad else 0)


@app.command()
def show(
    path: Folder,
    episode: Annotated[
        str,
        typer.Argument(
            help="Name, or the beginning of one. Without: the first success of each task."
        ),
    ] = "",
    out: Annotated[Path, typer.Option(help="Folder for the pictures.")] = Path(),
) -> None:
    """Draw a contact sheet and a plot of the joints, as PNG files."""
    # matplotlib takes a second to import, which the other commands need not wait for.
    from gensim2_episodes.show import save_contact_sheet, save_joint_plot

    console = make_console()
    store = EpisodeStore(path)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for chosen in _choose(store, episode):
            reader = store.open_episode(chosen.episode_id)
            for save, suffix in ((save_contact_sheet, "sheet"), (save_joint_plot, "joints")):
                picture = out / f"{chosen.episode_id}_{suffix}.png"
                save(reader, picture)
                console.print(str(picture), soft_wrap=True)
    except OSError as error:
        raise StoreError(f"cannot write the pictures in {out}: {error.strerror}") from error


@app.command()
def replay(
    path: Folder,
    verify: Annotated[
        bool, typer.Option("--verify", help="Exit code 1 if fewer than the share succeed again.")
    ] = False,
    min_share: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share that must succeed again.")
    ] = _MIN_SHARE,
    asset_root: Annotated[
        Path | None, typer.Option(help="Folder of imported assets, where they were used.")
    ] = None,
) -> None:
    """Execute the recorded commands again from the recorded seeds and count the successes."""
    # The simulator takes seconds to import, which the other commands need not wait for.
    from gensim2_episodes.replay_command import replay_episodes

    console = make_console()
    store = EpisodeStore(path)
    scan = store.scan()
    _print_incomplete(console, scan)
    successful = [e for e in scan.episodes if e.manifest.success]
    share = replay_episodes(console, store, successful, asset_root)
    if not verify:
        raise typer.Exit(0)
    if share < min_share:
        console.print(f"[red]below the share of {min_share:g} that --min-share asks for[/]")
    raise typer.Exit(1 if share < min_share or not successful or scan.broken else 0)


def _choose(store: EpisodeStore, name: str) -> list[EpisodeInfo]:
    episodes = store.episodes()
    if not episodes:
        raise StoreError(f"{store.folder} holds no complete episode")
    if not name:
        by_task: dict[str, EpisodeInfo] = {}
        for episode in sorted(episodes, key=lambda e: not e.manifest.success):
            by_task.setdefault(episode.manifest.task, episode)
        return list(by_task.values())
    exact = [e for e in episodes if e.episode_id == name]
    found = exact or [e for e in episodes if e.episode_id.startswith(name)]
    if len(found) != 1:
        near = ", ".join(e.episode_id for e in (found or episodes)[:5])
        problem = "is not unique" if found else "is unknown"
        raise StoreError(f"episode {name!r} {problem} in {store.folder}; for example: {near}")
    return found


def main() -> None:
    """Runs the command line; errors of the data set end it with one line and exit code 1."""
    try:
        app()
    except StoreError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
