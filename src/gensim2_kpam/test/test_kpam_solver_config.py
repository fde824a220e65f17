"""Public solver configurations load with their meaning, and every mistake is named."""

from __future__ import annotations

import errno
import math
import os
from pathlib import Path

import numpy as np
import pytest
import yaml
from gensim2_kpam.plan import PlanCode, PlanFailure
from gensim2_kpam.planner import Planner
from gensim2_kpam.solver_config import (
    FrameAxisConstraint,
    KeypointAxisConstraint,
    PointConstraint,
    SolverConfigError,
    load_solver,
    parse_solver,
    solver_names,
)
from gensim2_tasks.assets import AssetLibrary
from gensim2_tasks.catalogue import load_task, task_names
from hypothesis import given, settings
from hypothesis import strategies as st
from kpam_scenes import HOME, draw
from public_solvers import SOLVERS, PublicSolver

VALID = SOLVERS["OpenBox"].yaml()
POINT = "tolerance: 0.0001\n  type: point2point_constraint"


@pytest.mark.parametrize("public", SOLVERS.values(), ids=lambda public: public.name)
def test_public_configurations_load_with_their_meaning(public: PublicSolver) -> None:
    solver = parse_solver(public.yaml(), public.name)
    assert (solver.task_name, solver.category_name) == (public.name, public.category)
    assert len(solver.constraint_list) == len(public.constraints)
    for constraint, fields in zip(solver.constraint_list, public.constraints, strict=True):
        assert constraint.type == fields["type"]
        assert constraint.tolerance == fields["tolerance"]
        if isinstance(constraint, PointConstraint):
            assert constraint.keypoint_name == fields["keypoint_name"]
            assert constraint.target_keypoint_name == fields["target_keypoint_name"]
            continue
        assert constraint.axis_from_keypoint_name == fields["axis_from_keypoint_name"]
        assert constraint.axis_to_keypoint_name == fields["axis_to_keypoint_name"]
        # The inner product alone says which angle, whatever the type is called.
        middle = math.acos(fields["target_inner_product"])  # type: ignore[arg-type]
        low, high = constraint.angle_range
        assert low == pytest.approx(max(0.0, middle - 0.01))
        assert high == pytest.approx(min(math.pi, middle + 0.01))
        if isinstance(constraint, FrameAxisConstraint):
            assert constraint.target_axis == tuple(fields["target_axis"])  # type: ignore[arg-type]
            said = fields["target_axis_frame"]
            assert constraint.target_axis_frame == ("object" if said == "object" else "world")
        elif isinstance(constraint, KeypointAxisConstraint):
            assert constraint.target_axis_from_keypoint_name.endswith("_head")
            assert constraint.target_axis_to_keypoint_name.endswith("_tail")
    for loaded, written in (
        (solver.pre_actuation_motions, public.pre),
        (solver.post_actuation_motions, public.post),
    ):
        assert [(m.kind, m.value) for m in loaded] == [(k, v or 0.0) for k, v in written]
    if public.times is not None:
        times = (solver.actuation_time, solver.pre_actuation_times, solver.post_actuation_times)
        assert times == public.times
    assert {*public.object_keypoints} == solver.object_keypoints()
    assert solver.gripper == "open"


def test_there_are_42_of_them() -> None:
    assert len(SOLVERS) == 42


def test_the_slip_of_turn_off_faucet_means_base() -> None:
    assert "target_axis_frame: frame_axis_parallel" in SOLVERS["TurnOffFaucet"].yaml()
    third = parse_solver(SOLVERS["TurnOffFaucet"].yaml(), "f").constraint_list[2]
    assert isinstance(third, FrameAxisConstraint)
    assert third.target_axis_frame == "world"


def test_every_shipped_solver_loads_and_is_used_by_a_task() -> None:
    assert {load_solver(name).task_name for name in solver_names()} == {*solver_names()}
    used = {
        name
        for task in task_names()
        for subtask in load_task(task).subtasks
        for name in subtask.solvers
    }
    assert used <= {*solver_names()}


