"""Tasks in words: what they draw, how they are done and when they are done."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from gensim2_tasks.assets import PROCEDURAL, AssetLibrary, AssetRef
from gensim2_tasks.predicates import Predicate, SuccessCondition
from gensim2_tasks.specs import ObjectSpec, SubTask, TaskSpec

from gensim2_tasks import procedural

# What a predicate says, by its kind; those that are not here are told by their fields.
_SAYS = {
    "openness_above": "{object} is open by more than {percent:.0f} % of its way",
    "openness_below": "{object} is open by less than {percent:.0f} % of its way",
    "settled": "{object} moves slower than {value:g} rad/s or m/s",
    "upright": "{object} is tipped by less than {degrees:.0f} degrees",
    "inside": "the centre of mass of {object} is in the room of {container}",
    "on_top": "{object} stands on {support}, within {value:g} m of its height",
    "near": "the centre of mass of {object} is less than {value:g} m from `{keypoint}` of {target}",
    "under": "{object} is under the outlet of {target}, less than {value:g} m beside it",
    "held": "both fingers press on {object} with more than {value:g} N",
    "released": "nothing of the hand touches {object}",
    "lifted": "the lowest point of {object} is more than {value:g} m above the table",
}
_USUAL_FIELDS = {"name", "category", "placement", "openness"}


def predicate_words(predicate: Predicate) -> str:
    """What a predicate says, with its threshold."""
    fields: dict[str, Any] = predicate.model_dump()
    kind = fields.pop("kind")
    value = fields.get("value")
    if isinstance(value, float):
        fields |= {"degrees": math.degrees(value), "percent": 100.0 * value}
    try:
        return _SAYS[kind].format_map(fields)
    except KeyError:
        fields = predicate.model_dump(exclude={"kind"})
        return f"{kind} ({_pairs(fields)})"


def condition_words(condition: SuccessCondition) -> str:
    """What a condition says, with its dwell time."""
    text = _and(map(predicate_words, condition.all), "and")
    if condition.any:
        text += f", and {_and(map(predicate_words, condition.any), 'or')}"
    return f"{text}; held for {condition.dwell:g} s"


def subtask_words(subtask: SubTask) -> str:
    """What is done to which object, by what, after what, and when it is done."""
    fields = subtask.model_dump()
    text = f"**{subtask.name}** ({subtask.object})"
    if subtask.solvers:
        text += f": {', '.join(f'`{name}`' for name in subtask.solvers)}"
    if skill := fields.get("skill"):
        text += f": the skill `{skill}`"
        if target := fields.get("target"):
            text += f", to be {fields.get('region') or 'at'} {target}"
    if needs := fields.get("needs"):
        text += f"; needs {_and(needs, 'and')}"
    done: SuccessCondition | None = getattr(subtask, "done", None)
    if done is not None:
        text += f". Done when {condition_words(done)}"
    return text + "."


def object_words(spec: ObjectSpec, library: AssetLibrary) -> str:
    """Which object, how far it is open and where it stands."""
    place, opened = spec.placement, spec.openness
    generated = spec.category in procedural.categories()
    kind = "imported only"
    if generated:
        asset = library.load(AssetRef(PROCEDURAL, spec.category, "0"))
        free = "free on the table" if asset.info.free_body else "its base fixed"
        kind = f"generated or imported; generated ones: {free}"
    text = f"**{spec.name}**: `{spec.category}` ({kind}). "
    text += f"Starts {100 * opened.default:.0f} % open"
    if opened.spread:
        text += f", give or take {100 * opened.spread:.0f} %"
    anchor = f"its `{place.anchor}`" if place.anchor else "its root"
    text += f", {anchor} at x {place.x:g} m, y {place.y:g} m, give or take {place.spread:g} m"
    turn = "" if not place.yaw else f", turned by {math.degrees(place.yaw):.0f} degrees"
    if place.yaw_spread:
        turn += f", turned by up to {math.degrees(place.yaw_spread):.0f} degrees towards the robot"
    others = spec.model_dump(exclude_defaults=True, exclude=_USUAL_FIELDS)
    return text + turn + (f"; {_pairs(others)}" if others else "") + "."


def task_section(task: TaskSpec, picture: str, library: AssetLibrary) -> str:
    """The section of a task: instruction, picture, objects, sub-tasks and success.

    Args:
        task: What to tell of.
        picture: Where its picture is, as a link; empty = there is none.
        library: Where generated objects come from.
    """
    lines = [f"### {task.name}", "", f"*{task.instruction}*", ""]
    if picture:
        lines += [f"![Three scenes of {task.name}]({picture})", ""]
    lines += [f"* {object_words(spec, library)}" for spec in task.objects]
    lines.append("")
    lines += [f"{n}. {subtask_words(subtask)}" for n, subtask in enumerate(task.subtasks, 1)]
    lines += ["", f"Success: {condition_words(task.success)}."]
    return "\n".join(lines) + "\n"


def _pairs(fields: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in fields.items())


def _and(texts: Iterable[str], last: str) -> str:
    *first, end = texts
    return f"{', '.join(first)} {last} {end}" if first else end
