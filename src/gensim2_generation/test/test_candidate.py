import pytest
import yaml
from gensim2_generation.affordances import shipped_affordances
from gensim2_generation.candidate import CandidateError, Origin, make_candidate
from gensim2_generation.grammar import choices, compose
from gensim2_tasks.catalogue import load_task, parse_task, task_names
from gensim2_tasks.specs import TaskSpec

ORIGIN = Origin("catalogue")


@pytest.mark.parametrize("name", task_names())
def test_every_shipped_task_reads_the_same_after_it_was_written(name: str) -> None:
    document = yaml.safe_load(yaml.safe_dump(load_task(name).model_dump(mode="json")))
    document["name"] = f"{name}Again"
    candidate = make_candidate(document, {}, ORIGIN)
    text = candidate.files()[f"tasks/{name}Again.yaml"]
    assert parse_task(text, "text") == candidate.task
    assert "!!" not in text


def test_a_shipped_name_is_refused() -> None:
    document = load_task("OpenBox").model_dump(mode="json")
    with pytest.raises(CandidateError, match="is shipped"):
        make_candidate(document, {}, ORIGIN)


def test_what_is_no_plain_data_is_refused() -> None:
    document = load_task("OpenBox").model_dump(mode="json") | {"name": "OpenBoxAgain"}
    for name in ("../../x", "OpenBox", "import os"):
        with pytest.raises(CandidateError, match="has to begin with"):
            make_candidate(document, {name: {}}, ORIGIN)
    with pytest.raises(CandidateError, match="no solver"):
        sub = [{"name": "open", "object": "box", "solvers": ["Nobody"]}]
        make_candidate(document | {"subtasks": sub}, {}, ORIGIN)


@pytest.fixture(scope="module")
def composed() -> dict[str, TaskSpec]:
    """All that the grammar can say, by name; that takes a while."""
    known = shipped_affordances()
    return {c.name: c.task for c in (compose(x, known, ORIGIN) for x in choices(known))}


@pytest.mark.parametrize(
    ("name", "instruction"),
    [
        ("TurnOnAndTurnOffFaucet", "Turn on the faucet and turn it off again."),
        ("OpenAndCloseDrawer", "Open the drawer and push it closed again."),
        (
            "OpenAndCloseOven",
            "Pull the door of the oven open and push the door of the oven closed again.",
        ),
        ("CloseLaptopTo50", "Close the laptop about half of the way."),
        ("OpenPutLemonIntoBoxAndClose", "Open the box, put the lemon into it and close it."),
    ],
)
def test_the_grammar_speaks_plainly(
    composed: dict[str, TaskSpec], name: str, instruction: str
) -> None:
    assert composed[name].instruction == instruction
