"""Task files: what is shipped is valid and makes sense, what is not is refused by name."""

import copy
from importlib import resources

import numpy as np
import pytest
import yaml
from asset_samples import UNTIMED
from gensim2_tasks.assets import AssetLibrary, AssetRef
from gensim2_tasks.catalogue import TaskError, load_task, parse_task, select_tasks, task_names
from gensim2_tasks.categories import KEYPOINTS
from gensim2_tasks.predicates import ObjectObservation
from gensim2_tasks.specs import TaskSpec
from gensim2_tasks.strict_yaml import load_yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gensim2_tasks import procedural

VALID = load_task("OpenBox").model_dump(mode="json")


@pytest.mark.parametrize("name", task_names())
def test_a_task_of_the_catalogue_can_be_set_up_and_is_not_solved_at_the_start(name, tmp_path):
    task = load_task(name)
    assert task.name == name and load_task(name) == task
    for spec in task.objects:
        assert spec.category in procedural.categories()
        asset = AssetLibrary(None, tmp_path).load(AssetRef("procedural", spec.category, "0"))
        assert spec.placement.anchor in (*asset.info.keypoints, "")
        start = spec.openness
        # A start range is cut off at an end only where the object starts from that end.
        assert start.default - start.spread > 0.0 or start.default == 0.0
        assert start.default + start.spread < 1.0 or start.default == 1.0
    assert task.object(task.subtasks[0].object) in task.objects

    def solved(openness: float) -> bool:
        still = ObjectObservation(openness, 0.0)
        return task.success.evaluate({o.name: still for o in task.objects})[0]

    first = task.objects[0]
    reach = first.openness.spread * np.linspace(-1, 1, 21) + first.openness.default
    assert not any(solved(float(o)) for o in np.clip(reach, 0.0, 1.0)), (
        "doing nothing would succeed"
    )
    assert task.success.dwell > 0.0
    assert parse_task(yaml.safe_dump(task.model_dump(mode="json")), "dump") == task
    if len(task.objects) > 1:
        return  # no openness alone is the goal
    ends = [solved(0.0), solved(1.0)]
    assert sorted(ends) == [False, True], "solved at one end"
    if "Close" in name:
        assert ends[0]
    elif "Open" in name:
        assert ends[1]


def test_all_tasks_of_gensim2_are_there():
    steps = [len(load_task(name).subtasks) for name in task_names()]
    assert sum(n == 1 for n in steps) == 28 and sum(n > 1 for n in steps) == 22


def test_the_catalogue_has_the_six_tasks():
    assert {
        "OpenBox", "CloseBox", "OpenLaptop", "CloseLaptop", "OpenDrawer", "PushDrawerClose"
    } <= {*task_names()}  # fmt: skip


def test_the_catalogue_has_those_of_suitcase_oven_and_toaster():
    assert {
        "SwingSuitcaseLidOpen", "CloseSuitcaseLid", "RotateOvenKnob", "PushOvenClose",
        "PressToasterLever",
    } <= {*task_names()}  # fmt: skip


def changed(path: str, value: object) -> str:
    """The valid document with one entry set; ``path`` like ``objects.0.name``."""
    document = copy.deepcopy(VALID)
    *parents, last = [int(x) if x.isdigit() else x for x in path.split(".")]
    at = document
    for key in parents:
        at = at[key]
    at[last] = value
    return yaml.safe_dump(document)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("colour", "red", "colour: Extra inputs are not permitted"),
        ("objects.0.mass", 1, "objects.0.mass: Extra inputs"),
        ("objects.0.placement.z", 1, "objects.0.placement.z: Extra inputs"),
        ("success.all.0.limit", 1, "success.all.0.openness_above.limit: Extra inputs"),
        ("success.all.0.kind", "open", "success.all.0: .*'open'.*'openness_above'"),
        ("success.all.0.object", "bix", r"'openness_above' refers to object 'bix'; known: \['box'"),
        ("subtasks.0.object", "lid", r"sub-task 'open' refers to object 'lid'; known: \['box'\]"),
        ("subtasks.0.solvers", [], "subtasks.0: .*exactly one of solvers and skill.*at least 1"),
        ("subtasks.0.skill", "pick", "subtasks.0: .*exactly one of solvers and skill"),
        ("subtasks.0.skill", "throw", "subtasks.0.skill: .*'pick' or 'place'"),
        ("subtasks.0.region", "beside", "subtasks.0.region: .*'inside', 'on_top' or 'under'"),
        ("subtasks.0.target", "box", "subtasks.0: .*target and region go with a skill"),
        (
            "subtasks.0.needs",
            ["open"],
            r"'open' needs 'open', .*no earlier sub-task; earlier: \[\]",
        ),
        ("subtasks", [], "subtasks: .*at least 1"),
        ("objects", [], "objects: .*at least 1"),
        ("objects", VALID["objects"] * 2, r"two objects share a name: \['box', 'box'\]"),
        ("objects.0.name", "The box", "objects.0.name: .*pattern"),
        ("objects.0.category", "../secret", "objects.0.category: .*pattern"),
        ("objects.0.placement.x", float("nan"), "objects.0.placement.x: .*finite"),
        ("objects.0.placement.yaw", float("inf"), "objects.0.placement.yaw: .*finite"),
        ("objects.0.placement.spread", -0.1, "objects.0.placement.spread: .*greater"),
        ("objects.0.openness", {"default": 1.2}, "objects.0.openness.default: .*less"),
        ("success.dwell", float("nan"), "success.dwell: .*finite"),
        ("success.dwell", float("inf"), "success.dwell: .*finite"),
        ("objects.0.category", "box_rotat", "objects.0: .*'box_rotat'; did you mean 'box_rotate'"),
        ("objects.0.category", "spaceship", "objects.0: .*'spaceship'; known: .*, drawer, .*oven"),
        (
            "objects.0.placement.anchor",
            "articulated_object_haed",
            "objects.0: .*a box_rotate has no keypoint 'articulated_object_haed'; known: "
            "articulated_object_head, articulated_object_tail",
        ),
        ("instruction", None, "instruction: .*valid string"),
        ("name", "open box", "name: .*pattern"),
    ],
)
def test_a_wrong_entry_is_named(path, value, message):
    with pytest.raises(TaskError, match=rf"my.yaml: .*{message}"):
        parse_task(changed(path, value), "my.yaml")


