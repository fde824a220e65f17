"""The pipeline with prepared answers: what becomes of them, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from gensim2_generation.asker import Backends
from gensim2_generation.asking import Ask
from gensim2_generation.candidate import Candidate
from gensim2_generation.examples import Example, nearest
from gensim2_generation.llm_source import LlmSource
from gensim2_generation.pipeline import PipelineOptions
from gensim2_generation.source import Known, Refused, SourceError, Wanted
from gensim2_generation.verdict import Measured, Trial, Verdict
from gensim2_kpam.solver_config import load_solver
from llm_answers import (
    IMAGE,
    LONG,
    OF_MODE,
    OWN,
    PARAPHRASES,
    POINT,
    PRIMITIVE,
    Answers,
    ScriptedModel,
    axis,
    place,
    with_changes,
)

FEW = PipelineOptions(regenerations=1)


def source_of(
    answers: Any, mode: str = "primitive", options: PipelineOptions = FEW, **wanted: Any
) -> tuple[LlmSource, ScriptedModel]:
    model = ScriptedModel(answers)
    return LlmSource(Wanted(mode=mode, **wanted), Backends(model), options=options), model


def made(answers: Any, **options: Any) -> Candidate:
    found = source_of(answers, **options)[0].propose(Known())
    assert isinstance(found, Candidate), found
    return found


def refused(answers: Answers, **options: Any) -> Refused:
    found = source_of(answers, **options)[0].propose(Known())
    assert isinstance(found, Refused), found
    return found


def picture(folder: Path) -> Path:
    file = folder / "scene.png"
    cv2.imwrite(str(file), np.full((30, 40, 3), 120, np.uint8))
    return file


@pytest.mark.parametrize("mode", OF_MODE)
def test_every_mode_makes_a_task(mode: str, tmp_path: Path) -> None:
    wanted = {"image": str(picture(tmp_path))} if mode == "image" else {}
    candidate = made(OF_MODE[mode], mode=mode, **wanted)
    assert candidate.origin.mode == mode
    assert candidate.origin.source == "openai"
    assert candidate.origin.model == "scripted"
    assert candidate.origin.prompts
    asked = sum(candidate.origin.tokens) / 150
    assert asked >= 1.0


def test_all_alternatives_are_tried_in_the_order_of_the_model() -> None:
    candidate = made(PRIMITIVE)
    names = candidate.task.subtasks[0].solvers
    assert names == ("OpenDrawerHalfway_Open1", "OpenDrawerHalfway_Open2")
    first, second = (candidate.solvers[n] for n in names)
    known = load_solver("OpenDrawer")
    assert first.constraint_list == known.constraint_list
    assert first.pre_actuation_motions == known.pre_actuation_motions
    assert [m.value for m in first.post_actuation_motions] == [0.5]
    assert second.gripper == "closed"
    assert [(m.kind, m.value) for m in second.pre_actuation_motions] == [
        ("translate_x", 0.075),
        ("translate_z", -0.1),
    ]


def test_a_known_solver_that_stays_as_it_is_keeps_its_name() -> None:
    candidate = made(LONG, mode="topdown")
    assert not candidate.solvers
    assert candidate.task.subtasks[0].solvers == ("OpenDrawer",)


def test_steps_wait_for_what_they_rest_upon() -> None:
    task = made(LONG, mode="topdown").task
    needs = {s.name: s.needs for s in task.subtasks}
    assert needs == {"open": (), "pick": ("open",), "place": ("open", "pick"), "close": ("place",)}
    assert task.subtasks[-1].done == task.success
    assert task.object("lemon").openness.default == 0.0  # it has no joint, whatever the model says


def test_nothing_is_asked_about_motions_of_reused_solvers() -> None:
    source, model = source_of(LONG, "topdown")
    source.propose(Known())
    assert "pre_motions" not in model.stages


def test_without_reuse_known_solvers_cannot_be_named() -> None:
    options = PipelineOptions(regenerations=0, reuse=False)
    assert refused(PRIMITIVE, options=options).stage == "constraints"


def test_motions_in_one_question() -> None:
    both = {"idea": "", "pre": PRIMITIVE["pre_motions"]["alternatives"][0]["motions"]}
    both["post"] = [{"kind": "follow_joint", "value": 0.5}]
    answers = {**PRIMITIVE, "pre_motions": {"alternatives": [both, both]}}
    source, model = source_of(answers, options=PipelineOptions(together=True))
    candidate = source.propose(Known())
    assert isinstance(candidate, Candidate)
    assert "post_motions" not in model.stages
    assert candidate.task == made(PRIMITIVE).task


def test_a_second_answer_is_asked_for_with_the_reason() -> None:
    def answer(question: Ask, before: int) -> str:
        if question.stage == "place" and not before:
            return json.dumps({"idea": "", "objects": [place("drawer", x=7.0)]})
        return json.dumps(PRIMITIVE[question.stage])

    source, model = source_of(answer)
    assert isinstance(source.propose(Known()), Candidate)
    first, second = (q for q in model.questions if q.stage == "place")
    assert "could not be used" not in first.user
    assert "less than or equal to 0.9" in second.user


def test_a_stage_is_given_up_after_so_many_answers() -> None:
    answers = with_changes(PRIMITIVE, "place", objects=[place("drawer", x=7.0)])
    source, model = source_of(answers, options=PipelineOptions(regenerations=3))
    found = source.propose(Known())
    assert isinstance(found, Refused)
    assert found.stage == "place"
    assert found.name == "OpenDrawerHalfway"
    assert model.stages.count("place") == 4
    assert found.tokens == (500, 250)


WRONG: dict[str, tuple[Answers, str, str]] = {
    "an unknown category": (
        with_changes(PRIMITIVE, "propose", category="spaceship"),
        "propose",
        "category",
    ),
    "code as a name": (
        with_changes(PRIMITIVE, "propose", name="import os; os.system('id')"),
        "propose",
        "name",
    ),
    "a path as a name": (
        with_changes(PRIMITIVE, "propose", name="../../etc/passwd"),
        "propose",
        "name",
    ),
    "control characters": (
        with_changes(PRIMITIVE, "propose", instruction="Open\x1b[2J the drawer\x00"),
        "propose",
        "instruction",
    ),
    "another field": (
        with_changes(PRIMITIVE, "propose", code="print(1)"),
        "propose",
        "Extra inputs",
    ),
    "an absurd number": (
        with_changes(PRIMITIVE, "place", objects=[place("drawer", x=1e308)]),
        "place",
        "less than or equal",
    ),
    "a negative share": (
        with_changes(PRIMITIVE, "place", objects=[place("drawer", openness=-1.0)]),
        "place",
        "greater than or equal",
    ),
    "a number as text": (
        with_changes(PRIMITIVE, "place", objects=[place("drawer", x="0.5")]),
        "place",
        "valid number",
    ),
    "a keypoint of another thing": (
        with_changes(PRIMITIVE, "place", objects=[place("drawer", anchor="tool_head")]),
        "place",
        "anchor",
    ),
    "no contact": (
        with_changes(
            PRIMITIVE,
            "constraints",
            alternatives=[{**OWN, "constraint_list": [axis("tool_side", [1.0, 0.0, 0.0], 1.0)]}],
        ),
        "constraints",
        "point2point_constraint",
    ),
    "an axis without direction": (
        with_changes(
            PRIMITIVE,
            "constraints",
            alternatives=[
                {**OWN, "constraint_list": [POINT, axis("tool_side", [0.0, 0.0, 0.0], 1.0)]}
            ],
        ),
        "constraints",
        "no direction",
    ),
    "an axis from a point to itself": (
        with_changes(
            PRIMITIVE,
            "constraints",
            alternatives=[
                {**OWN, "constraint_list": [POINT, axis("tool_head", [1.0, 0.0, 0.0], 1.0)]}
            ],
        ),
        "constraints",
        "to itself",
    ),
    "too few alternatives": (
        with_changes(
            PRIMITIVE,
            "post_motions",
            alternatives=PRIMITIVE["post_motions"]["alternatives"][:1],
        ),
        "post_motions",
        "at least 2 items",
    ),
    "a joint that is followed and more": (
        with_changes(
            PRIMITIVE,
            "post_motions",
            alternatives=[
                {
                    "idea": "",
                    "motions": [
                        {"kind": "follow_joint", "value": 0.5},
                        {"kind": "move-up"},
                    ],
                }
            ]
            * 2,
        ),
        "post_motions",
        "only post-motion",
    ),
    "a goal about another thing": (
        with_changes(
            PRIMITIVE, "predicates", success=[{"kind": "held", "object": "lemon", "value": 1.0}]
        ),
        "predicates",
        "object",
    ),
    "a goal that holds at the start": (
        with_changes(
            PRIMITIVE,
            "predicates",
            success=[{"kind": "openness_below", "object": "drawer", "value": 0.2}],
        ),
        "predicates",
        "holds already",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_no_task_may_hold_is_refused_with_the_stage(case: str) -> None:
    answers, stage, reason = WRONG[case]
    found = refused(answers)
    assert found.stage == stage
    assert reason in found.reason
    assert found.reason.isprintable()


@pytest.mark.parametrize(
    "text", ["", "{", "null", "[1]", "NaN", "import os", "!!python/x", "{}" * 9]
)
def test_what_is_no_answer_is_refused(text: str) -> None:
    found = source_of(lambda question, before: text)[0].propose(Known())
    assert isinstance(found, Refused)
    assert found.stage == "propose"
    assert found.reason


def test_numbers_that_are_none_are_refused() -> None:
    text = json.dumps(PRIMITIVE["place"])
    for number in ("NaN", "Infinity", "-Infinity", "1e999", "1" * 400):
        broken = text.replace("0.56", number)

        def answer(question: Ask, before: int, broken: str = broken) -> str:
            return broken if question.stage == "place" else json.dumps(PRIMITIVE[question.stage])

        found = source_of(answer)[0].propose(Known())
        assert isinstance(found, Refused), number
        assert found.stage == "place"


def test_marks_and_thoughts_around_an_answer_are_left_out() -> None:
    def answer(question: Ask, before: int) -> str:
        return f"<think>a {{}}</think>\n```json\n{json.dumps(PRIMITIVE[question.stage])}\n```"

    assert made(answer).task == made(PRIMITIVE).task


def test_a_task_that_exists_is_not_proposed_again() -> None:
    source, _ = source_of(PRIMITIVE)
    found = source.propose(Known(("OpenDrawerHalfway",), ("Something else.",)))
    assert isinstance(found, Refused)
    assert "already" in found.reason
    found = source.propose(Known(("Other",), ("open the drawer halfway",)))
    assert isinstance(found, Refused)
    assert "already" in found.reason


def test_words_of_the_user_reach_the_model_and_bind_it() -> None:
    source, model = source_of(
        PRIMITIVE, target_object="drawer", target_task="leave it ajar", options=FEW
    )
    source.propose(Known())
    assert "leave it ajar" in model.questions[0].user
    schema = model.questions[0].schema
    assert schema["properties"]["category"]["const"] == "drawer"
    other, _ = source_of(PRIMITIVE, target_object="microwave")
    found = other.propose(Known())
    assert isinstance(found, Refused)
    assert "microwave" in found.reason
    long, _ = source_of(LONG, "topdown", target_object="golf ball")
    found = long.propose(Known())
    assert isinstance(found, Refused)
    assert "golf_ball" in found.reason


def test_things_go_only_where_things_go() -> None:
    steps = [{"kind": "carry", "object": "lemon", "target": "cabinet", "region": "under"}]
    found = refused(with_changes(LONG, "decompose", steps=steps), mode="topdown")
    assert (found.stage, "cannot be put under" in found.reason) == ("decompose", True)
    idle = [{"kind": "move", "name": "open", "object": "cabinet", "towards": "open"}]
    found = refused(with_changes(LONG, "decompose", steps=idle), mode="topdown")
    assert "no step has to do with lemon" in found.reason


@pytest.mark.parametrize(
    ("skills", "reason"),
    [
        ([{"skill": "OpenBox"}, {"skill": "FlyAway"}], "skill"),
        ([{"skill": "OpenBox"}, {"skill": "OpenBox"}], "open already"),
        ([{"skill": "CloseBox"}, {"skill": "PutIntoBox", "item": "apple"}], "is closed when"),
        ([{"skill": "OpenBox"}, {"skill": "PutIntoBox", "item": "plutonium"}], "item"),
        ([{"skill": "OpenBox"}, {"skill": "PushBox"}], "one too many"),
        (
            [{"skill": "OpenBox"}, {"skill": "OpenSafe"}, {"skill": "TurnOnFaucet"}],
            "have no room",
        ),
    ],
)
def test_chains_hold_skills_of_the_library_that_fit_together(
    skills: list[dict[str, str]], reason: str
) -> None:
    found = refused(with_changes(OF_MODE["bottomup"], "propose", skills=skills), mode="bottomup")
    assert found.stage == "propose"
    assert reason in found.reason


def test_a_chain_uses_the_solvers_of_its_skills() -> None:
    task = made(OF_MODE["bottomup"], mode="bottomup").task
    assert [s.solvers for s in task.subtasks] == [
        ("OpenBox",),
        (),
        (),
        ("CloseBox",),
        ("TurnOnFaucet",),
    ]
    assert task.objects[0].openness.default == 0.15
    assert [o.placement.y for o in task.objects[:2]] == [0.24, -0.24]


def test_paraphrases_keep_the_task_and_get_names_of_their_own() -> None:
    source, model = source_of(PARAPHRASES, "paraphrase", target_task="OpenDrawer")
    first = source.propose(Known())
    second = source.propose(Known((first.name,), (PARAPHRASES["propose"]["instructions"][0],)))
    assert isinstance(first, Candidate)
    assert isinstance(second, Candidate)
    assert (first.name, second.name) == ("OpenDrawerSaid1", "OpenDrawerSaid2")
    assert first.task.instruction == "Pull out the drawer."
    assert len(model.questions) == 1
    assert first.task.subtasks == second.task.subtasks
    assert first.origin.examples == ("OpenDrawer",)


def test_paraphrases_of_every_task_take_turns() -> None:
    source, model = source_of(PARAPHRASES, "paraphrase", target_object="drawer", seed=3)
    for _ in range(6):
        assert isinstance(source.propose(Known()), Candidate)
    asked = {q.user.split("Task ")[1].split(":")[0] for q in model.questions}
    assert len(asked) == 3
    with pytest.raises(SourceError, match="no task is about"):
        source_of(PARAPHRASES, "paraphrase", target_object="spaceship")
    with pytest.raises(SourceError, match="unknown task"):
        source_of(PARAPHRASES, "paraphrase", target_task="FlyAway")


def test_a_paraphrase_of_a_generated_task_brings_its_solvers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidate = made(PRIMITIVE)
    for name, text in candidate.files().items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setenv("GENSIM2_LIBRARY", str(tmp_path))
    found = made(PARAPHRASES, mode="paraphrase", target_task="OpenDrawerHalfway")
    assert found.name == "OpenDrawerHalfwaySaid1"
    assert len(found.solvers) == 2
    own = [c.model_copy(update={"task_name": ""}) for c in found.solvers.values()]
    before = [c.model_copy(update={"task_name": ""}) for c in candidate.solvers.values()]
    assert own == before


def failed(candidate: Candidate) -> Verdict:
    measured = (Measured("openness_above(drawer, 0.35)", 0.12, 0.35, False),)
    trial = Trial("expert", 7, "drawer/3", False, False, "no_ik", "out of reach", "open", measured)
    return Verdict(False, "execute", "3 of 5 episodes failed", (trial,))


def test_repair_makes_the_part_anew_that_the_model_names_with_what_was_measured() -> None:
    def answer(question: Ask, before: int) -> str:
        if question.stage == "place" and before:
            return json.dumps({"idea": "", "objects": [place("drawer", x=0.45)]})
        return json.dumps(PRIMITIVE[question.stage])

    source, model = source_of(answer)
    candidate = source.propose(Known())
    assert isinstance(candidate, Candidate)
    model.questions.clear()
    mended = source.repair(candidate, failed(candidate))
    assert isinstance(mended, Candidate)
    assert mended.name == candidate.name
    assert mended.task.objects[0].placement.x == 0.45
    assert mended.origin.repairs == ("execute: 3 of 5 episodes failed",)
    assert model.stages[:2] == ["repair", "place"]
    for words in ("0.120 (not met", "out of reach", "seed 7", "sub-task open"):
        assert words in model.questions[0].user
    assert "it stands too far away" in model.questions[1].user
    again = source.repair(mended, failed(mended))
    assert isinstance(again, Candidate)
    assert len(again.origin.repairs) == 2


def test_repair_of_a_later_part_leaves_the_earlier_ones() -> None:
    answers = with_changes(PRIMITIVE, "repair", part="post_motions")
    source, model = source_of(answers)
    candidate = source.propose(Known())
    assert isinstance(candidate, Candidate)
    model.questions.clear()
    assert isinstance(source.repair(candidate, failed(candidate)), Candidate)
    assert model.stages == ["repair", "post_motions", "predicates"]


def test_a_model_may_give_up() -> None:
    source, _ = source_of(with_changes(PRIMITIVE, "repair", part="give_up"))
    candidate = source.propose(Known())
    assert isinstance(candidate, Candidate)
    found = source.repair(candidate, failed(candidate))
    assert isinstance(found, Refused)
    assert found.stage == "repair"
    assert "too far away" in found.reason


def test_what_others_have_proposed_is_not_repaired() -> None:
    candidate = made(PRIMITIVE)
    assert source_of(PRIMITIVE)[0].repair(candidate, failed(candidate)) is None


def test_all_critics_have_to_agree() -> None:
    said = [{"reason": "fine", "passes": True}, {"reason": "dull", "passes": False}]

    def answer(question: Ask, before: int) -> str:
        if question.stage == "critique":
            return json.dumps(said[before % 2])
        return json.dumps(PRIMITIVE[question.stage])

    options = PipelineOptions(regenerations=0, reflections=2)
    found = source_of(answer, options=options)[0].propose(Known())
    assert isinstance(found, Refused)
    assert (found.stage, found.reason) == ("critique", "dull")
    source, model = source_of(PRIMITIVE, options=options)
    assert isinstance(source.propose(Known()), Candidate)
    assert model.stages.count("critique") == 2


def test_a_critic_is_heard_before_a_task_is_given_up() -> None:
    def answer(question: Ask, before: int) -> str:
        if question.stage == "critique" and not before:
            return json.dumps({"reason": "it stands oddly", "passes": False})
        return json.dumps(PRIMITIVE[question.stage])

    options = PipelineOptions(regenerations=1, reflections=1)
    source, model = source_of(answer, options=options)
    assert isinstance(source.propose(Known()), Candidate)
    places = [q for q in model.questions if q.stage == "place"]
    assert len(places) == 2
    assert "it stands oddly" in places[1].user


def test_questions_differ_in_their_seed_and_stages_in_their_temperature() -> None:
    model = ScriptedModel(PRIMITIVE)
    backends = Backends(model, temperatures={"place": 1.5}, max_tokens=999)
    LlmSource(Wanted(seed=3), backends).propose(Known())
    seeds = [q.seed for q in model.questions]
    assert len({*seeds}) == len(seeds)
    temperatures = {q.stage: q.temperature for q in model.questions}
    assert temperatures["place"] == 1.5
    assert temperatures["constraints"] == 0.8
    assert {q.max_tokens for q in model.questions} == {999}


def test_each_stage_may_have_a_model_of_its_own() -> None:
    default, other = ScriptedModel(PRIMITIVE), ScriptedModel(PRIMITIVE)
    backends = Backends(default, {"constraints": other})
    assert isinstance(LlmSource(Wanted(), backends).propose(Known()), Candidate)
    assert other.stages == ["constraints"]
    assert "constraints" not in default.stages
    with pytest.raises(SourceError, match="no stage 'wish'"):
        Backends(default, {"wish": other})
    with pytest.raises(SourceError, match="temperature of place"):
        Backends(default, temperatures={"place": 9.0})


def test_tasks_of_the_library_are_shown_with_the_reasons_of_those_that_failed() -> None:
    every = (
        Example("OpenSafeWide", "Open the safe wide."),
        Example("OpenDrawerTwice", "Open the drawer twice.", False, "out of reach"),
        Example("PushBoxFar", "Push the box far.", False, "it tips"),
    )
    model = ScriptedModel(PRIMITIVE)
    source = LlmSource(
        Wanted(target_object="drawer"),
        Backends(model),
        options=replace(FEW, examples=1),
        examples=lambda words, most: nearest(every, words, most),
    )
    source.propose(Known())
    asked = model.questions[0].user
    assert "OpenSafeWide" in asked
    assert "OpenDrawerTwice: Open the drawer twice. Rejected: out of reach" in asked
    assert "PushBoxFar" not in asked


def test_the_same_seed_asks_the_same_questions() -> None:
    def asked(seed: int) -> list[Ask]:
        source, model = source_of(PRIMITIVE, seed=seed)
        source.propose(Known())
        return [replace(q, answer=type(q.answer)) for q in model.questions]

    assert asked(1) == asked(1)
    assert asked(1) != asked(2)


def test_the_picture_is_sent_once_and_made_small(tmp_path: Path) -> None:
    file = tmp_path / "big.png"
    cv2.imwrite(str(file), np.zeros((1500, 3000, 3), np.uint8))
    source, model = source_of(IMAGE, "image", image=str(file))
    assert isinstance(source.propose(Known()), Candidate)
    sent = model.questions[0].images
    assert len(sent) == 1
    small = cv2.imdecode(np.frombuffer(sent[0], np.uint8), cv2.IMREAD_COLOR)
    assert small is not None
    assert small.shape == (512, 1024, 3)
    assert not model.questions[1].images
    with pytest.raises(SourceError, match="needs a picture"):
        source_of(IMAGE, "image")


def test_somebody_hears_how_far_it_is() -> None:
    heard: list[str] = []
    model = ScriptedModel(PRIMITIVE)
    LlmSource(Wanted(), Backends(model), told=heard.append).propose(Known())
    assert heard == model.stages
    assert heard[0] == "propose"


def test_modes_and_options_that_do_not_exist_are_errors() -> None:
    with pytest.raises(SourceError, match="there is no mode"):
        source_of(PRIMITIVE, "wish")
    wrongs: list[dict[str, Any]] = [
        {"trials": 9},
        {"regenerations": -1},
        {"reflections": 99},
        {"examples": -3},
    ]
    for wrong in wrongs:
        with pytest.raises(ValueError, match=next(iter(wrong))):
            PipelineOptions(**wrong)