def test_unknown_solver_offers_the_known_ones() -> None:
    with pytest.raises(SolverConfigError, match=r"unknown solver 'OpenBoxx'; known: .*OpenBox"):
        load_solver("OpenBoxx")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("keypoint_name: tool_tail", "keypoint_name: tool_tip", "tool_head, tool_tail, tool_side"),
        ("target_axis_frame: object", "target_axis_frame: lid", "'world' or 'object'"),
        ("type: point2point_constraint", "type: point2point_cost", "'point2point_constraint', "),
        ("type: point2point_constraint", "kind: point2point_constraint", "constraint_list.0"),
        ("[rotate, -0.5]", "[twist, -0.5]", "post_actuation_motions: unknown motion 'twist'; "),
        ("[rotate, -0.5]", "move-sideways", "move-up, move-down"),
        ("[rotate, -0.5]", "rotate", "[rotate, number]"),
        ("[rotate, -0.5]", "[move-up, 0.1]", "'move-up' takes no value"),
        ("[rotate, -0.5]", "[rotate, .nan]", "needs a number from -6.283 to 6.283"),
        ("[rotate, -0.5]", "[rotate, 1" + "0" * 400 + "]", "needs a number"),
        ("[rotate, -0.5]", "[rotate, true]", "found True"),
        ("[rotate, -0.5]", "[translate_x, 30]", "from -2 to 2"),
        ("[rotate, -0.5]", "[follow_joint, 1.5]", "from 0 to 1"),
        ("[rotate, -0.5]", "[follow_joint, 1], move-up", "must be the only post-motion"),
        ("[translate_z, -0.15]", "move-up", "pre_actuation_motions: unknown motion 'move-up'"),
        ("[translate_z, -0.15]", "[follow_joint, 1]", "allowed: translate_x, "),
        ("[[rotate, -0.5]]", "5", "post_actuation_motions: expected a list of motions, found 5"),
        ("[[rotate, -0.5]]", "rotate", "expected a list of motions, found 'rotate'"),
        ("actuation_time: 24", "actuation_tim: 24", "actuation_tim: unknown field; allowed: task"),
        ("name: HS_parallel", "nam: HS", "frame_axis_parallel.nam: unknown field; allowed: axis_f"),
        ("target_axis: [1.0, 0, 0]", "target_axis: [.nan, 0, 0]", "target_axis.0"),
        ("target_axis: [1.0, 0, 0]", "target_axis: [0, 0, 0]", "the axis has no direction"),
        ("target_axis: [1.0, 0, 0]", "target_axis: [1.0, 0]", "target_axis"),
        ("target_axis: [1.0, 0, 0]", "target_axis: [1.0e+300, 0, 0]", "target_axis"),
        ("tool_head\n  axis_to_keypoint_name: tool_side", "tool_side\n  axis_to_keypoint_name: "
         "tool_side", "from a keypoint to itself"),
        ("target_inner_product: 1", "target_inner_product: 1.5", "target_inner_product"),
        (POINT, POINT.replace("0.0001", "0"), "constraint_list.0.point2point_constraint.tolerance"),
        (POINT, POINT.replace("0.0001", ".nan"), "tolerance"),
        (POINT, POINT.replace("0.0001", ".inf"), "tolerance"),
        ("category_name: Articulated", "category_name: Liquid", "'Articulated' or 'RigidBody'"),
        ("actuation_time: 24", "settle_time: -1", "settle_time: Input should be greater than"),
        ("task_name: OpenBox", "", "task_name"),
    ],
    ids=lambda text: text[:40],
)  # fmt: skip
def test_mistakes_are_named_with_file_entry_and_what_is_allowed(
    old: str, new: str, said: str
) -> None:
    assert old in VALID
    with pytest.raises(SolverConfigError) as caught:
        parse_solver(VALID.replace(old, new), "mine.yaml")
    assert str(caught.value).startswith("mine.yaml: ")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "not YAML"),
        ("", "expected a mapping"),
        ("- 1\n- 2", "expected a mapping"),
        ("just words", "expected a mapping"),
        ("task_name: 2001-13-45", "not YAML"),
        ("task_name: " + "9" * 5000, "not YAML"),
        ("task_name: " + "[" * 5000, "not YAML"),
        ("task_name: !!python/object/apply:os.getcwd []", "not YAML"),
        ("constraint_list: []", "constraint_list"),
        ("constraint_list: &x [*x]", "constraint_list.0"),
        ("task_name: a\ntask_name: b", "line 2: key 'task_name' is given twice"),
        ("? [a, b]\n: 1", "not YAML"),
        ("1: 2", "1: "),
        ("task_name: !!binary aGFsbG8=", "category_name"),
        ("task_name: *nobody", "undefined alias"),
        ("--- {}\n--- {}", "not YAML"),
        ("\x00\x01\x02", "not YAML"),
        ("\ud800", "not YAML"),
        ("&a {<<: *a, task_name: x}", "not YAML"),
        ("actuation_time: 1" + "0" * 400, "actuation_time"),
        ("pre_actuation_times: [.inf, .nan]", "pre_actuation_times.0"),
        ("pre_actuation_times: 3", "pre_actuation_times"),
        ("object_keypoint_name_list: {a: b}", "object_keypoint_name_list"),
    ],
    ids=lambda text: text[:40],
)
def test_what_is_no_configuration_at_all(text: str, said: str) -> None:
    with pytest.raises(SolverConfigError, match=said):
        parse_solver(text, "mine.yaml")