@pytest.mark.parametrize(
    "text",
    [
        "", "- a", "a: [", "[" * 3000, "name: 2024-13-45", "name: 0b_",
        '!!timestamp "x"', "\0", "&a [*a]", "{[1]: 2}", '!!int "x"',
    ],
)  # fmt: skip
def test_what_is_no_task_document_is_refused_whatever_the_parser_makes_of_it(text):
    with pytest.raises(TaskError, match=r"^my.yaml: "):
        parse_task(text, "my.yaml")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name: OpenBox", "name: CloseBox\nname: OpenBox", "line 2: key 'name' is given twice"),
        ("x: 0.64", "x: 0.64, x: 0.7", "line 6: key 'x' is given twice; first in line 6"),
    ],
)
def test_a_key_that_is_given_twice_is_named(old, new, message):
    text = (resources.files("gensim2_tasks") / "catalogue_data/tasks/OpenBox.yaml").read_text()
    assert old in text
    with pytest.raises(TaskError, match=f"my.yaml: {message}"):
        parse_task(text.replace(old, new), "my.yaml")


def test_merged_entries_may_be_overridden_and_aliases_shared():
    assert load_yaml("a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}\nc: *a") == {
        "a": {"x": 1, "y": 2}, "b": {"x": 3, "y": 2}, "c": {"x": 1, "y": 2}
    }  # fmt: skip


@pytest.mark.parametrize("category", procedural.categories())
def test_generated_keypoints_are_those_that_tasks_may_name(category):
    assert {*procedural.make_model(category, 0).keypoints} <= {*KEYPOINTS[category]}


def test_a_document_runs_no_code(tmp_path):
    with pytest.raises(TaskError, match="not YAML"):
        parse_task(f"!!python/object/apply:os.mkdir [{tmp_path / 'made'}]", "my.yaml")
    assert not (tmp_path / "made").exists()


SOURCE = yaml.safe_dump(VALID)


@settings(UNTIMED, max_examples=60)
@given(st.integers(0, len(SOURCE)), st.integers(0, 30), st.text(max_size=8))
def test_a_damaged_document_is_refused_or_a_task(start, cut, new):
    try:
        task = parse_task(SOURCE[:start] + new + SOURCE[start + cut :], "my.yaml")
    except TaskError as error:
        assert str(error).startswith("my.yaml: ")
    else:
        assert isinstance(task, TaskSpec)


@pytest.mark.parametrize(
    ("name", "offered"),
    [
        ("OpenBx", "OpenBox"), ("openlaptop", "OpenLaptop"), ("Drawer", "OpenDrawer"),
        ("../tasks/OpenBox", "OpenBox"),
    ],
)  # fmt: skip
def test_an_unknown_task_offers_the_nearest(name, offered):
    with pytest.raises(TaskError, match=f"unknown task .*did you mean .*{offered}"):
        load_task(name)


@pytest.mark.parametrize("name", ["", "§"])
def test_a_task_that_is_like_none_is_answered_with_where_they_are_listed(name):
    with pytest.raises(TaskError, match=r"unknown task .*catalogue list shows all \d+"):
        load_task(name)


def test_tasks_are_selected_by_name_list_or_all():
    assert select_tasks("all") == select_tasks(" all ") == task_names()
    assert select_tasks("OpenBox") == ["OpenBox"]
    assert select_tasks("OpenDrawer, CloseBox,") == ["OpenDrawer", "CloseBox"]
    assert select_tasks("OpenDrawer,CloseBox,OpenDrawer") == ["OpenDrawer", "CloseBox"]
    for text in ("", " , ,"):
        with pytest.raises(TaskError, match="no task given; use a name, a comma list, or 'all'"):
            select_tasks(text)
    with pytest.raises(TaskError, match=r"unknown task 'OpenBax'.*OpenBox"):
        select_tasks("CloseBox,OpenBax")
