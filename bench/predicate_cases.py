"""Labelled cases of predicates, and how well a predicate tells hits from misses."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sapien
from gensim2_tasks.assets import ArticulatedAsset, AssetRef, load_asset
from gensim2_tasks.observation import ObjectObservation
from gensim2_tasks.placement import PlacedObject
from gensim2_tasks.predicate_kinds import Predicate
from gensim2_tasks.procedural.folder import Joint, Model, write_folder
from gensim2_tasks.procedural.parts import Part, bar, box, tube
from gensim2_tasks.se3 import Array

from gensim2_tasks import se3

GREY = (0.5, 0.5, 0.5)
FAR = 1.0  # m; what a ray does not meet so far is not there


@dataclass(frozen=True)
class Case:
    """One scene with a label that does not come from the predicate.

    Attributes:
        kind: Of the predicate.
        what: How the scene was made.
        asset: What else stands in it.
        label: Whether the predicate should hold.
        verdict: Whether it does.
        value: What it measures.
    """

    kind: str
    what: str
    asset: str
    label: bool
    verdict: bool
    value: float


@dataclass(frozen=True)
class Tally:
    """Counts of the cases of one kind.

    Attributes:
        hits: Cases that should hold.
        misses: Those that should not.
        missed: Hits that do not hold.
        false: Misses that hold.
        assets: How many different things take part.
    """

    kind: str
    hits: int
    misses: int
    missed: int
    false: int
    assets: int

    @property
    def precision(self) -> float:
        """Share of the cases that hold that should."""
        found = self.hits - self.missed
        return found / (found + self.false) if found else 0.0

    @property
    def recall(self) -> float:
        """Share of the cases that should hold that do."""
        return (self.hits - self.missed) / self.hits if self.hits else 0.0


def judge(
    predicate: Predicate,
    scene: Mapping[str, ObjectObservation],
    label: bool,
    what: str,
    asset: str = "",
) -> Case:
    """Evaluates a predicate on a labelled scene."""
    found = predicate.evaluate(scene)
    return Case(predicate.kind, what, asset, label, bool(found.satisfied), float(found.value))


def tally(cases: Iterable[Case]) -> list[Tally]:
    """Counts cases by kind, in the order in which kinds appear."""
    groups: dict[str, list[Case]] = {}
    for case in cases:
        groups.setdefault(case.kind, []).append(case)
    return [
        Tally(
            kind,
            sum(c.label for c in group),
            sum(not c.label for c in group),
            sum(c.label and not c.verdict for c in group),
            sum(c.verdict and not c.label for c in group),
            len({c.asset for c in group}),
        )
        for kind, group in groups.items()
    ]


def predicate_table(tallies: Sequence[Tally]) -> str:
    """A Markdown table of the predicates."""
    lines = [
        "| predicate | near hits | near misses | objects | precision | recall |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{t.kind}` | {t.hits} | {t.misses} | {t.assets} "
        f"| {100 * t.precision:.1f} % | {100 * t.recall:.1f} % |"
        for t in tallies
    ]
    return "\n".join(lines) + "\n"


def document(cases: Sequence[Case], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The result for machines; ``predicates`` has one entry per kind, in order."""
    rows = [{**asdict(t), "precision": t.precision, "recall": t.recall} for t in tally(cases)]
    wrong = [asdict(c) for c in cases if c.label != c.verdict]
    return {"schema": 1, "arguments": dict(arguments), "predicates": rows, "wrong": wrong}


def table_of_file(file: Path) -> str:
    """The Markdown table of a result that was written before."""
    fields = ("kind", "hits", "misses", "missed", "false", "assets")
    rows = json.loads(file.read_text(encoding="utf-8"))["predicates"]
    return predicate_table([Tally(*(row[f] for f in fields)) for row in rows])


