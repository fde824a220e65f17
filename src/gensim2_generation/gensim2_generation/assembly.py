"""A draft as a candidate: task document and solver configurations, checked by the typed models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml
from gensim2_kpam.solver_config import SolverConfig, SolverConfigError, load_solver, parse_solver
from gensim2_tasks.catalogue import TaskError, parse_task
from gensim2_tasks.specs import TaskSpec

from .candidate import Candidate, CandidateError, Document, Origin, make_candidate
from .draft import OPEN, Carry, Draft, Move, Way
from .stage_types import ROOT

BOTTOM = "articulated_object_bottom_base"  # the keypoint under an outlet


def assemble(draft: Draft, origin: Origin) -> Candidate:
    """Makes the candidate of a draft that is complete.

    Raises:
        CandidateError: It is no task; the stage is the one whose answer is wrong.
    """
    solvers: dict[str, Document] = {}
    subtasks = _subtasks(draft, solvers)
    document = {
        "name": draft.name,
        "instruction": draft.instruction,
        "objects": objects_document(draft),
        "subtasks": subtasks,
        "success": {"all": list(draft.success)},
    }
    if len(subtasks) == 1:
        subtasks[0].pop("done", None)
    else:
        # What the whole task asks for: a thing may roll on for a while.
        subtasks[-1]["done"] = document["success"]
    try:
        return make_candidate(document, solvers, origin)
    except CandidateError as error:
        stage = "constraints" if error.stage == "solvers" else "predicates"
        raise CandidateError(stage, str(error)) from None


def objects_document(draft: Draft) -> list[dict[str, Any]]:
    """The objects as a task document has them."""
    places = {str(p["object"]): p for p in draft.places}
    found = []
    for name, category in draft.objects.items():
        place = places[name]
        anchor = place["anchor"]
        placement = {k: place[k] for k in ("x", "y", "yaw", "spread", "yaw_spread")}
        placement["anchor"] = "" if anchor == ROOT else anchor
        openness = {"default": place["openness"], "spread": place["openness_spread"]}
        found.append(
            {"name": name, "category": category, "placement": placement, "openness": openness}
        )
    return found


def scene_task(draft: Draft) -> TaskSpec:
    """A task that sets up the scene of a draft whose goals are not known yet.

    Raises:
        CandidateError: The objects are not placed as a task may have them.
    """
    first = next(iter(draft.objects))
    document = {
        "name": draft.name,
        "instruction": draft.instruction,
        "objects": objects_document(draft),
        "subtasks": [{"name": "nothing", "object": first, "solvers": ["Nothing"]}],
        "success": {"all": [{"kind": "settled", "object": first}]},
    }
    try:
        return parse_task(_text(document), "task")
    except TaskError as error:
        raise CandidateError("place", str(error)) from None


def solver_of(way: Way, name: str) -> SolverConfig:
    """The solver configuration of a way.

    Raises:
        CandidateError: It is none.
    """
    try:
        return parse_solver(_text(solver_document(way, name)), "alternative")
    except SolverConfigError as error:
        raise CandidateError("constraints", str(error)) from None


def solver_document(way: Way, name: str) -> Document:
    """The same as a document."""
    post = list(way.post or ())
    if way.reuse:
        known = load_solver(way.reuse)
        plain = known.model_dump(mode="json", exclude_defaults=True)
        plain["pre_actuation_motions"] = [[m.kind, m.value] for m in known.pre_actuation_motions]
        return {**plain, "task_name": name, "post_actuation_motions": post}
    used = [c for c in way.constraints if "target_keypoint_name" in c]
    return {
        "task_name": name,
        "category_name": "Articulated",
        "object_keypoint_name_list": sorted({str(c["target_keypoint_name"]) for c in used}),
        "gripper": way.gripper,
        "constraint_list": [dict(c) for c in way.constraints],
        "pre_actuation_motions": list(way.pre),
        "post_actuation_motions": post,
    }


def solver_names_of(draft: Draft, step: Move, solvers: dict[str, Document]) -> list[str]:
    """Names of the solvers of a move, in order; its own ones go into ``solvers``."""
    names: list[str] = []
    for number, way in enumerate(draft.ways[step.name], start=1):
        name = f"{draft.name}_{_camel(step.name)}{number}"
        if way.reuse and _is_known(way):
            name = way.reuse
        else:
            solvers[name] = solver_document(way, name)
        if name not in names:
            names.append(name)
    return names


def _is_known(way: Way) -> bool:
    """Whether a way that reuses a solver has changed nothing of it."""
    known = load_solver(way.reuse)
    return way.post is None or solver_of(way, known.task_name) == known


def _subtasks(draft: Draft, solvers: dict[str, Document]) -> list[dict[str, Any]]:
    several = sum(isinstance(s, Carry) for s in draft.steps) > 1
    found: list[dict[str, Any]] = []
    for step in draft.steps:
        if isinstance(step, Move):
            subtask: dict[str, Any] = {
                "name": step.name,
                "object": step.object,
                "solvers": solver_names_of(draft, step, solvers),
                "done": {"all": list(draft.done.get(step.name) or default_end(step))},
            }
            needs = [_carry_name("place", c, several) for c in draft.needs(step)]
            found.append({**subtask, "needs": needs} if needs else subtask)
        else:
            found += _pick_and_place(draft, step, several)
    return found


def _pick_and_place(draft: Draft, step: Carry, several: bool) -> list[dict[str, Any]]:
    opened = draft.opened(step)
    needs = [opened.name] if opened is not None else []
    common = {"object": step.object, "target": step.target, "region": step.region}
    pick, place = (_carry_name(verb, step, several) for verb in ("pick", "place"))
    held = {"kind": "held", "object": step.object}
    there = [there_now(step), {"kind": "released", "object": step.object}]
    return [
        {"name": pick, "skill": "pick", **common, "needs": needs, "done": {"all": [held]}},
        {
            "name": place,
            "skill": "place",
            **common,
            "needs": [*needs, pick],
            "done": {"all": there},
        },
    ]


def _carry_name(verb: str, step: Carry, several: bool) -> str:
    return f"{verb} {step.object.replace('_', ' ')}" if several else verb


def default_end(step: Move) -> tuple[Document, ...]:
    """All the way, as a condition."""
    kind = "openness_above" if step.towards == OPEN else "openness_below"
    return ({"kind": kind, "object": step.object},)


def there_now(step: Carry) -> Document:
    """That a thing is where it is to be put."""
    if step.region == "inside":
        return {"kind": "inside", "object": step.object, "container": step.target}
    if step.region == "on_top":
        return {"kind": "on_top", "object": step.object, "support": step.target}
    return {"kind": "under", "object": step.object, "target": step.target, "keypoint": BOTTOM}


def holds_at_start(draft: Draft, success: Sequence[Document]) -> str:
    """Why the goal may hold before anything is done; empty = the openness tells that it does not.

    Only what a joint tells is looked at; the rest shows when the task is run.
    """
    places = {str(p["object"]): p for p in draft.places}
    levels = [p for p in success if str(p["kind"]).startswith("openness")]
    others = [p for p in success if p["kind"] not in ("settled", "upright", "released", "near")]
    if not levels or len(others) > len(levels):
        return ""
    for share in (-1.0, 0.0, 1.0):
        at = {
            name: min(1.0, max(0.0, p["openness"] + share * p["openness_spread"]))
            for name, p in places.items()
        }
        if all(_level_holds(p, at[str(p["object"])]) for p in levels):
            said = ", ".join(f"{name} is open by {at[name]:.2f}" for name in draft.objects)
            return f"the goal holds already at a start that may be drawn: {said}"
    return ""


def _level_holds(predicate: Document, openness: float) -> bool:
    if predicate["kind"] == "openness_above":
        return bool(openness > predicate["value"])
    return bool(openness < predicate["value"])


def _text(document: Document) -> str:
    return yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True)


def _camel(words: str) -> str:
    return "".join(w[:1].upper() + w[1:] for w in words.split())
