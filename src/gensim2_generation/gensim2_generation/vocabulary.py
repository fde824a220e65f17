"""The words a language model may use, explained: read off the tables that the planner uses."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import pi

from gensim2_kpam.motions import NAMED_MOTIONS
from gensim2_kpam.solver_config import SolverConfig, load_solver
from gensim2_kpam.tool import TOOL_KEYPOINTS
from gensim2_tasks.categories import KEYPOINTS
from gensim2_tasks.procedural import make_model

from gensim2_tasks import procedural

from .affordances import UP, Affordances, noun, shipped_affordances
from .stage_types import PREDICATES


@dataclass(frozen=True)
class Vocabulary:
    """What tasks can be about.

    Attributes:
        affordances: What can be done with which category.
        categories: Those that there are objects of.
    """

    affordances: Affordances = field(default_factory=shipped_affordances)
    categories: tuple[str, ...] = field(default_factory=procedural.categories)

    @property
    def movable(self) -> tuple[str, ...]:
        """Categories with a joint."""
        items = self.affordances.items
        return tuple(c for c in self.categories if c not in items)

    @property
    def carried(self) -> tuple[str, ...]:
        """Categories of things that the hand can pick up."""
        return tuple(c for c in self.categories if c in self.affordances.items)

    def solvers(self, category: str) -> tuple[str, ...]:
        """Names of the known solver configurations for a category."""
        moves = self.affordances.moves.items()
        return tuple(dict.fromkeys(s for (c, _), m in moves if c == category for s in m.solvers))

    def like(self, words: str) -> tuple[str, ...]:
        """Categories that words are about: all of the words are in the name."""
        wanted = set(words.lower().replace("_", " ").split())
        named = {c: {*c.split("_"), *noun(c).split()} for c in self.categories}
        return tuple(c for c, parts in named.items() if wanted and wanted <= parts)

    def catalogue(self, categories: Iterable[str]) -> str:
        """A line for each category: what it is and what has been done with it."""
        return "\n".join(f"- {c}: {self._about(c)}" for c in categories)

    def _about(self, category: str) -> str:
        known = self.affordances
        if category in known.items:
            return f"{noun(category)}; can be picked up"
        joint, free = _joint_of(category)
        text = f"{noun(category)}; {'stands free, is pushed along' if free else 'moves on'} {joint}"
        ways = [
            f"{m.verb} ({'towards open' if way == UP else 'towards closed'})"
            for (c, way), m in known.moves.items()
            if c == category
        ]
        if ways:
            text += f"; known: {', '.join(sorted(ways))}"
        place = known.places.get(category)
        if place is not None:
            text += f"; things can be put {place.region.replace('_', ' ')}"
            text += ", when it is open" if place.opened else ""
        return text

    def usual_places(self, objects: Mapping[str, str]) -> str:
        """Where objects of these categories (by name) stand in known tasks."""
        known = self.affordances
        specs = {c: m.thing for (c, _), m in known.moves.items()}
        specs |= {c: p.target for c, p in known.places.items() if c not in specs}
        specs |= known.items
        lines = []
        for name, category in objects.items():
            if category in specs:
                place, start = specs[category].placement, specs[category].openness
                lines.append(
                    f"- {name} ({category}): anchor {place.anchor or 'root'}, x {place.x:g}, "
                    f"y {place.y:g}, yaw {place.yaw:g}, spread {place.spread:g}, yaw_spread "
                    f"{place.yaw_spread:.2f}; openness {start.default:g} +- {start.spread:g}"
                )
        return "\n".join(lines) or "- (none of them is known)"


@functools.cache
def _joint_of(category: str) -> tuple[str, bool]:
    """Kind and range of the joint of a category in words, and whether the object stands free."""
    if category not in procedural.categories():
        return "a joint", False
    model = make_model(category, 0)
    closed, opened = model.joint.closed_open
    if model.joint.kind == "prismatic":
        return f"a slide of about {abs(opened - closed):.2f} m", model.free
    return f"a hinge of about {180 / pi * abs(opened - closed):.0f} degrees", model.free


def axis_of(category: str) -> str | None:
    """The axis of the part frame that ``rotate`` turns about; None = there is none."""
    return make_model(category, 0).axis if category in procedural.categories() else None


def object_keypoints(category: str) -> str:
    """A line for each keypoint."""
    known = procedural.categories()
    told = make_model(category, 0).descriptions if category in known else {}
    return "\n".join(f"- {k}: {told.get(k, 'no description')}" for k in KEYPOINTS[category])


def tool_keypoints() -> str:
    """A line for each keypoint of the tool, with where it is in the hand."""
    told = {
        "tool_head": "between the finger tips",
        "tool_tail": "between the roots of the fingers",
        "tool_side": "the tip of one finger when the hand is open",
    }
    return "\n".join(
        f"- {name}: {told.get(name, 'of the tool')}, at ({p[0]:g}, {p[1]:g}, {p[2]:g}) m in the "
        "hand, whose z points out of it and whose y is the way the fingers open"
        for name, p in TOOL_KEYPOINTS.items()
    )


def predicates() -> str:
    """A line for each predicate, from its own description."""
    lines = []
    for kind, model in PREDICATES.items():
        value = model.model_fields.get("value")
        usual = "" if value is None or value.is_required() else f" (usually {value.default:g})"
        lines.append(f"- {kind}: {_one_line(model.__doc__ or '')}{usual}")
    return "\n".join(lines)


def named_motions() -> str:
    """A line for each motion of fixed length."""
    return "\n".join(
        f"- {name}: ({x:g}, {y:g}, {z:g}) m in base" for name, (x, y, z) in NAMED_MOTIONS.items()
    )


def solver_text(name: str) -> str:
    """A known solver configuration as lines, for an example."""
    return config_text(load_solver(name), name)


def config_text(config: SolverConfig, name: str) -> str:
    """A solver configuration as lines."""
    lines = [f"{name}: gripper {config.gripper}"]
    for constraint in config.constraint_list:
        plain = constraint.model_dump(mode="json", exclude={"name"})
        lines.append("  " + ", ".join(f"{k} {v}" for k, v in plain.items()))
    for field_name in ("pre_actuation_motions", "post_actuation_motions"):
        found = [(m.kind, m.value) for m in getattr(config, field_name)]
        said = ", ".join(f"{kind} {value:g}" if value else kind for kind, value in found)
        lines.append(f"  {field_name}: {said or 'none'}")
    return "\n".join(lines)


def solver_examples(names: Sequence[str]) -> str:
    """Known solver configurations one below another."""
    return "\n".join(solver_text(name) for name in names) or "(none)"


def _one_line(text: str) -> str:
    return " ".join(text.replace("``value``", "its value").split())