def make_probe(kind: str, folder: Path) -> ArticulatedAsset:
    """A loose thing of a few centimetres: a ball, cube, stick or cup."""
    parts: dict[str, tuple[Part, ...]] = {
        "ball": (bar("ball", (0.0, -0.008, 0.0), (0.0, 0.008, 0.0), 0.008, GREY, sides=16),),
        "cube": (box("cube", (-0.015,) * 3, (0.015,) * 3, GREY),),
        "stick": (box("stick", (-0.01, -0.04, -0.01), (0.01, 0.04, 0.01), GREY),),
        "cup": (
            *tube("wall", (-0.04, 0.034), (0.04, 0.034), 0.003, GREY, sides=12),
            bar("floor", (0.0, -0.04, 0.0), (0.0, -0.036, 0.0), 0.032, GREY, sides=12),
        ),
    }
    model = Model(
        body=(),
        moving_link="whole",
        moving=parts[kind],
        joint=Joint("prismatic", (0.0,) * 3, (0.0, 1.0, 0.0), (0.0, 0.3), (0.0, 0.3), 0.0),
        keypoints={"articulated_object_head": (0.0, 0.0, 0.0)},
        descriptions={"articulated_object_head": "the middle"},
        axis=None,
        free=True,
        density=500.0,
    )
    target = folder / kind
    write_folder(model, target, category=kind, seed=0)
    return load_asset(AssetRef("procedural", kind, "0"), target)


def probe_at(asset: ArticulatedAsset, p_base: Array, R: Array | None = None) -> PlacedObject:
    """A probe with its centre at a point (3,) of base, which is where its root is."""
    return PlacedObject("probe", asset, se3.transform(p_base, R), 0.0)


def seen(placed: PlacedObject) -> ObjectObservation:
    """What is observed of an object at rest that nothing touches."""
    return ObjectObservation(placed.openness, 0.0, placed=placed)


class Rays:
    """Rays in the root frame of an asset against its hulls, by the physics engine.

    Args:
        asset: What they meet.
        q: Its joint position.
        still: Whether they meet only what does not move.
    """

    def __init__(self, asset: ArticulatedAsset, q: float, *, still: bool = False) -> None:
        """Builds a scene with the asset alone."""
        self._scene = sapien.Scene([sapien.physx.PhysxCpuSystem()])
        poses = asset.tree.link_poses(q)
        builder = self._scene.create_actor_builder()
        for shape in asset.tree.collisions:
            if still and shape.link == asset.tree.moving.child:
                continue
            builder.add_convex_collision_from_file(
                str(shape.mesh),
                sapien.Pose(poses[shape.link] @ shape.T_link_shape),
                [asset.info.scale] * 3,
            )
        builder.set_initial_pose(sapien.Pose())
        builder.build_static(name="asset")
        self._scene.step()

    def meet(self, start: Array, way: Array) -> float | None:
        """Distance (m) at which a ray from ``start`` along the unit vector ``way`` ends."""
        hit = self._scene.physx_system.raycast(start, way, FAR)
        return None if hit is None else float(hit.distance)


def across(axis: Array, angle: float) -> Array:
    """Unit vector (3,) at right angles to an axis of the frame."""
    k = int(np.argmax(np.abs(axis)))
    first, second = np.eye(3)[[i for i in range(3) if i != k]]
    return np.asarray(np.cos(angle) * first + np.sin(angle) * second)


def vertices_of_files(asset: ArticulatedAsset) -> Array:
    """Vertices (N, 3) of the OBJ files of what collides, m in the root frame at position 0."""
    poses = asset.tree.link_poses(0.0)
    points = []
    for shape in asset.tree.collisions:
        lines = shape.mesh.read_text(encoding="utf-8").splitlines()
        rows = [line.split()[1:4] for line in lines if line.startswith("v ")]
        vertices = np.array(rows, dtype=float) * asset.info.scale
        points.append(se3.apply(poses[shape.link] @ shape.T_link_shape, vertices))
    return np.concatenate(points)