@pytest.mark.parametrize(
    "text",
    [
        f"pre_actuation_times: [{', '.join('x' * 20_000)}]",
        f"{'k' * 50_000}: 1",
        f"gripper: {'g' * 50_000}",
        VALID.replace("keypoint_name: tool_tail", f"keypoint_name: {'t' * 50_000}"),
        f"{'k' * 900}: 1\n{'k' * 900}: 2",
    ],
    ids=["mistakes", "key", "value", "name", "twice"],
)
def test_much_that_is_wrong_is_told_in_few_words(text: str) -> None:
    with pytest.raises(SolverConfigError) as caught:
        parse_solver(text, "mine.yaml")
    assert 0 < len(str(caught.value)) < 7000


def test_a_position_must_be_constrained() -> None:
    without = VALID[: VALID.index("- keypoint_name")] + VALID[VALID.index("- axis_from") :]
    with pytest.raises(SolverConfigError, match="needs a point2point_constraint"):
        parse_solver(without, "mine.yaml")


def test_a_bomb_of_aliases_does_not_blow_up_the_message() -> None:
    bomb = "post_actuation_motions:\n- &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for i in range(12):
        bomb += f"- &a{i + 1} [{', '.join([f'*a{i}'] * 10)}]\n"
    text = VALID.replace("post_actuation_motions: [[rotate, -0.5]]\n", bomb)
    with pytest.raises(SolverConfigError) as caught:
        parse_solver(text, "mine.yaml")
    assert len(str(caught.value)) < 2000


KINDS = ["point2point_constraint", "frame_axis_parallel", "keypoint_axis_parallel"]
MOTIONS = ["translate_x", "rotate", "follow_joint", "move-up"]
WORDS = st.sampled_from([*KINDS, *MOTIONS, "tool_head", "tool_side", "object", "world"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=8)
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(WORDS | st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
DOCUMENT = yaml.safe_load(VALID)


def parse_or_refuse(text: str) -> None:
    try:
        solver = parse_solver(text, "fuzz.yaml")
    except SolverConfigError as error:
        assert str(error).startswith("fuzz.yaml: ")
        return
    numbers = [m.value for m in (*solver.pre_actuation_motions, *solver.post_actuation_motions)]
    for constraint in solver.constraint_list:
        numbers.append(constraint.tolerance)
        if isinstance(constraint, FrameAxisConstraint):
            numbers.append(float(np.linalg.norm(constraint.target_axis)) - 1.0)
    assert np.all(np.isfinite(numbers))


@settings(max_examples=200, deadline=None)
@given(
    key=st.sampled_from([*DOCUMENT]),
    value=TREES,
    index=st.integers(0, 4),
    field=st.sampled_from(sorted({k for c in DOCUMENT["constraint_list"] for k in c})),
    deep=st.booleans(),
)
def test_any_value_anywhere_is_taken_or_refused(
    key: str, value: object, index: int, field: str, deep: bool
) -> None:
    document = {**DOCUMENT, "constraint_list": [dict(c) for c in DOCUMENT["constraint_list"]]}
    if deep:
        document["constraint_list"][index][field] = value
    else:
        document[key] = value
    parse_or_refuse(yaml.safe_dump(document, allow_unicode=True))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60), st.integers(0, len(VALID)), st.integers(0, 30))
def test_any_text_is_taken_or_refused(text: str, position: int, cut: int) -> None:
    parse_or_refuse(text)
    parse_or_refuse(VALID[:position] + text + VALID[position + cut :])


