"""Task documents of any kind, and what must hold: a valid task, or a `TaskError` that says why."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import numpy as np
from gensim2_tasks.catalogue import TaskError, load_task, parse_task, task_names
from gensim2_tasks.categories import KEYPOINTS
from gensim2_tasks.predicates import ObjectObservation
from gensim2_tasks.specs import TaskSpec
from yaml_fuzz_inputs import TOKENS, draw_document


class Documents:
    """Changed files of the catalogue, and names of tasks.

    Args:
        _scratch: Not used.
    """

    def __init__(self, _scratch: Path) -> None:
        folder = resources.files("gensim2_tasks") / "catalogue_data" / "tasks"
        self._texts = [(folder / f"{name}.yaml").read_text("utf-8") for name in task_names()]

    def run(self, seed: int) -> bool:
        """Reads one document, or looks up one name; True = taken."""
        rng = np.random.default_rng(seed)
        if rng.random() < 0.1:
            return _taken(_name(rng))
        try:
            task = parse_task(draw_document(rng, self._texts), "input.yaml")
        except TaskError as error:
            assert str(error).startswith("input.yaml: ") and len(str(error)) < 20_000
            return False
        check_task(task)
        return True


def _name(rng: np.random.Generator) -> str:
    name = str(rng.choice(task_names()))
    if rng.random() < 0.2:
        return name
    at = int(rng.integers(len(name)))
    return name[:at] + str(rng.choice(TOKENS)) + name[at + int(rng.integers(3)) :]


def _taken(name: str) -> bool:
    try:
        load_task(name)
    except TaskError as error:
        assert "did you mean" in str(error)
        return False
    return name in task_names()


def check_task(task: TaskSpec) -> None:
    """Whatever uses the task may rely on this."""
    names = {o.name for o in task.objects}
    for spec in task.objects:
        place = spec.placement
        numbers = [place.x, place.y, place.yaw, place.spread, place.yaw_spread]
        assert np.isfinite([*numbers, spec.openness.default, spec.openness.spread]).all()
        assert spec.category in KEYPOINTS
        assert not place.anchor or place.anchor in KEYPOINTS[spec.category]
    assert task.subtasks and all(
        s.object in names and (s.solvers or s.skill) for s in task.subtasks
    )
    task.success.evaluate({name: ObjectObservation(0.5, 0.0) for name in names})
    text = json.dumps(task.model_dump(mode="json"), allow_nan=False)
    assert TaskSpec.model_validate_json(text) == task
