"""Pictures for models that see: scene, object, hand and planned motion, with axes and keypoints.

Rendered without a screen. Where there is nothing to render on, the questions go out without them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from gensim2_control.camera_calibration import CameraCalibration, CameraCalibrations
from gensim2_control.hardware import FINGER_MAX, HOME_Q
from gensim2_control.marks import Mark, Text
from gensim2_kpam.plan import Plan, PlanFailure, SceneObject
from gensim2_kpam.plan_picture import failure_marks, plan_marks, way
from gensim2_kpam.planner import Planner
from gensim2_kpam.planner_config import PlannerConfig
from gensim2_kpam.task_planner import TaskPlanner
from gensim2_kpam.tool import TOOL_KEYPOINTS
from gensim2_sim_bridge.cameras import CameraConfig, CameraRig, NoRenderDeviceError
from gensim2_sim_bridge.shadow import looking_at, on_ground
from gensim2_sim_bridge.world import World
from gensim2_tasks.assets import AssetError, AssetLibrary
from gensim2_tasks.categories import PREFIX
from gensim2_tasks.placement import PlacedObject, draw_scene
from gensim2_tasks.predicates import OpennessAbove, OpennessBelow
from gensim2_tasks.specs import TaskSpec
from numpy.typing import NDArray

from gensim2_control import marks
from gensim2_tasks import se3

from .answers import plain
from .candidate import Candidate
from .overlay import Image, Lens, drawn
from .seeing import PictureError, Shown

Array = NDArray[np.float64]
SIZE = CameraConfig(width=640, height=480, fovy=0.75)
CAMERA = "eye"
# Where somebody looks from and at: at the whole scene, and from an object to its eye (m in base).
OVERVIEW = (np.array([-0.05, -1.15, 0.80]), np.array([0.50, 0.0, 0.15]))
ASIDE = np.array([-0.55, -0.50, 0.45])
MOTION_ASIDE = np.array([-0.15, -0.85, 0.45])
HAND_ASIDE = np.array([0.30, -0.30, 0.10])
AXIS = 0.12  # m, length of an axis that is drawn
HOME = np.array([*HOME_Q, FINGER_MAX, FINGER_MAX])
AXES = (("x", marks.RED), ("y", marks.GREEN), ("z", marks.BLUE))
PATIENCE = 3.0  # s of CPU for a plan without solvers that is only looked at
LONGEST = 200  # characters of a reason in a caption


class Renderer:
    """Implements `seeing.Pictures`.

    Args:
        urdf: Text of the robot description with absolute mesh paths.
        library: Where assets come from.
        seed: Of the scene that is shown; it is that of a task without its random offsets.

    Raises:
        PictureError: There is nothing to render on.
    """

    def __init__(self, urdf: str, library: AssetLibrary, seed: int = 0) -> None:
        self._library, self._seed, self._urdf = library, seed, urdf
        try:
            self._world = World(urdf)
            # A rig is only made where there is something to render on.
            self._look(*OVERVIEW)
        except (NoRenderDeviceError, RuntimeError) as error:
            raise PictureError(f"there are no pictures: {error}") from None
        self._planner: Planner | None = None
        self._hand: tuple[Shown, ...] = ()

    def scene(self, task: TaskSpec) -> Sequence[Shown]:
        """See `Pictures`."""
        objects = self._drawn(task)
        self._show(objects, HOME)
        base = frame_marks("base", np.eye(4), 0.2)
        names = [Text("names", p.T_base_root[:3, 3], p.name, marks.WHITE) for p in objects]
        shown = [
            Shown(
                self._taken(*OVERVIEW, [*base, *names]),
                "the scene from the right hand side of the robot, with the axes of base",
            )
        ]
        for placed in objects[:2]:
            middle = _middle(placed)
            drawn_marks = [
                *frame_marks("object", _axes_at(placed, middle), AXIS),
                *marks.labelled("object_keypoints", _short(placed.keypoints()), marks.GREEN),
            ]
            shown.append(
                Shown(
                    self._taken(middle + ASIDE, middle, drawn_marks),
                    f"{placed.name} ({placed.asset.ref.category}) from its front and left, with "
                    "the axes of its moving part (x red, y green, z blue), moved to its middle, "
                    "and its keypoints (articulated_object_ is left out of their names)",
                )
            )
        return shown

    def gripper(self) -> Sequence[Shown]:
        """See `Pictures`; the same one every time."""
        if not self._hand:
            self._show((), HOME)
            T = self._arm().arm.fk(HOME[:7])
            points = {k: se3.apply(T, p) for k, p in TOOL_KEYPOINTS.items()}
            middle = np.mean(list(points.values()), axis=0)
            over = [
                *frame_marks("hand", T, AXIS),
                *marks.labelled("tool_keypoints", points, marks.VIOLET),
            ]
            png = self._taken(middle + HAND_ASIDE, middle, over)
            said = "the hand with its axes (x red, y green, z blue) and the keypoints of the tool"
            self._hand = (Shown(png, said),)
        return self._hand

    def motion(self, candidate: Candidate, subtask: str) -> Sequence[Shown]:
        """See `Pictures`."""
        task = candidate.task
        numbers = [i for i, s in enumerate(task.subtasks) if s.solvers]
        named = [i for i in numbers if task.subtasks[i].name == subtask]
        if not (named or numbers):
            raise PictureError("no sub-task of it is planned with solvers")
        number = (named or numbers)[0]
        objects = _before(task, number, self._drawn(task))
        step = task.subtasks[number]
        scene = _scene(objects, step.object)
        with tempfile.TemporaryDirectory(prefix="gensim2-picture-") as folder:
            for name, text in candidate.files().items():
                if name.startswith("solvers/"):
                    (Path(folder) / Path(name).name).write_text(text, encoding="utf-8")
            planner = TaskPlanner(self._arm(), Path(folder))
            plan = planner.plan(task, number, scene, HOME[:7], self._seed)
            if isinstance(plan, PlanFailure):
                return [self._failed(step.name, plan, scene, objects)]
            solver = planner.solver_of(task, number, plan)
        arm = self._arm().arm
        over = _shortened(
            plan_marks(step.name, solver, scene, plan, way(plan, arm), arm.T_hand_tcp)
        )
        q = _actuation(plan)
        self._show(objects, np.array([*q, 0.0, 0.0]))
        middle = np.asarray(arm.fk(q)[:3, 3])
        eye = middle + MOTION_ASIDE
        solved = "none of its solvers but a general skill" if solver is None else solver.task_name
        return [
            Shown(
                self._taken(eye, middle, over),
                f"the planned motion of the step {step.name}, by {solved}: the arm at the "
                "actuation pose; key poses as axes, the way of the fingers as a line (blue before, "
                "orange during the contact), keypoints of the object green, of the tool violet"
                f"{_vain(plan)}",
            )
        ]

    def _failed(
        self, name: str, failure: PlanFailure, scene: SceneObject, objects: Sequence[PlacedObject]
    ) -> Shown:
        self._show(objects, HOME)
        over = _shortened(failure_marks(name, failure.reason, scene))
        png = self._taken(*OVERVIEW, over)
        reason = plain(failure.reason, LONGEST)
        return Shown(png, f"the start of the step {name}, for which no motion was found: {reason}")

    def _drawn(self, task: TaskSpec) -> tuple[PlacedObject, ...]:
        rng = np.random.default_rng(self._seed)
        try:
            return draw_scene(task, self._library, rng, randomize=False)
        except AssetError as error:
            raise PictureError(f"the scene cannot be set up: {error}") from None

    def _show(self, objects: Sequence[PlacedObject], q: Array) -> None:
        try:
            self._world.show(objects)
        except AssetError as error:
            raise PictureError(f"an object cannot be shown: {error}") from None
        for placed in objects:
            self._world.set_object(placed.name, placed.joint_position)
        self._world.set_robot(q)

    def _look(self, eye: Array, target: Array) -> tuple[Image, Lens]:
        place = CameraCalibration.from_matrix("base", looking_at(eye, target))
        rig = CameraRig(CameraCalibrations(cameras={CAMERA: place}), SIZE)
        (frame,) = rig.capture(self._world)
        return on_ground(frame), Lens(rig.intrinsics, looking_at(eye, target))

    def _taken(self, eye: Array, target: Array, over: Sequence[Mark]) -> bytes:
        image, lens = self._look(eye, target)
        return png_of(drawn(image, over, lens))

    def _arm(self) -> Planner:
        if self._planner is None:
            self._planner = Planner(self._urdf, PlannerConfig(skill_cpu_limit=PATIENCE))
        return self._planner


def frame_marks(name: str, T: Array, length: float) -> list[Mark]:
    """Arrows along the axes of a frame T (4, 4) in base, with their letters."""
    found: list[Mark] = []
    for number, (letter, colour) in enumerate(AXES):
        end = T[:3, 3] + length * T[:3, number]
        found.append(marks.Arrow(f"{name}_axes", T[:3, 3], end, colour))
        found.append(Text(f"{name}_letters", end, letter, colour))
    return found


def png_of(rgb: Image) -> bytes:
    """A picture (H, W, 3), red first, as a PNG file.

    Raises:
        PictureError: It is empty.
    """
    if rgb.size == 0:
        raise PictureError("the picture is empty")
    good, data = cv2.imencode(".png", np.ascontiguousarray(rgb[..., ::-1]))
    assert good
    return bytes(data)


def open_renderer(make: Callable[[], Renderer]) -> tuple[Renderer | None, str]:
    """A renderer, or why there is none."""
    try:
        return make(), ""
    except PictureError as error:
        return None, str(error)


def _shortened(over: Sequence[Mark]) -> list[Mark]:
    """Marks with keypoints named as in the other pictures."""
    return [
        replace(m, text=m.text.removeprefix(PREFIX)) if isinstance(m, Text) else m for m in over
    ]


def _vain(plan: Plan) -> str:
    """What was tried before a plan was found, and what most often was in the way."""
    before = plan.report.get("before")
    told = []
    for report in before if isinstance(before, list) else []:
        rejected = report.get("rejected") or [{"reason": "no solution of its constraints"}]
        told.append(f"{report.get('solver')}: {rejected[0]['reason']}")
    return f". In vain before: {plain('; '.join(told), LONGEST)}" if told else ""


def _short(points: dict[str, Array]) -> dict[str, Array]:
    return {k.removeprefix(PREFIX): p for k, p in points.items()}


def _middle(placed: PlacedObject) -> Array:
    points = list(placed.keypoints().values())
    return np.asarray(np.mean(points, axis=0)) if points else placed.T_base_root[:3, 3]


def _axes_at(placed: PlacedObject, middle: Array) -> Array:
    return se3.transform(middle, placed.T_base_part[:3, :3])


def _actuation(plan: Plan) -> Array:
    """The arm (7,) where the contact begins to move the object."""
    for phase in plan.phases:
        if phase.name == "actuate" and phase.trajectory is not None:
            return np.asarray(phase.trajectory.q[0])
    moving = [p.trajectory for p in plan.phases if p.trajectory is not None]
    return np.asarray(moving[-1].q[-1])


def _before(
    task: TaskSpec, number: int, objects: Sequence[PlacedObject]
) -> tuple[PlacedObject, ...]:
    """The objects as earlier sub-tasks leave their joints."""
    opened: dict[str, float] = {}
    for done in task.done_conditions[:number]:
        for predicate in done.all:
            if isinstance(predicate, OpennessAbove):
                opened[predicate.object] = 0.5 * (1.0 + predicate.value)
            elif isinstance(predicate, OpennessBelow):
                opened[predicate.object] = 0.5 * predicate.value
    return tuple(
        replace(o, joint_position=o.asset.joint_position(opened[o.name])) if o.name in opened else o
        for o in objects
    )


def _scene(objects: Sequence[PlacedObject], name: str) -> SceneObject:
    def one(placed: PlacedObject, others: tuple[SceneObject, ...] = ()) -> SceneObject:
        return SceneObject(
            placed.asset,
            placed.T_base_root,
            placed.joint_position,
            placed.keypoints(),
            placed.name,
            others,
        )

    others = tuple(one(o) for o in objects if o.name != name)
    return one(next(o for o in objects if o.name == name), others)
