"""Verification by execution on the real planner and physics."""

from __future__ import annotations

from typing import Any

import pytest
from gensim2_generation.affordances import shipped_affordances
from gensim2_generation.candidate import Candidate, Origin, make_candidate
from gensim2_generation.grammar import Choice, Family, compose
from gensim2_generation.judging import Verifier, VerifyConfig
from gensim2_generation.verdict import EXPERT, IDLE, RANDOM
from gensim2_generation.verify_pool import MakeLaboratory

KNOWN = shipped_affordances()
ORIGIN = Origin("catalogue")
HALF = Choice(Family.PART_WAY, "drawer", "up", 0.5)


@pytest.fixture(scope="module")
def laboratory() -> Verifier:
    return MakeLaboratory(config=VerifyConfig(episodes=2, share=0.5, controls=1))()


def changed(name: str, **document: Any) -> Candidate:
    half = compose(HALF, KNOWN, ORIGIN)
    plain = half.task.model_dump(mode="json") | {"name": name} | document
    return make_candidate(plain, {}, ORIGIN)


def test_a_task_that_works_is_accepted_with_its_episodes_and_controls(laboratory: Verifier) -> None:
    verdict = laboratory.verify(compose(HALF, KNOWN, ORIGIN))
    assert verdict.accepted, verdict.reason
    assert verdict.pass_rate == 1.0
    assert sorted(t.actor for t in verdict.trials) == [EXPERT, EXPERT, IDLE, RANDOM]
    first = verdict.trials[0]
    opened = next(m for m in first.measured if m.name.startswith("openness_above"))
    assert 0.35 < opened.value < 0.65


def test_what_is_done_from_the_start_is_no_task(laboratory: Verifier) -> None:
    verdict = laboratory.verify(
        changed(
            "LeaveDrawer",
            subtasks=[{"name": "open", "object": "drawer", "solvers": ["OpenDrawer"]}],
            success={"all": [{"kind": "openness_above", "object": "drawer", "value": 0.0}]},
            objects=[
                {
                    "name": "drawer",
                    "category": "drawer",
                    "placement": {"anchor": "articulated_object_head", "x": 0.56},
                    "openness": {"default": 0.5, "spread": 0.1},
                }
            ],
        )
    )
    assert not verdict.accepted
    assert verdict.stage == "control"
    assert "nobody does anything" in verdict.reason


def test_what_does_not_work_is_rejected_with_what_was_measured(laboratory: Verifier) -> None:
    verdict = laboratory.verify(
        changed(
            "LiftDrawer",
            subtasks=[{"name": "lift", "object": "drawer", "solvers": ["PushDrawerClose"]}],
            success={"all": [{"kind": "lifted", "object": "drawer"}]},
        )
    )
    assert (verdict.accepted, verdict.stage) == (False, "execute")
    assert "2 of 2 episodes failed" in verdict.reason
    assert "lifted(drawer, 0.05): " in verdict.reason
    assert "seed 700000" in verdict.reason


def test_a_scene_that_cannot_be_is_rejected_as_such(laboratory: Verifier) -> None:
    verdict = laboratory.verify(
        changed(
            "PressStapler",
            objects=[{"name": "stapler", "category": "stapler_press", "placement": {"x": 0.5}}],
            subtasks=[{"name": "open", "object": "stapler", "solvers": ["OpenDrawer"]}],
            success={"all": [{"kind": "openness_above", "object": "stapler"}]},
        )
    )
    assert (verdict.accepted, verdict.stage) == (False, "start")
    assert "seed 700000: scene" in verdict.reason
    assert "stapler_press" in verdict.reason
