"""The table and the lamps of a scene, and the colours of what stands on it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sapien
from gensim2_tasks.assets import AssetError
from gensim2_tasks.conditions import Colour, LightConditions, TableConditions
from numpy.typing import NDArray
from sapien.physx import PhysxMaterial
from scipy.spatial.transform import Rotation

Array = NDArray[np.float64]
TABLE_HALF_SIZE = (0.65, 0.65, 0.025)
TABLE_CENTRE_X = 0.615
TABLE_COLOUR = (0.52, 0.40, 0.29)
PATTERN_PIXELS = 200  # along each side of the table
FACES = (3, 4)  # The faces of a box lie on its picture in so many rows and columns.
AMBIENT = (0.35, 0.35, 0.35)
# Direction and colour of the lamps, which are far away.
LAMPS = (((-0.5, -0.4, -1.0), (0.9, 0.9, 0.85)), ((1.0, 0.3, -0.6), (0.5, 0.5, 0.55)))
LOWEST = -0.3  # third part of the direction of a lamp; one from below would light nothing


def light(scene: sapien.Scene, lights: LightConditions) -> None:
    """Lights a scene."""
    shade = np.array(lights.tint) * lights.intensity
    turn = Rotation.from_rotvec(lights.turn)
    scene.set_ambient_light((np.array(AMBIENT) * shade).tolist())
    for direction, colour in LAMPS:
        way = turn.apply(np.array(direction) / np.linalg.norm(direction))
        way[2] = min(way[2], LOWEST)
        scene.add_directional_light(way.tolist(), (np.array(colour) * shade).tolist(), shadow=False)


def build_table(scene: sapien.Scene, table: TableConditions | None, *, render: bool) -> None:
    """Puts the table into a scene, its top at z = 0."""
    builder = scene.create_actor_builder()
    builder.add_box_collision(half_size=TABLE_HALF_SIZE, material=PhysxMaterial(0.6, 0.5, 0.0))
    if render:
        colour = TABLE_COLOUR if table is None else table.colour
        material = sapien.render.RenderMaterial(base_color=(*colour, 1.0))
        material.roughness = 0.8
        if table is not None and table.pattern:
            material.base_color_texture = sapien.render.RenderTexture2D(
                pattern(table), "R8G8B8A8Unorm", filter_mode="linear", srgb=True
            )
        builder.add_box_visual(half_size=TABLE_HALF_SIZE, material=material)
    builder.set_initial_pose(sapien.Pose([TABLE_CENTRE_X, 0.0, -TABLE_HALF_SIZE[2]]))
    builder.build_static(name="table")


def pattern(table: TableConditions) -> NDArray[np.uint8]:
    """Picture (3 N, 4 N, 4) of the table: what is on its top is on every side."""
    n = PATTERN_PIXELS
    cells = max(round(2 * TABLE_HALF_SIZE[0] / table.size), 1)
    v, u = np.mgrid[:n, :n] * cells // n
    if table.pattern == "stripes":
        second = u % 2 == 1
    elif table.pattern == "checks":
        second = (u + v) % 2 == 1
    else:
        # Its size alone says how speckles lie: nothing else of it is drawn.
        rng = np.random.default_rng(int(table.size * 1e9))
        second = rng.random((cells, cells))[v, u] < 0.3
    colours = np.where(second[..., None], table.second, table.colour)
    picture = np.dstack([colours, np.ones((n, n))])
    return np.tile(np.rint(picture * 255.0).astype(np.uint8), (*FACES, 1))


def load_visuals(entities: Sequence[sapien.Entity], asset: str, tint: Colour) -> None:
    """Reads the meshes that are shown, which would else happen at the first picture; tints them.

    What has a picture of its own on it keeps its colours.

    Raises:
        AssetError: One of them is damaged.
    """
    try:
        for entity in entities:
            body = entity.find_component_by_type(sapien.render.RenderBodyComponent)
            for shape in body.render_shapes if body is not None else ():
                if not shape.parts:
                    raise AssetError(f"asset {asset}: the mesh {shape.filename} is empty")
                for part in shape.parts if tint != (1.0, 1.0, 1.0) else ():
                    r, g, b, opacity = part.material.base_color
                    colour = np.array([r, g, b]) * tint
                    part.material.set_base_color([*colour.tolist(), opacity])
    except RuntimeError as error:
        raise AssetError(f"asset {asset}: {error}") from None