@pytest.mark.parametrize(
    ("old", "new", "line", "key"),
    [
        ("task_name: OpenBox", "task_name: CloseBox\ntask_name: OpenBox", 2, "task_name"),
        ("  tolerance: 0.0001", "  tolerance: 0.01\n  tolerance: 0.0001", 10, "tolerance"),
    ],
)
def test_a_key_that_is_given_twice_is_named(old: str, new: str, line: int, key: str) -> None:
    """PyYAML would take the last."""
    assert old in VALID
    with pytest.raises(SolverConfigError) as caught:
        parse_solver(VALID.replace(old, new, 1), "mine.yaml")
    assert str(caught.value).startswith(f"mine.yaml: line {line}: key {key!r} is given twice; ")


def test_own_files_are_found_before_the_shipped_ones(tmp_path: Path) -> None:
    (tmp_path / "OpenBox.yaml").write_text(VALID, encoding="utf-8")
    (tmp_path / "Mine.yaml").write_text(VALID, encoding="utf-8")
    (tmp_path / "Latin.yaml").write_bytes(b"\xff")
    assert load_solver("OpenBox", tmp_path).gripper == "open" != load_solver("OpenBox").gripper
    assert load_solver("Mine", tmp_path).task_name == "OpenBox"
    assert load_solver("CloseBox", tmp_path) == load_solver("CloseBox")
    with pytest.raises(SolverConfigError, match=r"unknown solver '../x'; known: .*Latin, .*Mine"):
        load_solver("../x", tmp_path)
    with pytest.raises(SolverConfigError, match=r"Latin.yaml: cannot be read"):
        load_solver("Latin", tmp_path)
    # A file that has been changed is read again.
    (tmp_path / "Mine.yaml").write_text("nonsense", encoding="utf-8")
    with pytest.raises(SolverConfigError, match=r"Mine.yaml: expected a mapping"):
        load_solver("Mine", tmp_path)


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "Folder.yaml").mkdir()
    os.mkfifo(tmp_path / "Pipe.yaml")  # Who opened it would wait for its other end.
    (tmp_path / "Nowhere.yaml").symlink_to(tmp_path / "gone")
    (tmp_path / "Loop.yaml").symlink_to(tmp_path / "Loop.yaml")
    (tmp_path / "Device.yaml").symlink_to("/dev/zero")
    for name in ("Folder", "Pipe", "Nowhere", "Loop", "Device"):
        with pytest.raises(SolverConfigError, match=rf"{name}.yaml: cannot be read: "):
            load_solver(name, tmp_path)
    (tmp_path / "Empty.yaml").touch()
    with pytest.raises(SolverConfigError, match=r"Empty.yaml: expected a mapping"):
        load_solver("Empty", tmp_path)
    (tmp_path / "Picture.yaml").write_bytes(bytes(range(256)) * 100)
    with pytest.raises(SolverConfigError, match=r"Picture.yaml: cannot be read: .*position"):
        load_solver("Picture", tmp_path)
    with (tmp_path / "Huge.yaml").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(SolverConfigError, match=r"Huge.yaml: larger than 100 kB"):
        load_solver("Huge", tmp_path)


def test_a_file_that_may_not_be_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told by the system, whoever runs the test: the superuser may read everything."""

    def refuse(path: Path, *_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    (tmp_path / "Secret.yaml").write_text(VALID, encoding="utf-8")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(SolverConfigError, match=r"Secret.yaml: cannot be read: .*denied"):
        load_solver("Secret", tmp_path)


def test_an_object_without_a_keypoint_of_the_constraints_is_refused(
    planner: Planner, library: AssetLibrary
) -> None:
    text = VALID.replace("target_keypoint_name: articulated_object_head", "target_keypoint_name: x")
    assert text != VALID
    outcome = planner.plan(parse_solver(text, "f"), draw("OpenBox", library, 4), HOME)
    assert isinstance(outcome, PlanFailure)
    assert outcome.code is PlanCode.BAD_SCENE
    assert "'x'" in outcome.reason or " x" in outcome.reason


@pytest.mark.parametrize("name", solver_names())
def test_what_is_written_of_a_configuration_reads_the_same(name: str) -> None:
    config = load_solver(name)
    assert parse_solver(yaml.safe_dump(config.document()), "written") == config
