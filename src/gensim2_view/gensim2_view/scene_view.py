"""Draws the world: table, objects, keypoints, cloud, plan and markers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import viser
from gensim2_tasks.assets import AssetError, AssetLibrary
from numpy.typing import NDArray

from gensim2_view.markers import Key, Lines, Primitive, Text
from gensim2_view.meshes import MeshError, glb
from gensim2_view.object_model import ObjectModel, wxyz_of
from gensim2_view.robot_view import RobotView
from gensim2_view.scene_state import Scene, SceneObject
from gensim2_view.solids_view import Group, polyline, spheres

Array = NDArray[np.float64]
KEYPOINT, PATH, BOX = (236, 72, 153), (37, 99, 235), (148, 163, 184)
_POINT = 0.005
LABEL_LIFT = np.array([0.0, 0.0, 0.02])


class SceneView:
    """Everything that is drawn in three dimensions. Not for several threads at once."""

    def __init__(
        self, server: viser.ViserServer, library: AssetLibrary, workspace: tuple[Array, Array]
    ) -> None:
        """Draw what never changes.

        Args:
            server: the web server.
            library: where objects are found.
            workspace: lower and upper corner of the box that is drawn, m in base.
        """
        self._scene = scene = server.scene
        self._server = server
        self._library = library
        scene.configure_default_lights(cast_shadow=True)
        scene.add_grid(
            "/table",
            width=2.4,
            height=2.4,
            cell_size=0.1,
            section_size=0.5,
            cell_color=(215, 219, 224),
            section_color=(172, 180, 190),
            plane_color=(247, 248, 250),
            plane_opacity=1.0,
            position=(0.3, 0.0, -0.002),
        )
        scene.add_frame("/origin", axes_length=0.12, axes_radius=0.003)
        self.robot = RobotView(scene)
        self.groups = {
            name: Group(scene, f"/{name}")
            for name in ("objects", "keypoints", "cloud", "plan", "markers", "texts", "workspace")
        }
        # Most of what markers say the panels say too, and words hide what is behind them.
        self.groups["texts"].frame.visible = False
        self.groups["workspace"].show([box_edges(*workspace)])
        self._plan = {name: Group(scene, f"/plan/{name}") for name in ("path", "poses")}
        self._markers: dict[str, tuple[Group, Group]] = {}
        self._objects: list[_ObjectView] = []
        self._cloud: Any = None
        self._axes: Any = None

    def parts(self) -> dict[str, Any]:
        """Name and handle of what the user may hide."""
        return {"robot": self.robot.frame} | {n: g.frame for n, g in self.groups.items()}

    def show_scene(self, scene: Scene) -> list[str]:
        """Draw the objects and keypoints; return what is wrong with those left out."""
        problems = []
        for view in self._objects[len(scene.objects) :]:
            view.remove()
        del self._objects[len(scene.objects) :]
        items: list[Primitive] = []
        for i, state in enumerate(scene.objects):
            if i == len(self._objects):
                self._objects.append(_ObjectView(self._scene, f"/objects/{i}"))
            problems += self._objects[i].show(state, self._library)
            points = np.array([p for _, p in state.keypoints]).reshape(-1, 3)
            items.append(spheres(points, 0.018, KEYPOINT))
            items += [Text(p + LABEL_LIFT, name, 0.02) for name, p in state.keypoints]
        self.groups["keypoints"].show(items)
        return problems

    def show_cloud(self, xyz: NDArray[np.float32], rgb: NDArray[np.uint8]) -> None:
        """Draw the fused cloud: points (N, 3), m in base, and colours."""
        if self._cloud is not None and len(self._cloud.points) == len(xyz):
            with self._server.atomic():
                self._cloud.points, self._cloud.colors = xyz.astype(np.float16), rgb
            return
        if self._cloud is not None:
            self._cloud.remove()
            self._cloud = None
        if len(xyz):
            self._cloud = self._scene.add_point_cloud(
                "/cloud/points",
                xyz,
                rgb,
                point_size=_POINT,
                point_shape="circle",
                point_shading="flat",
            )

    def show_path(self, points: Array) -> None:
        """Draw the planned path of the TCP: points (N, 3), m in base."""
        self._plan["path"].show([polyline(points, 0.006, PATH)])

    def show_key_poses(self, wxyz: Array, positions: Array) -> None:
        """Draw the key poses of the plan: (N, 4) and (N, 3), m in base."""
        if self._axes is not None:
            self._axes.remove()
            self._axes = None
        if len(positions):
            self._axes = self._scene.add_batched_axes(
                "/plan/axes", wxyz, positions, axes_length=0.07, axes_radius=0.003
            )

    def show_markers(self, source: str, items: Mapping[Key, Primitive]) -> None:
        """Draw the markers of one topic in place of its former ones."""
        if source not in self._markers:
            number = len(self._markers)
            self._markers[source] = (
                Group(self._scene, f"/markers/{number}"),
                Group(self._scene, f"/texts/{number}"),
            )
        shapes, texts = self._markers[source]
        shapes.show([item for item in items.values() if not isinstance(item, Text)])
        texts.show([item for item in items.values() if isinstance(item, Text)])


class _ObjectView:
    """One object: its meshes as long as the asset is the same, its poses always."""

    def __init__(self, scene: viser.SceneApi, name: str) -> None:
        self._scene = scene
        self._name = name
        self._root = scene.add_frame(name, show_axes=False)
        self._asset = ""
        self._model: ObjectModel | None = None
        self._links: dict[str, Any] = {}

    def show(self, state: SceneObject, library: AssetLibrary) -> list[str]:
        """Draw the object; return what is wrong with it."""
        problems = []
        if state.asset != self._asset:
            problems = self._build(state.asset, library)
        self._root.wxyz, self._root.position = (
            wxyz_of(state.T_base_root),
            state.T_base_root[:3, 3],
        )
        if self._model is not None:
            for link, T in self._model.link_poses(state.joint_position).items():
                self._links[link].wxyz, self._links[link].position = wxyz_of(T), T[:3, 3]
        return problems

    def remove(self) -> None:
        """Take the object out of the scene."""
        self._root.remove()

    def _build(self, asset: str, library: AssetLibrary) -> list[str]:
        for handle in self._links.values():
            handle.remove()
        self._asset, self._model, self._links = asset, None, {}
        try:
            model = ObjectModel.load(library, asset)
            meshes = [glb(part.mesh) for part in model.parts]
        except (AssetError, MeshError) as error:
            return [str(error)]
        for i, link in enumerate(model.links):
            self._links[link] = self._scene.add_frame(f"{self._name}/{i}", show_axes=False)
        number = {link: i for i, link in enumerate(model.links)}
        for i, (part, data) in enumerate(zip(model.parts, meshes, strict=True)):
            self._scene.add_glb(
                f"{self._name}/{number[part.link]}/mesh{i}",
                data,
                scale=model.scale,
                wxyz=wxyz_of(part.T_link_shape),
                position=part.T_link_shape[:3, 3],
            )
        self._model = model
        return []


def box_edges(lower: Array, upper: Array) -> Lines:
    """Return the twelve edges of a box."""
    corner = np.stack([lower, upper])
    pairs = []
    for axis in range(3):
        for first in (0, 1):
            for second in (0, 1):
                picked = np.empty((2, 3))
                others = [a for a in range(3) if a != axis]
                picked[:, axis] = corner[:, axis]
                picked[:, others[0]] = corner[first, others[0]]
                picked[:, others[1]] = corner[second, others[1]]
                pairs.append(picked)
    colors = np.tile(np.array(BOX, dtype=np.uint8), (12, 2, 1))
    return Lines(np.array(pairs), colors, 0.002)
