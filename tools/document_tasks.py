"""Writes docs/tasks.md: the tasks of the catalogue, and how well they are done.

Usage: ./ws python tools/document_tasks.py [--pictures]

The text comes from the task files, the figures from docs/data, which `bench/task_table.py show
--save` and the measurement of the predicates write. With --pictures the scenes are rendered again.
A test compares the text.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from gensim2_episodes.success_table import (
    Benchmark,
    Column,
    cost_sheet,
    load_benchmark,
    mean_share,
    success_sheet,
)
from gensim2_sim_bridge.contact_sheet import Picture, Studio
from gensim2_tasks.assets import AssetLibrary
from gensim2_tasks.catalogue import load_task, task_names
from gensim2_tasks.placement import draw_scene
from task_words import task_section

DOCS = Path(__file__).resolve().parents[1] / "docs"
DOCUMENT = DOCS / "tasks.md"
PICTURES = DOCS / "images" / "tasks"
MONTAGE = DOCS / "images" / "tasks.jpg"
BENCHMARK, PREDICATES = DOCS / "data" / "benchmark.json", DOCS / "data" / "predicates.json"
SCENES = 3
MONTAGE_COLUMNS = 7
TILE = (200, 150)  # pixels
CROP = np.s_[15:300, 20:400]  # of the picture of the studio, without most of the robot
QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 85]
HEADER = """\
# The tasks

Written by `./ws python tools/document_tasks.py` from the task files and from measurements; not to
be edited by hand. `./ws ros2 run gensim2_tasks catalogue list|show|render` tells the same of one
task, and renders as many scenes as you like.

Every scene is drawn from a seed: the object (a newly generated one, or an imported one), where it
stands, and how far it is open: 0 % closed, 100 % open; of an object that is pushed or lifted as a
whole it is the share of the way it is meant to go. Positions are in the frame of the robot's base,
whose x points away from it. Pictures: the first scenes, seeds 0 to 2, of generated objects.

"""


_CONTROLS = (
    "Where nobody moves, or the arm moves at random, instead of the expert, a success counts even",
    "if it is undone later. *Random motion* is about the pose at home. *Random sweeps* go through",
    "the space where the objects stand: most of them stand half open at the start, as in GenSim2,",
    "and a push in passing is sometimes all that is needed.",
)


def render() -> str:
    """The document.

    Raises:
        OSError, ValueError: A file of figures cannot be read.
    """
    names = task_names()
    library = AssetLibrary()
    links = ", ".join(f"[{name}](#{name.lower()})" for name in names)
    text = [HEADER, f"{len(names)} tasks: {links}\n\n## How well they are done\n\n"]
    if BENCHMARK.exists():
        text.append(_figures(load_benchmark(BENCHMARK)))
    if PREDICATES.exists():
        text.append(_predicates(json.loads(PREDICATES.read_text())["predicates"]))
    text.append("## Task by task\n\n")
    for name in names:
        file = PICTURES / f"{name}.jpg"
        picture = str(file.relative_to(DOCS)) if file.exists() else ""
        text.append(task_section(load_task(name), picture, library) + "\n")
    return "".join(text).rstrip() + "\n"


def _figures(benchmark: Benchmark) -> str:
    lines = [
        "`./ws python bench/task_table.py run FOLDER --asset-root ASSETS` makes this table.",
        "Physics decides, success must be held; in brackets Wilson's 95 % interval. Plans avoid",
        "the object, the table and the robot itself. *By GenSim2's criteria*: the same episodes,",
        "judged as the public GenSim2 does: the joint past 80 % (or below 20 %) of its way at one",
        "moment, or 5 cm in x and y; no rest, no dwell, and it does not matter what has fallen.",
        "What is pushed or lifted as a whole stands free where it is generated; imported objects",
        "of those categories slide on the rail that they come with.",
        "*Honest start*: what is to be opened is shut, what is to be shut is open to its end.",
        "*Clutter 3*: three household things stand about, near to what is handled.",
        *_CONTROLS,
        "",
        success_sheet(benchmark).markdown(),
        "Failures are episodes that were no success, by what ended them; planning in CPU seconds",
        "and the length of an episode in simulated seconds are medians.",
        "",
        cost_sheet(benchmark).markdown(),
        "| runs | mean over tasks | seeds | processors | software |",
        "|---|---|---|---|---|",
        *(_provenance(column) for column in benchmark.columns),
        "",
    ]
    return "\n".join(lines) + "\n"


def _provenance(column: Column) -> str:
    seeds = "{} to {}".format(*column.seeds)
    cells = (
        column.title,
        f"{100 * mean_share(column):.1f} %",
        seeds,
        ", ".join(map(str, column.cpus)),
        ", ".join(commit[:10] for commit in column.commits),
    )
    return f"| {' | '.join(cells)} |"


def _predicates(rows: Iterable[Mapping[str, Any]]) -> str:
    """The table of what the predicates get right."""
    lines = [
        "## How well the predicates tell",
        "",
        "Each was given labelled scenes: near hits, which it must see, and near misses, which it",
        "must not.",
        "",
        "| predicate | near hits | near misses | objects | precision | recall |",
        "|---|---|---|---|---|---|",
        *(
            f"| `{row['kind']}` | {row['hits']} | {row['misses']} | {row['assets']} "
            f"| {100 * row['precision']:.1f} % | {100 * row['recall']:.1f} % |"
            for row in rows
        ),
        "",
    ]
    return "\n".join(lines) + "\n"


def take_pictures() -> None:
    """Renders the scenes of every task, and the montage of all tasks.

    Raises:
        NoRenderDeviceError: There is nothing to render on.
    """
    studio, library = Studio(), AssetLibrary()
    PICTURES.mkdir(parents=True, exist_ok=True)
    for old in PICTURES.glob("*.jpg"):
        old.unlink()
    tiles: list[Picture] = []
    for name in task_names():
        scenes = [
            draw_scene(load_task(name), library, np.random.default_rng(seed))
            for seed in range(SCENES)
        ]
        pictures = [_small(studio.take(scene)) for scene in scenes]
        _write(PICTURES / f"{name}.jpg", np.hstack(pictures))
        tiles.append(_named(pictures[len(tiles) % SCENES], name))
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % MONTAGE_COLUMNS)
    rows = [
        np.hstack(tiles[i : i + MONTAGE_COLUMNS]) for i in range(0, len(tiles), MONTAGE_COLUMNS)
    ]
    _write(MONTAGE, np.vstack(rows))


def _small(picture: Picture) -> Picture:
    return np.asarray(cv2.resize(picture[CROP], TILE, interpolation=cv2.INTER_AREA), np.uint8)


def _named(picture: Picture, name: str) -> Picture:
    named = picture.copy()
    place, font = (6, TILE[1] - 8), cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(named, name, place, font, 0.42, (255, 255, 255), 1, cv2.LINE_AA)
    return named


def _write(file: Path, picture: Picture) -> None:
    cv2.imwrite(str(file), picture[..., ::-1], QUALITY)


def main() -> int:
    """Writes the document."""
    if "--pictures" in sys.argv[1:]:
        take_pictures()
    DOCUMENT.write_text(render())
    return 0


if __name__ == "__main__":
    sys.exit(main())
