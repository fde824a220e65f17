"""Types of the answers: their schemas, and that no answer at all can do harm."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
from gensim2_generation.answers import AnswerError, plain, read_answer
from gensim2_generation.asker import STAGES, Backends
from gensim2_generation.asking import Ask
from gensim2_generation.candidate import Candidate
from gensim2_generation.llm_source import LlmSource
from gensim2_generation.pipeline import PipelineOptions
from gensim2_generation.prompting import NAMES, filled, system
from gensim2_generation.source import Known, Refused, Wanted
from gensim2_generation.stages import Critique, Paraphrases
from gensim2_generation.strict_schema import strict_schema
from gensim2_generation.vocabulary import Vocabulary, object_keypoints, predicates
from gensim2_tasks.categories import KEYPOINTS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from llm_answers import OF_MODE, PRIMITIVE, ScriptedModel, answer_to
from pydantic import BaseModel

from gensim2_generation import stage_types

WORDS = Vocabulary()
OBJECTS = {"box": "box_rotate", "apple": "apple", "faucet": "faucet"}
TYPES: dict[str, type[BaseModel]] = {
    "primitive": stage_types.primitive_proposal(WORDS.movable),
    "long": stage_types.proposal(WORDS.categories),
    "image": stage_types.proposal(WORDS.categories, seen=True),
    "decompose": stage_types.decomposition(["box"], ["apple"], ["box", "apple"]),
    "place": stage_types.placing(OBJECTS),
    "constraints": stage_types.constraints("box_rotate", ["OpenBox"], 4),
    "one keypoint": stage_types.constraints("door", [], 1),
    "pre": stage_types.motions(3, turns=True, after=False),
    "post": stage_types.motions(3, turns=False, after=True),
    "both": stage_types.motions(3, turns=True, after=False, both=True),
    "goals": stage_types.goals(OBJECTS, ["open", "close"]),
    "one goal": stage_types.goals({"door": "door"}, []),
    "critique": Critique,
    "paraphrases": Paraphrases,
    "repair": stage_types.mending(["place", "predicates"]),
    "chain": stage_types.chain(["OpenBox"], ["PutIntoBox"], ["apple"]),
}
# What servers take for structured output, and how much of it.
KEYWORDS = {
    *("type", "properties", "required", "additionalProperties", "items", "anyOf", "enum", "const"),
    *("$ref", "$defs", "description", "pattern", "minimum", "maximum", "exclusiveMinimum"),
    *("exclusiveMaximum", "minItems", "maxItems"),
}
MOST_PROPERTIES, MOST_ENTRIES, DEEPEST = 5000, 1000, 10


def nodes(schema: Any, depth: int = 0) -> Iterator[tuple[dict[str, Any], int]]:
    """Every schema within a schema, and how many objects it is in."""
    yield schema, depth
    deeper = depth + (schema.get("type") == "object")
    for name in ("properties", "$defs"):
        for inner in schema.get(name, {}).values():
            yield from nodes(inner, depth if name == "$defs" else deeper)
    for inner in [*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else [])]:
        yield from nodes(inner, deeper)


@pytest.mark.parametrize("name", TYPES)
def test_servers_take_the_schema(name: str) -> None:
    schema = strict_schema(TYPES[name].model_json_schema())
    assert schema["type"] == "object"
    assert "anyOf" not in schema
    properties = entries = 0
    for node, depth in nodes(schema):
        assert set(node) <= KEYWORDS, node
        assert depth <= DEEPEST
        if node.get("type") == "object":
            assert node["additionalProperties"] is False
            assert node["required"] == list(node["properties"])
            properties += len(node["properties"])
        entries += len(node.get("enum", ())) + ("const" in node)
        assert "$ref" not in node or len(node) == 1
    assert properties <= MOST_PROPERTIES
    assert entries <= MOST_ENTRIES


def test_the_whole_table_of_a_long_task_fits_into_a_schema() -> None:
    most = {f"thing_{i}": "box_rotate" for i in range(4)}
    schema = strict_schema(
        stage_types.goals(most, [f"step {i}" for i in range(6)]).model_json_schema()
    )
    assert len(json.dumps(schema)) < 30_000
    assert sum(len(n.get("enum", ())) for n, _ in nodes(schema)) < MOST_ENTRIES


@pytest.mark.parametrize("mode", OF_MODE)
def test_good_answers_meet_the_schema_that_is_sent(mode: str) -> None:
    """Else a server that keeps to it could never give them."""
    jsonschema = pytest.importorskip("jsonschema")

    def answer(question: Ask, before: int) -> str:
        text = answer_to(OF_MODE[mode], question.stage, question.user)
        jsonschema.validate(json.loads(text), strict_schema(question.schema))
        return text

    if mode != "image":
        assert isinstance(source_of(answer, mode).propose(Known()), Candidate)


def source_of(answers: Any, mode: str = "primitive") -> LlmSource:
    options = PipelineOptions(regenerations=0, reflections=0)
    return LlmSource(
        Wanted(mode), Backends(ScriptedModel(answers)), options=options, vocabulary=WORDS
    )


numbers = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([1e308, -1e308, math.nan, math.inf, -0.0, 10**400, 0.5, -1]),
)
strings = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            "import os",
            "../../etc/passwd",
            "!!python/object/apply:os.system [id]",
            "\x00\x1b[2J",
            "\u202e",
            "${x}$y",
            "drawer",
            "open",
            "OpenBox",
            "articulated_object_head",
            "x" * 5000,
        ]
    ),
)
anything = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, strings),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(strings, inner, max_size=4)
    ),
    max_leaves=12,
)
CHEAP = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@CHEAP
@given(value=anything, name=st.sampled_from([*TYPES]))
def test_any_json_is_an_answer_or_an_error_with_a_reason(value: Any, name: str) -> None:
    try:
        read_answer(json.dumps(value), TYPES[name])
    except AnswerError as error:
        assert str(error)
        assert str(error).isprintable()
        assert len(str(error)) < 4000


@CHEAP
@given(
    text=st.one_of(st.text(max_size=200), st.binary(max_size=200).map(lambda b: b.decode("latin1")))
)
def test_any_text_is_an_answer_or_an_error_with_a_reason(text: str) -> None:
    try:
        read_answer(text, Critique)
    except AnswerError as error:
        assert str(error).isprintable()


def places_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths to everything in a document."""
    found = [path] if path else []
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, inner in items:
        found += places_in(inner, (*path, key))
    return found


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), mode=st.sampled_from(["primitive", "topdown", "bottomup", "paraphrase"]))
def test_a_spoilt_answer_of_any_stage_gives_a_task_or_a_refusal(data: Any, mode: str) -> None:
    answers: dict[str, Any] = copy.deepcopy(dict(OF_MODE[mode]))
    stages = [s for s in answers if s not in ("critique", "repair")]
    stage = data.draw(st.sampled_from(stages))
    path = data.draw(st.sampled_from(places_in(answers[stage])))
    target = answers[stage]
    for key in path[:-1]:
        target = target[key]
    if data.draw(st.booleans()) and isinstance(target, dict):
        del target[path[-1]]
    else:
        target[path[-1]] = data.draw(anything)
    found = source_of(answers, mode).propose(Known())
    if isinstance(found, Refused):
        assert found.stage in STAGES
        assert found.reason
        assert found.reason.isprintable()
        assert found.instruction.isprintable()
    else:
        assert isinstance(found, Candidate)
        for name in found.files():
            folder, file = name.split("/")
            assert folder in ("tasks", "solvers")
            assert file.removesuffix(".yaml").replace("_", "").isalnum()


