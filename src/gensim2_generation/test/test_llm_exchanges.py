"""Recording and replaying, and what a generation may cost."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from gensim2_generation.answers import UnusableReplyError
from gensim2_generation.asker import Backends
from gensim2_generation.asking import Answer, Ask
from gensim2_generation.budget import Budget, BudgetedModel, Limits, Price, PriceList, load_prices
from gensim2_generation.candidate import Candidate
from gensim2_generation.exchanges import (
    RecordingModel,
    ReplayModel,
    question_hash,
    read_exchanges,
)
from gensim2_generation.llm_source import LlmSource
from gensim2_generation.pipeline import PipelineOptions
from gensim2_generation.prompting import version
from gensim2_generation.seeing import Shown, with_captions
from gensim2_generation.source import BudgetError, Known, Proposed, Refused, SourceError, Wanted
from gensim2_generation.stages import Critique, Paraphrases
from gensim2_generation.verdict import Trial, Verdict
from llm_answers import OF_MODE, PARAPHRASES, PRIMITIVE, ScriptedModel, place, with_changes

ASK = Ask("critique", "You judge.", "Is it good?", Critique, max_tokens=100)
FAILED = Verdict(False, "execute", "out of reach", (Trial("expert", 1, "drawer/1", False, False),))


def run(source: LlmSource) -> list[Proposed]:
    """A whole run: a good task, a bad one, and a repair."""
    first = source.propose(Known())
    assert isinstance(first, Candidate)
    second = source.propose(Known((first.name,), (first.task.instruction,)))
    mended = source.repair(first, FAILED)
    assert mended is not None
    return [first, second, mended]


@pytest.mark.parametrize("mode", ["primitive", "topdown", "bottomup", "paraphrase"])
def test_a_replayed_run_makes_the_same_candidates(mode: str, tmp_path: Path) -> None:
    record = tmp_path / "exchanges.jsonl"
    wanted = Wanted(mode, seed=4)
    options = PipelineOptions(regenerations=1, reflections=mode != "paraphrase")

    def proposals(source: LlmSource) -> list[Proposed]:
        if mode == "primitive":
            return run(source)
        return [source.propose(Known()) for _ in range(3)]

    recording = RecordingModel(ScriptedModel(OF_MODE[mode]), record)
    before = proposals(LlmSource(wanted, Backends(recording), "openai", options=options))
    replaying = Backends(ReplayModel(record))
    after = proposals(LlmSource(wanted, replaying, "openai", options=options))
    assert after == before
    # Also once it has been read and written.
    for one, other in zip(before, after, strict=True):
        if isinstance(one, Candidate):
            assert isinstance(other, Candidate)
            assert one.files() == other.files()
    assert any(isinstance(p, Candidate) for p in before)


def test_a_record_says_what_was_asked_and_answered(tmp_path: Path) -> None:
    record = tmp_path / "exchanges.jsonl"
    asked = replace(ASK, images=(b"\x89PNGone", b"\x89PNGtwo", b"\x89PNGone"))
    model = RecordingModel(ScriptedModel(PRIMITIVE), record)
    model.ask(asked)
    (line,) = record.read_text().splitlines()
    found = json.loads(line)
    assert found["stage"] == "critique"
    assert found["model"] == "scripted"
    assert found["prompts"] == version()
    assert found["question"] == question_hash(asked)
    assert (found["system"], found["user"]) == (asked.system, asked.user)
    assert json.loads(found["answer"]) == PRIMITIVE["critique"]
    assert (found["tokens"], found["seconds"]) == ([100, 50], 0.5)
    files = sorted(p.name for p in (tmp_path / "images").iterdir())
    assert sorted(set(found["images"])) == files
    assert len(files) == 2


@pytest.mark.parametrize(
    "changed", [{"user": "?"}, {"seed": 1}, {"temperature": 0.5}, {"answer": Paraphrases}]
)
def test_what_was_never_asked_is_an_error_that_names_the_stage(
    changed: dict[str, Any], tmp_path: Path
) -> None:
    record = tmp_path / "exchanges.jsonl"
    RecordingModel(ScriptedModel(PRIMITIVE), record).ask(ASK)
    replayed = ReplayModel(record)
    with pytest.raises(SourceError, match="'critique' was never asked"):
        replayed.ask(replace(ASK, **changed))
    replayed.ask(ASK)
    with pytest.raises(SourceError, match="not as often"):
        replayed.ask(ASK)


def test_other_pixels_or_none_of_the_same_question_find_its_answer(tmp_path: Path) -> None:
    record = tmp_path / "exchanges.jsonl"
    shown = [Shown(b"a", "a box"), Shown(b"b", "a hand")]
    seen = replace(ASK, user=with_captions(ASK.user, shown), images=(b"a", b"b"))
    RecordingModel(ScriptedModel(PRIMITIVE), record).ask(seen)
    other = replace(ASK, user=with_captions(ASK.user, shown[1:]), images=(b"c",))
    assert ReplayModel(record).ask(other).text
    assert ReplayModel(record).ask(ASK).text


@pytest.mark.parametrize(
    "text", ["\ud800", "base64:eA==", '\x00\u2028 \\ "', "base64:", "x" * 9999]
)
def test_every_answer_is_replayed_as_it_came(text: str, tmp_path: Path) -> None:
    record = tmp_path / "exchanges.jsonl"
    answer = RecordingModel(ScriptedModel(lambda q, n: text), record).ask(ASK)
    assert ReplayModel(record).ask(ASK) == answer


def test_replies_of_no_use_are_replayed_too(tmp_path: Path) -> None:
    record = tmp_path / "exchanges.jsonl"

    class Useless(ScriptedModel):
        def ask(self, question: Ask) -> Answer:
            raise UnusableReplyError("the reply is larger than 2 MB")

    with pytest.raises(UnusableReplyError):
        RecordingModel(Useless(PRIMITIVE), record).ask(ASK)
    with pytest.raises(UnusableReplyError, match="2 MB"):
        ReplayModel(record).ask(ASK)


def test_a_record_that_was_cut_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    record = tmp_path / "exchanges.jsonl"
    model = RecordingModel(ScriptedModel(PRIMITIVE), record)
    model.ask(ASK)
    model.ask(replace(ASK, seed=5))
    whole = record.read_bytes()
    record.write_bytes(whole[:-30])
    assert len(read_exchanges(record)) == 1
    record.write_bytes(whole.replace(b'"seed":5', b'"seed":"5"') + whole)
    with pytest.raises(SourceError, match="line 2"):
        read_exchanges(record)


def test_what_is_no_record_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such record"):
        ReplayModel(tmp_path / "none.jsonl")
    with pytest.raises(SourceError, match="no such record"):
        ReplayModel(tmp_path)
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    with pytest.raises(SourceError, match="holds no exchange"):
        ReplayModel(empty)
    empty.write_bytes(b"\xff\xfe{}\n{}\n")
    with pytest.raises(SourceError, match="cannot be read"):
        ReplayModel(empty)


def test_a_record_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be recorded"):
        RecordingModel(ScriptedModel(PRIMITIVE), tmp_path / "none" / "x.jsonl").ask(ASK)


def test_pictures_are_readable_for_others(tmp_path: Path) -> None:
    model = RecordingModel(ScriptedModel(PRIMITIVE), tmp_path / "x.jsonl")
    model.ask(replace(ASK, images=(b"a",)))
    (file,) = (tmp_path / "images").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o644


PRICES = PriceList(models={"scripted": Price(read=1000.0, written=4000.0)})


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def budgeted(
    clock: Clock | None = None, prices: PriceList = PRICES, **limits: Any
) -> tuple[BudgetedModel, ScriptedModel]:
    inner = ScriptedModel(PRIMITIVE)
    budget = Budget(Limits(**limits), prices, clock or Clock())
    return BudgetedModel(inner, budget), inner


def test_answers_have_their_price() -> None:
    model, _ = budgeted()
    assert model.ask(ASK).cost == pytest.approx(0.1 + 0.2)
    other, _ = budgeted(prices=PriceList())
    assert other.ask(ASK).cost == 0.0


@pytest.mark.parametrize(("limits", "said"), [({"tokens": 900}, "tokens"), ({"money": 1.5}, "USD")])
def test_the_question_that_may_go_beyond_is_not_asked(limits: Any, said: str) -> None:
    model, inner = budgeted(**limits)
    with pytest.raises(BudgetError, match=said):
        for _ in range(50):
            model.ask(ASK)
    assert 1 <= len(inner.questions) < 50
    spent = 150 * len(inner.questions)
    assert spent <= limits.get("tokens", spent)


def test_time_is_up_when_it_is_up() -> None:
    clock = Clock()
    model, inner = budgeted(clock, minutes=2.0)
    model.ask(ASK)
    clock.now = 119.0
    model.ask(ASK)
    clock.now = 120.0
    with pytest.raises(BudgetError, match="minutes are over"):
        model.ask(ASK)
    assert len(inner.questions) == 2


def test_a_budget_of_money_needs_prices() -> None:
    model, inner = budgeted(prices=PriceList(), money=100.0)
    with pytest.raises(BudgetError, match="no model 'scripted'"):
        model.ask(ASK)
    assert not inner.questions


@pytest.mark.parametrize("wrong", [{"tokens": -1}, {"money": float("nan")}, {"minutes": -0.1}])
def test_limits_that_are_none_are_errors(wrong: Any) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Limits(**wrong)


def test_models_of_one_generation_share_its_budget() -> None:
    budget = Budget(Limits(tokens=900), PRICES, Clock())
    models = [BudgetedModel(ScriptedModel(PRIMITIVE), budget) for _ in range(9)]
    with pytest.raises(BudgetError):
        for model in models:
            model.ask(ASK)


def test_a_proposal_that_is_refused_has_its_price() -> None:
    answers = with_changes(PRIMITIVE, "place", objects=[place("drawer", x=9.0)])
    model = BudgetedModel(ScriptedModel(answers), Budget(Limits(), PRICES, Clock()))
    source = LlmSource(Wanted(), Backends(model), options=PipelineOptions(regenerations=0))
    found = source.propose(Known())
    assert isinstance(found, Refused)
    assert found.cost == pytest.approx(2 * 0.3)
    assert found.tokens == (200, 100)


def test_prices_are_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "prices.yaml"
    file.write_text("currency: EUR\nmodels:\n  gpt: {read: 2.5, written: 10}\n")
    prices = load_prices(file)
    assert (prices.currency, prices.models["gpt"].of(1_000_000, 100_000)) == ("EUR", 3.5)


@pytest.mark.parametrize(
    "text",
    [
        "models: {gpt: {read: -1, written: 1}}",
        "models: {gpt: {read: .nan, written: 1}}",
        "models: {gpt: 3}",
        "models: {gpt: {read: 1}}",
        "- 1",
        "",
        "models: {a: {read: 1, written: 1}, a: {read: 1, written: 1}}",
        "!!python/object/apply:os.system [id]",
        "key: value",
        "[" * 500,
        "\x00",
    ],
)
def test_wrong_price_lists_are_errors_that_name_the_file(text: str, tmp_path: Path) -> None:
    file = tmp_path / "prices.yaml"
    file.write_text(text)
    with pytest.raises(SourceError, match=r"prices\.yaml|price list"):
        load_prices(file)
    with pytest.raises(SourceError, match="no such file"):
        load_prices(tmp_path / "none.yaml")


def test_paraphrases_that_wait_cost_nothing_more() -> None:
    source = LlmSource(
        Wanted("paraphrase", target_task="OpenDrawer"), Backends(ScriptedModel(PARAPHRASES))
    )
    tokens = []
    for _ in range(2):
        found = source.propose(Known())
        assert isinstance(found, Candidate)
        tokens.append(sum(found.origin.tokens))
    assert tokens == [150, 0]
