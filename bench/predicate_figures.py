"""How well the predicates tell near hits from near misses.

Run it with `./ws python bench/predicate_figures.py`.

Labels come from rays and contacts of the physics engine, from drops that are left to it, and from
how a scene was made; never from the arithmetic of a predicate.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from figures import Figure, Settings
from gensim2_control.description import resolve_packages, robot_description
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_sim_bridge.world import World, WorldConfig
from gensim2_tasks.assets import PARTNET, PROCEDURAL, ArticulatedAsset, AssetLibrary, AssetRef
from predicate_cases import Case, document, make_probe, predicate_table, tally
from predicate_drops import dropped_inside, dropped_on_top
from predicate_inside import OPENINGS, inside_cases
from predicate_motion import free_cases, hand_cases, openness_cases, settled_joint_cases
from predicate_places import lifted_cases, near_cases, on_top_cases, under_cases

LARGEST_ERROR = 0.01  # of precision and of recall
PROBES = ("ball", "cube", "stick", "cup")
JOINTS = ("drawer", "box_rotate", "door", "faucet", "microwave", "toaster_press")
FREE = ("bucket_lift", "box_move", "bag_move", "toaster_move")
SUPPORTS = ("laptop_rotate", "microwave", "safe_rotate", "oven")
TARGETS = ("drawer", "microwave", "box_rotate", "faucet")


def label_and_judge(
    asset_root: Path | None, seed: int, assets: int, drops: int, folder: Path
) -> Iterator[Case]:
    """Makes and judges all cases.

    Args:
        asset_root: Of imported assets, which take part besides the generated ones; or None.
        seed: Of the cases, and of the first generated asset.
        assets: How many of each category and origin.
        drops: Onto each of them.
        folder: For the probes.
    """
    rng = np.random.default_rng(seed)
    libraries = [AssetLibrary(), *([] if asset_root is None else [AssetLibrary(asset_root)])]
    probes = {name: make_probe(name, folder) for name in PROBES}
    urdf = resolve_packages(robot_description())
    world = World(urdf, WorldConfig(render=False))

    def load(category: str) -> Iterator[ArticulatedAsset]:
        for library in libraries:
            if library.root is None:
                keys, source = [str(seed + i) for i in range(assets)], PROCEDURAL
            else:
                keys, source = library.keys(category)[:assets], PARTNET
            for key in keys:
                yield library.load(AssetRef(source, category, key))

    for category in JOINTS:
        for asset in load(category):
            yield from openness_cases(world, asset, rng)
            yield from settled_joint_cases(world, asset, rng)
    for category in FREE:
        for asset in load(category):
            if asset.info.free_body:
                yield from free_cases(world, asset, rng)
    yield from free_cases(world, probes["cup"], rng)
    for category in OPENINGS:
        for asset in load(category):
            yield from inside_cases(asset, probes, rng)
    for category in ("box_rotate", "drawer"):
        for asset in load(category):
            yield from dropped_inside(world, asset, probes["cube"], rng, drops)
    for category in SUPPORTS:
        for asset in load(category):
            yield from on_top_cases(asset, probes, rng)
    for asset in load("laptop_rotate"):
        yield from dropped_on_top(world, asset, probes["cube"], rng, drops)
    for category in TARGETS:
        for asset in load(category):
            yield from near_cases(asset, probes, rng)
    for asset in load("faucet"):
        yield from under_cases(asset, probes, rng)
    yield from lifted_cases([*probes.values(), next(load("bucket_lift"))], rng, 8 * assets)
    kinematics = Fr3Kinematics.from_urdf(urdf)
    for _ in range(assets):
        yield from hand_cases(world, kinematics, probes, rng)


def measure_predicates(settings: Settings) -> list[Figure]:
    """Measures what share of the labelled cases each predicate gets wrong."""
    assets, drops = settings.times(5, 1), settings.times(12, 3)
    settings.say("predicates: labelled near hits and near misses")
    folder = settings.folder / "probes"
    cases = label_and_judge(settings.asset_root, settings.seed, assets, drops, folder)
    figures = []
    for t in tally(cases):
        for what, value, samples in (
            ("precision", t.precision, t.misses),
            ("recall", t.recall, t.hits),
        ):
            key, label = f"predicates.{t.kind}.{what}_error", f"{t.kind}, 1 - {what}"
            figures.append(Figure(key, label, 1.0 - value, "", LARGEST_ERROR, samples))
    return figures


def main(
    asset_root: Annotated[
        Path | None, typer.Option(help="Folder of imported assets, which take part as well.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the cases and the generated assets.")] = 0,
    assets: Annotated[int, typer.Option(min=1, help="Of each category and origin.")] = 5,
    drops: Annotated[int, typer.Option(min=0, help="Onto each container and laptop.")] = 12,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the result to this file.")
    ] = None,
) -> None:
    """Prints precision and recall of every predicate as a table, and the cases it gets wrong."""
    with tempfile.TemporaryDirectory(prefix="gensim2-predicates-") as folder:
        cases = [*label_and_judge(asset_root, seed, assets, drops, Path(folder))]
    typer.echo(predicate_table(tally(cases)))
    for case in cases:
        if case.label != case.verdict:
            typer.echo(f"wrong: {case}", err=True)
    if json_file is not None:
        result = document(cases, {"seed": seed, "assets": assets, "drops": drops})
        json_file.expanduser().write_text(json.dumps(result, indent=1) + "\n")
    worst = min(min(t.precision, t.recall) for t in tally(cases))
    if worst < 1.0 - LARGEST_ERROR:
        raise typer.Exit(1)


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