def test_a_very_long_answer_is_not_even_read() -> None:
    with pytest.raises(AnswerError, match="characters, more than"):
        read_answer("[" * 1_000_000, Critique)


def test_deep_answers_are_errors() -> None:
    for text in ("[" * 100_000, '{"reason":' * 20_000, '{"reason": ' + "[" * 90_000 + "]" * 90_000):
        with pytest.raises(AnswerError):
            read_answer(text, Critique)


def test_words_are_cut_and_of_one_line() -> None:
    found = read_answer(json.dumps({"reason": "a\nb\x1b[2J" * 999, "passes": True}), Critique)
    assert len(found.reason) <= 600
    assert found.reason.isprintable()
    assert plain("a\u202eb\u2028c\x85d") == "a b c d"


def test_names_of_a_library_are_what_models_are_shown() -> None:
    text = WORDS.catalogue(WORDS.categories)
    assert all(f"- {c}: " in text for c in WORDS.categories)
    for category in WORDS.categories:
        assert object_keypoints(category).count("\n") == len(KEYPOINTS[category]) - 1
    told = predicates()
    assert all(f"- {kind}: " in told for kind in stage_types.PREDICATES)
    assert set(WORDS.movable).isdisjoint(WORDS.carried)


def test_questions_are_filled_in_once() -> None:
    asked = filled("again", question="$reason ${x} $$", reason="why")
    assert asked.startswith("$reason ${x} $$")
    with pytest.raises(KeyError):
        filled("again", question="x")
    assert "$" not in system()
    assert "again" in NAMES


def test_known_solvers_are_offered_only_where_they_may_be_reused() -> None:
    assert "OpenDrawer" in json.dumps(
        stage_types.constraints("drawer", WORDS.solvers("drawer"), 3).model_json_schema()
    )
    assert "Reuse" not in json.dumps(stage_types.constraints("drawer", (), 3).model_json_schema())
    assert "constraints" in PRIMITIVE
