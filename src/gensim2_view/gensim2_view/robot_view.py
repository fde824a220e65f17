"""Draws the robot: once its meshes, then the poses of its joints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import viser

from gensim2_view.meshes import MeshError, glb
from gensim2_view.robot_model import RobotModel

ROOT = "/robot"


class RobotView:
    """The robot in the scene."""

    def __init__(self, scene: viser.SceneApi) -> None:
        self._scene = scene
        self.frame: Any = scene.add_frame(ROOT, show_axes=False)
        self._model: RobotModel | None = None
        self._links: dict[str, Any] = {}

    def show(self, model: RobotModel) -> list[str]:
        """Draw a robot in place of the former; return what is wrong with meshes left out."""
        for path in [p for link, p in (self._model.links if self._model else {}).items()][:1]:
            self._scene.remove_by_name(ROOT + path)
        self._model = model
        rest, problems = model.rest(), []
        for link, path in model.links.items():
            pose = rest.get(link)
            handle = self._scene.add_frame(ROOT + path, show_axes=False)
            if pose is not None:
                handle.wxyz, handle.position = pose
            self._links[link] = handle
            for i, visual in enumerate(model.visuals[link]):
                try:
                    data = glb(visual.mesh)
                except MeshError as error:
                    problems.append(str(error))
                    continue
                wxyz, position = visual.pose
                self._scene.add_glb(
                    f"{ROOT}{path}/visual{i}",
                    data,
                    scale=visual.scale,
                    wxyz=wxyz,
                    position=position,
                )
        return problems

    def move(self, positions: Mapping[str, float]) -> None:
        """Pose the joints, rad or m by name."""
        if self._model is None:
            return
        for link, (wxyz, position) in self._model.moved(positions).items():
            handle = self._links[link]
            handle.wxyz, handle.position = wxyz, position
