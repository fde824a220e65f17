"""The 42 solver configurations of the public GenSim2 as data, and as YAML in its schema.

One line each: name, category, constraints, pre-motions, post-motions, times. ``T@hd`` puts the
tool's tail at the object's head; ``HS.+x[o]=1`` is the angle between the tool's axis from head to
side and +x of the object; ``HT.(hd>tl)=-1`` that to the axis between two object keypoints. Frames:
o object, w world, t the slip of one file. Times: actuation; pre; post, or - where they are absent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

TABLE = """
OpenBox A | T@hd HS.+x[o]=1 HT.(hd>tl)=-1 HS.(hd>tl)=0 HT.+x[o]=0 | tx-.05 tz-.15 | rotate-.5 | 24;16,20;32
CloseBox A | T@hd HS.+x[o]=1 HT.+x[o]=0 | tx+.06 tz-.15 | tz+.08 tx-.3 | 24;16,20;26,32
OpenLaptop A | T@hd HS.+x[o]=1 HT.(hd>tl)=-1 HS.(hd>tl)=0 HT.+x[o]=0 | tx-.05 tz-.15 | tz+.05 tx+.15 | 20;12,16;22,30
CloseLaptop A | T@hd HS.+x[o]=1 HT.+x[o]=0 | tx+.06 tz-.15 | tz+.05 tx-.25 | 20;12,16;22,30
TurnOnFaucet A | H@hd HT.+z[w]=1 HS.+z[w]=0 HS.+z[o]=0 HS.+x[o]=1 | ty+.12 tz-.15 | tz+.05 ty-.08 tx+.05 | 16;8,12;20,24,28
TurnOffFaucet A | H@hd HT.+z[w]=1 HS.+z[t]=0 HS.+z[o]=0 HS.+x[o]=1 | ty-.1 tz-.15 | tz+.05 ty+.08 | 16;8,12;20,24
OpenDrawer A | H@hd HS.+x[o]=1 HT.+z[o]=0 | tx+.1 tz-.1 | move-backward | -
PushDrawerClose A | H@hd HS.+x[o]=1 HT.+z[o]=0 | tx-.05 tz-.05 | tx+.13 | 14;7,9;17
SwingBucketHandle A | T@hd TH.+z[w]=-1 HS.+y[o]=0 | tz-.1 | tz+.05 tx+.1 | 20;15;24,28
LiftBucketUpright A | T@hd TH.-z[o]=1 HS.+z[w]=1 | tz-.2 tx-.1 | move-up move-up | -
MoveBagForward A | T@hd HS.+y[o]=-1 HT.+x[o]=1 | tx-.05 tz-.15 | move-forward move-up | -
SwayBagStrap A | T@hd HS.+y[o]=-1 HT.+x[o]=1 | tz-.05 | move-forward | -
OpenSafe A | T@hd HS.+y[o]=1 HT.+x[o]=-1 | tx+.1 tz-.15 | move-right move-right | -
CloseSafe A | T@hd HS.+z[o]=0 HT.+y[o]=1 | tx-.1 tz-.2 | tx+.2 | -
RotateMicrowaveDoor A | H@hd HS.+x[o]=1 HT.+z[o]=0 | tx+.12 tz-.2 | move-left move-backward | -
CloseMicrowave A | T@hd HS.+y[o]=-1 HT.+x[o]=1 | tx-.1 tz-.15 | move-right move-forward move-forward | -
OpenRefrigeratorDoor A | T@hd HS.+y[o]=-1 HT.+x[o]=1 | tx+.1 tz-.15 | tx-.5 | -
CloseRefrigeratorDoor A | T@hd HS.+y[o]=-1 HT.+x[o]=1 | tx-.05 tz-.15 | move-right move-forward move-forward | -
SwingDoorOpen A | H@hd HT.+y[o]=0 HS.+x[o]=1 | tz-.05 | move-right move-right | -
ToggleDoorClose A | T@hd HS.+y[o]=1 HT.+x[o]=-1 | tz-.05 | move-forward move-left move-backward | -
PushOvenClose A | H@hd HS.+x[o]=1 HT.+z[o]=0 | tx-.05 tz-.1 | move-forward move-forward | -
RotateOvenKnob A | H@hd HS.+x[o]=1 HT.+z[o]=0 | tx+.1 tz-.15 | move-down | -
PressToasterLever A | S@hd HS.+x[o]=1 HT.+z[o]=0 | tz-.15 | move-down move-down | -
PushToasterForward A | T@hd HS.+x[o]=1 HT.+z[o]=0 | tx-.05 tz-.15 | move-forward move-backward | -
PushBox A | H@hd HS.+x[o]=1 HT.+z[o]=0 | tx-.05 tz-.15 | move-forward move-left move-forward | -
SwingSuitcaseLidOpen A | T@hd HS.+x[o]=-1 HT.(hd>tl)=-1 HS.(hd>tl)=0 HT.+x[o]=0 | tx-.05 tz-.1 | move-forward | -
CloseSuitcaseLid A | T@hd HS.+x[o]=-1 HT.(hd>tl)=-1 HS.(hd>tl)=0 HT.+x[o]=0 | tx+.1 tz-.15 | move-down move-backward | -
RelocateSuitcase A | H@hd TH.+y[o]=0 HS.+y[o]=1 | tz-.05 | move-down move-forward move-up | -
MoveAboveBucket A | H@above HS.+y[w]=-1 HT.+z[w]=1 | tz-.1 ty+.2 | | 30;15,20;
MoveInsideBox A | H@inside_base HS.+y[w]=-1 HT.+z[w]=1 | tz-.1 ty+.2 | | 30;15,20;
MoveOnLaptop A | H@surface_base HS.+y[w]=-1 HT.+z[w]=1 | tz-.1 ty+.2 | | 30;15,20;
MoveToDrawer A | H@inside HS.+y[w]=-1 HT.+z[w]=1 | tz-.1 ty+.2 | | 30;15,20;
MoveToRefrigerator A | H@inside_base HS.+y[w]=-1 HT.+z[w]=1 | tx-.2 ty+.2 | | 30;15,20;
MoveInMicrowave A | H@inside_base HT.+z[w]=.707 HS.+y[o]=0 | tx-.1 tz-.2 | | 30;20,25;
MoveUnderFaucet A | H@bottom_base HT.+z[w]=0 HS.+x[w]=1 | ty-.15 tx-.2 | | 30;20,25;
ReachRigidBody R | H@rg HT.+z[w]=1 | tz-.2 | tz+.05 | 20;12;24
ReachRigidBodyEdge R | S@rg HT.+z[w]=1 | tz-.2 | | 20;12;
ReachRigidBodyHorizontal R | H@rg HT.+z[w]=0 HS.+z[w]=0 | tz-.05 | tz+.05 | 20;15;25
ReachThinObject R | H@rg HT.+z[w]=1 HS.+x[o]=0 | tz-.2 | tz+.02 | 20;12;
ReachXAxis R | T@rh HS.+x[o]=-1 HT.+z[w]=1 | tz-.2 | | 20;12;
ReachCuboid R | T@rh HS.+x[o]=-1 HT.+z[w]=1 | tz-.2 | | 20;12;
ReachBall R | H@rh HS.+y[o]=-1 HT.+z[w]=1 | tz-.3 | | 20;12;
"""  # noqa: E501
TOOL = {"H": "tool_head", "T": "tool_tail", "S": "tool_side"}
OBJECT = {
    "hd": "articulated_object_head",
    "tl": "articulated_object_tail",
    **{
        name: f"articulated_object_{name}"
        for name in ("above", "inside", "inside_base", "surface_base", "bottom_base")
    },
    # The same point; the first five of these files are less exact.
    "rg": "rigidbody_object_head",
    "rh": "rigidbody_object_head",
}
FRAMES = {"o": "object", "w": "world", "t": "frame_axis_parallel"}
AXES = {"x": [1.0, 0, 0], "y": [0, 1.0, 0], "z": [0, 0, 1.0]}
TRANSLATIONS = {"tx": "translate_x", "ty": "translate_y", "tz": "translate_z", "rotate": "rotate"}


@dataclass(frozen=True)
class PublicSolver:
    """One configuration: constraints as fields, motions as (name, value or None), times."""

    name: str
    category: str
    constraints: tuple[dict[str, object], ...]
    pre: tuple[tuple[str, float | None], ...]
    post: tuple[tuple[str, float | None], ...]
    times: tuple[int, tuple[int, ...], tuple[int, ...]] | None

    def yaml(self) -> str:
        """The file, laid out as the public ones are."""
        lines = [
            f"task_name: {self.name}",
            f"category_name: {self.category}",
            "tool_keypoint_name_list: [tool_head, tool_tail, tool_side]",
            f"object_keypoint_name_list: [{', '.join(self.object_keypoints)}]",
            "",
            "constraint_list:",
        ]
        for constraint in self.constraints:
            entries = [f"{key}: {_plain(value)}" for key, value in constraint.items()]
            lines += ["- " + entries[0], *("  " + entry for entry in entries[1:]), ""]
        for when, motions in (("pre", self.pre), ("post", self.post)):
            shown = [name if v is None else f"[{name}, {v}]" for name, v in motions]
            lines.append(f"{when}_actuation_motions: [{', '.join(shown)}]")
        if self.times is not None:
            lines += [
                f"actuation_time: {self.times[0]}",
                f"pre_actuation_times: {list(self.times[1])}",
                f"post_actuation_times: {list(self.times[2])}",
            ]
        return "\n".join(lines) + "\n"

    @property
    def object_keypoints(self) -> list[str]:
        """Names of the object keypoints that the constraints refer to, sorted."""
        return sorted(
            {str(v) for c in self.constraints for k, v in c.items() if k.startswith("target_k")}
            | {str(v) for c in self.constraints for k, v in c.items() if "target_axis_" in k}
            & {*OBJECT.values()}
        )


def _plain(value: object) -> str:
    """A value as these files write it: whole numbers without a point."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _constraint(text: str) -> dict[str, object]:
    if "@" in text:
        tool, point = text.split("@")
        return {
            "keypoint_name": TOOL[tool],
            "target_keypoint_name": OBJECT[point],
            "tolerance": 0.001 if point == "rg" else 0.0001,
            "type": "point2point_constraint",
        }
    tool, axis, product = re.fullmatch(r"(..)\.(.*)=(.*)", text).groups()  # type: ignore[union-attr]
    kind = "orthogonal" if float(product) == 0.0 else "parallel"
    start = {
        "axis_from_keypoint_name": TOOL[tool[0]],
        "axis_to_keypoint_name": TOOL[tool[1]],
    }
    end = {"target_inner_product": float(product), "tolerance": 0.01}
    if axis.startswith("("):
        first, last = axis.strip("()").split(">")
        target: dict[str, object] = {
            "target_axis_from_keypoint_name": OBJECT[first],
            "target_axis_to_keypoint_name": OBJECT[last],
        }
        return {**start, **target, **end, "type": f"keypoint_axis_{kind}"}
    sign = 1 if axis[0] == "+" else -1
    target = {
        "target_axis": [sign * x for x in AXES[axis[1]]],
        "target_axis_frame": FRAMES[axis[3]],
    }
    return {**start, **target, **end, "type": f"frame_axis_{kind}", "name": f"{tool}_{kind}"}


def _motion(text: str) -> tuple[str, float | None]:
    found = re.fullmatch(r"(t[xyz]|rotate)([+-][.\d]+)", text)
    if found is None:
        return text, None
    return TRANSLATIONS[found.group(1)], float(found.group(2))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(",") if part)


def _row(line: str) -> PublicSolver:
    head, constraints, pre, post, times = (part.strip() for part in line.split("|"))
    name, category = head.split()
    stamps = None
    if times != "-":
        act, before, after = times.split(";")
        stamps = (int(act), _numbers(before), _numbers(after))
    return PublicSolver(
        name,
        {"A": "Articulated", "R": "RigidBody"}[category],
        tuple(_constraint(text) for text in constraints.split()),
        tuple(_motion(text) for text in pre.split()),
        tuple(_motion(text) for text in post.split()),
        stamps,
    )


SOLVERS = {s.name: s for s in (_row(line) for line in TABLE.strip().splitlines())}
