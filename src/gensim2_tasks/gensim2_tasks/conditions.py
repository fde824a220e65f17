"""What was drawn of physics, looks and sensing for one scene; `randomisation` says what may be.

Every kind is drawn from a generator of its own: whether one is on changes neither the others nor
which objects stand where.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from scipy.spatial.transform import Rotation

from . import se3
from .randomisation import KINDS, Cameras, Kind, Randomisation, Textures
from .se3 import Array

# Second number of the seed of each kind; never 0, with which a seed is the same as alone.
_STREAMS: Mapping[str, int] = {kind: 101 + number for number, kind in enumerate(KINDS)}
_CLUTTER_STREAM = 120
Colour = tuple[float, float, float]
Pattern = Literal["", "checks", "stripes", "speckles"]
PATTERNS: tuple[Pattern, ...] = ("", "checks", "stripes", "speckles")


@dataclass(frozen=True)
class ObjectConditions:
    """What is different about one object; see `Randomisation`.

    Attributes:
        mass: Factor.
        friction: Factor.
        joint_friction: Factor.
        joint_damping: N m s/rad or N s/m.
        tint: Factors (3,) of its colours.
    """

    mass: float = 1.0
    friction: float = 1.0
    joint_friction: float = 1.0
    joint_damping: float = 0.0
    tint: Colour = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class LightConditions:
    """Factor of intensities; turn (3,) of the lamps, rad as a rotation vector; tint (3,)."""

    intensity: float = 1.0
    turn: tuple[float, float, float] = (0.0, 0.0, 0.0)
    tint: Colour = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class TableConditions:
    """Colours (3,) of the table, and the pattern in which both alternate; empty = the first one."""

    colour: Colour
    second: Colour
    pattern: Pattern = ""
    size: float = 0.1  # m, of a check, stripe or speckle


@dataclass(frozen=True)
class Conditions:
    """What was drawn for one scene. Without arguments everything is as usual.

    Attributes:
        seed: Of the scene; cameras and the noise of pictures are drawn with it.
        objects: By name; one that is missing is as usual.
        lights: Of the scene.
        table: None = as usual.
        cameras: How far cameras may be off; None = not at all.
        depth: Scale of the noise of depth pictures; 0 = none.
    """

    seed: int = 0
    objects: Mapping[str, ObjectConditions] = field(default_factory=dict)
    lights: LightConditions = LightConditions()
    table: TableConditions | None = None
    cameras: Cameras | None = None
    depth: float = 0.0

    def of(self, name: str) -> ObjectConditions:
        """What is different about an object."""
        return self.objects.get(name, ObjectConditions())

    def camera_offset(self, name: str) -> Array:
        """T_calibrated_actual (4, 4) of a camera: where it is, seen from where it should be."""
        if self.cameras is None:
            return np.eye(4)
        rng = self._rng("cameras", name)
        xyz = rng.uniform(-1.0, 1.0, 3) * self.cameras.distance
        turn = rng.uniform(-1.0, 1.0, 3) * self.cameras.angle
        return se3.transform(xyz, Rotation.from_rotvec(turn))

    def depth_rng(self, camera: str, step: int) -> np.random.Generator:
        """Source of the noise of one picture: of a camera, so many steps after the reset."""
        return self._rng("depth", camera, step)

    def _rng(self, kind: Kind, name: str, *more: int) -> np.random.Generator:
        words = [self.seed, _STREAMS[kind], zlib.crc32(name.encode()), *more]
        return np.random.default_rng(words)

    def record(self, cameras: Iterable[str] = ()) -> dict[str, Any]:
        """What was drawn, for the manifest; only what is not as usual.

        Args:
            cameras: Names of the cameras there are.
        """
        record: dict[str, Any] = {}
        if any(o != ObjectConditions() for o in self.objects.values()):
            record["objects"] = {name: _plain(o) for name, o in self.objects.items()}
        if self.lights != LightConditions():
            record["lights"] = _plain(self.lights)
        if self.table is not None:
            record["table"] = _plain(self.table)
        if self.cameras is not None:
            record["cameras"] = {name: self._camera_record(name) for name in cameras}
        if self.depth:
            record["depth"] = self.depth
        return record

    def _camera_record(self, name: str) -> dict[str, list[float]]:
        T = self.camera_offset(name)
        turn = Rotation.from_matrix(T[:3, :3]).as_rotvec()
        return {"xyz": T[:3, 3].tolist(), "rotvec": turn.tolist()}


AS_USUAL = Conditions()


def draw_conditions(wanted: Randomisation, seed: int, names: Sequence[str]) -> Conditions:
    """Draws what differs in a scene.

    Args:
        wanted: What may, and by how much.
        seed: Of the scene.
        names: Of its objects, those of the task first.
    """
    rngs = {kind: np.random.default_rng([seed, _STREAMS[kind]]) for kind in KINDS}
    objects = {}
    for name in names:
        values: dict[str, Any] = {}
        if wanted.mass is not None:
            values["mass"] = wanted.mass.draw(rngs["mass"])
        if wanted.friction is not None:
            values["friction"] = wanted.friction.draw(rngs["friction"])
        if wanted.damping is not None:
            values["joint_friction"] = wanted.damping.friction.draw(rngs["damping"])
            values["joint_damping"] = wanted.damping.damping.draw(rngs["damping"])
        if wanted.textures is not None:
            # Of its own, so that more or fewer objects do not change the table.
            rng = np.random.default_rng([seed, _STREAMS["textures"], zlib.crc32(name.encode())])
            values["tint"] = _tint(rng, wanted.textures.tint)
        objects[name] = ObjectConditions(**values)
    lights = LightConditions()
    if wanted.lights is not None:
        rng = rngs["lights"]
        intensity = wanted.lights.intensity.draw(rng)
        turn = rng.uniform(-1.0, 1.0, 3) * wanted.lights.turn
        lights = LightConditions(intensity, _three(turn), _tint(rng, wanted.lights.tint))
    table = None
    if wanted.textures is not None:
        table = _draw_table(rngs["textures"], wanted.textures)
    depth = wanted.depth.draw(rngs["depth"]) if wanted.depth is not None else 0.0
    return Conditions(seed, objects, lights, table, wanted.cameras, depth)


def clutter_rng(seed: int, draw: int) -> np.random.Generator:
    """Source of what stands about in a scene, which has been drawn so many times."""
    return np.random.default_rng([seed, _CLUTTER_STREAM, draw])


def _draw_table(rng: np.random.Generator, wanted: Textures) -> TableConditions:
    first, second = _three(rng.uniform(0.15, 0.9, 3)), _three(rng.uniform(0.15, 0.9, 3))
    pattern = PATTERNS[int(rng.integers(len(PATTERNS)))]
    size = float(rng.uniform(0.03, 0.15))
    return TableConditions(first, second, pattern if wanted.pattern else "", size)


def _tint(rng: np.random.Generator, most: float) -> Colour:
    return _three(1.0 - rng.uniform(0.0, 1.0, 3) * most)


def _three(values: Array) -> Colour:
    a, b, c = (float(v) for v in values)
    return a, b, c


def _plain(drawn: object) -> dict[str, Any]:
    return {k: list(v) if isinstance(v, tuple) else v for k, v in vars(drawn).items()}
