"""Tests of the backend ``local`` with a scripted model."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gensim2_generation.affordances import noun, shipped_affordances
from gensim2_generation.answers import UnusableReplyError
from gensim2_generation.asking import Answer, Ask
from gensim2_generation.backends import ProjectWorkshop
from gensim2_generation.candidate import Candidate
from gensim2_generation.composer import OF_MODE
from gensim2_generation.exchanges import RecordingModel
from gensim2_generation.grammar import Choice, Family, choices, outline
from gensim2_generation.local_decisions import KINDS, Decision, menu, path_of
from gensim2_generation.local_source import LocalSource
from gensim2_generation.run_folder import EXCHANGES
from gensim2_generation.service import Order
from gensim2_generation.settings import Settings
from gensim2_generation.source import ExhaustedError, Known, Refused, SourceError, Wanted
from gensim2_generation.verdict import EXPERT, Trial, Verdict

from gensim2_generation import local_wording

KNOWN = shipped_affordances()
PRIMITIVE = [c for c in choices(KNOWN) if c.family in OF_MODE["primitive"]]
FAILED = Verdict(False, "execute", "the pear fell down", (Trial(EXPERT, 1, "a", False, False),))
NOTHING = Known()


def first(key: str, options: tuple[str, ...]) -> str:
    return sorted(options)[0]


def preferring(**wanted: str) -> Callable[[str, tuple[str, ...]], str]:
    def choose(key: str, options: tuple[str, ...]) -> str:
        return wanted[key] if wanted.get(key) in options else first(key, options)

    return choose


@dataclass
class Scripted:
    """A model that chooses as it is told to, and always says the same sentences."""

    choose: Callable[[str, tuple[str, ...]], str] = first
    sentences: tuple[str, ...] = ("Do it.",)
    name: str = "script"
    asked: list[Ask] = field(default_factory=list)
    offered: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def ask(self, question: Ask) -> Answer:
        self.asked.append(question)
        key, schema = next(iter(question.schema["properties"].items()))
        if key == "instruction":
            said = sum("instruction" in q.schema["properties"] for q in self.asked) - 1
            text = self.sentences[said % len(self.sentences)]
        else:
            self.offered[key] = tuple(schema["enum"])
            text = self.choose(key, self.offered[key])
        return Answer(json.dumps({key: text}), self.name, (10, 5), 0.0, 0.5)


def source(model: Scripted, mode: str = "primitive", **wanted: Any) -> LocalSource:
    return LocalSource(Wanted(mode, **wanted), KNOWN, model)


def put(model: Scripted, **wanted: Any) -> Candidate:
    model.choose = preferring(
        kind=KINDS[Family.PUT], place="into the drawer", thing="pear", change="thing"
    )
    made = source(model, target_object="pear", **wanted).propose(NOTHING)
    assert isinstance(made, Candidate)
    return made


@pytest.mark.parametrize("mode", sorted(OF_MODE))
def test_no_choice_of_the_grammar_is_lost_between_decisions(mode: str) -> None:
    every = [c for c in choices(KNOWN) if c.family in OF_MODE[mode]]
    assert len({path_of(c, KNOWN, mode) for c in every}) == len(every)


@pytest.mark.parametrize("mode", sorted(OF_MODE))
def test_whatever_is_chosen_is_a_task_of_the_mode(mode: str) -> None:
    rng = np.random.default_rng(3)
    made = source(Scripted(lambda key, options: str(rng.choice(options))), mode)
    known = NOTHING
    for _ in range(4):
        found = made.propose(known)
        assert isinstance(found, Candidate) and found.origin.mode == mode
        assert found.name not in known.names
        known = Known((*known.names, found.name), (*known.instructions, found.task.instruction))


def test_the_model_decides_and_not_the_order_of_options() -> None:
    candidate = put(Scripted(sentences=("Please put the pear inside the drawer.",)))
    assert candidate.name == "PutPearIntoDrawer"
    assert candidate.task.instruction == "Please put the pear inside the drawer."
    assert not any("instruction" in note for note in candidate.origin.notes)


def test_a_task_that_is_known_is_no_option() -> None:
    model = Scripted(preferring(kind=KINDS[Family.PUT], place="into the drawer"))
    names = [outline(c, KNOWN).name for c in PRIMITIVE]
    open_ones = ("PutPearIntoDrawer", "PutCupIntoDrawer", "OpenDrawerTo50")
    known = tuple(n for n in names if n not in open_ones)
    found = source(model).propose(Known(known, ()))
    assert found.name in open_ones
    assert set(model.offered["thing"]) == {"cup", "pear"}
    assert "place" not in model.offered


def test_a_decision_that_was_forced_is_not_told_as_one_of_the_model() -> None:
    names = [outline(c, KNOWN).name for c in PRIMITIVE]
    known = Known(tuple(n for n in names if n != "PutPearIntoDrawer"))
    model = Scripted(sentences=("Put the pear into the drawer.",))
    found = source(model).propose(known)
    assert isinstance(found, Candidate) and len(model.asked) == 1
    forced = [n.split(":")[0] for n in found.origin.notes if n.endswith("was left")]
    assert forced == ["kind", "place", "thing"]


def test_a_menu_that_was_cut_says_so() -> None:
    candidate = put(Scripted())
    others = source(Scripted(preferring(kind=KINDS[Family.PUT]))).propose(NOTHING)
    assert isinstance(others, Candidate)
    assert any("12 of 16 options were offered" in n for n in others.origin.notes)
    assert not any("of 16" in n for n in candidate.origin.notes)


def test_a_source_without_tasks_left_ends() -> None:
    names = tuple(outline(c, KNOWN).name for c in PRIMITIVE)
    with pytest.raises(ExhaustedError):
        source(Scripted()).propose(Known(names))


def test_an_answer_beside_the_options_is_refused_with_its_cost() -> None:
    found = source(Scripted(lambda key, options: "import os")).propose(NOTHING)
    assert isinstance(found, Refused)
    assert found.stage == "propose" and "kind" in found.reason and found.tokens == (10, 5)


def test_a_decision_that_was_cut_off_costs_one_proposal_and_not_the_run() -> None:
    class Endless(Scripted):
        def ask(self, question: Ask) -> Answer:
            raise UnusableReplyError("the answer is longer than 64 tokens")

    found = source(Endless()).propose(NOTHING)
    assert isinstance(found, Refused) and "longer than 64 tokens" in found.reason


@pytest.mark.parametrize(
    "sentence",
    [
        "Put the apple into the drawer.",
        "Put the pear into the box.",
        "Put the pear under the drawer.",
        "Put the pear and the apple into the drawer.",
        "Roll the pear around.",
        "Put the pear into the drawer, then turn the drawer.",
        "Put the pear into the drawer and you can eat it.",
        "Put the pear into the drawer and put the drawer into the pear.",
        "Do not put the pear into the drawer.",
    ],
)
def test_a_sentence_that_says_another_task_is_never_its_instruction(sentence: str) -> None:
    candidate = put(Scripted(sentences=(sentence,)))
    assert candidate.task.instruction == "Put the pear into the drawer."
    assert candidate.origin.notes[-1] == "instruction: by the grammar"
    assert any("refused" in note for note in candidate.origin.notes)


def test_a_later_sentence_that_fits_is_taken() -> None:
    candidate = put(Scripted(sentences=("Put it there.", "Lay the pear into the drawer.")))
    assert candidate.task.instruction == "Lay the pear into the drawer."
    # What was refused has cost tokens, too.
    assert candidate.origin.tokens[0] >= 30


def test_an_instruction_of_many_lines_or_code_is_no_answer() -> None:
    for bad in ("Put the pear into the drawer.\nimport os", "__import__('os').system('ls')", "{}"):
        assert put(Scripted(sentences=(bad,))).task.instruction == "Put the pear into the drawer."


def test_a_repair_leaves_out_what_failed_and_tells_why() -> None:
    model = Scripted()
    model.choose = preferring(
        kind=KINDS[Family.PUT], place="into the drawer", thing="pear", change="thing"
    )
    made = source(model)
    candidate = made.propose(Known(tuple(_without_things("pear", "cup"))))
    assert isinstance(candidate, Candidate) and candidate.name == "PutPearIntoDrawer"
    model.asked.clear()
    repaired = made.repair(candidate, FAILED)
    assert isinstance(repaired, Candidate) and repaired.name == "PutCupIntoDrawer"
    assert repaired.origin.repairs == ("execute: the pear fell down",)
    assert "the pear fell down" in model.asked[0].user
    again = made.propose(NOTHING)
    assert again.name not in (candidate.name, repaired.name)


def _without_things(*things: str) -> list[str]:
    """Names of all primitive tasks, but for putting these things into the drawer or the box."""
    kept = {
        outline(Choice(Family.PUT, place, items=(t,)), KNOWN).name
        for place in ("drawer", "box_rotate")
        for t in things
    }
    return [n for c in PRIMITIVE if (n := outline(c, KNOWN).name) not in kept]


def test_a_repair_can_change_an_earlier_decision() -> None:
    model = Scripted()
    model.choose = preferring(
        kind=KINDS[Family.PUT], place="into the drawer", thing="pear", change="place"
    )
    made = source(model)
    candidate = made.propose(Known(tuple(_without_things("pear", "cup"))))
    assert isinstance(candidate, Candidate)
    repaired = made.repair(candidate, FAILED)
    assert isinstance(repaired, Candidate) and repaired.name == "PutPearIntoBox"


@pytest.mark.parametrize("mode", sorted(OF_MODE))
def test_no_task_is_there_that_the_model_could_not_say(mode: str) -> None:
    nouns = [noun(c) for c in KNOWN.categories]
    for choice in choices(KNOWN):
        if choice.family in OF_MODE[mode]:
            told = outline(choice, KNOWN)
            mine = [noun(c) for c in (choice.category, choice.other, *choice.items) if c]
            assert not local_wording.problem(told.instruction, told.steps, mine, nouns, ())
            assert not local_wording.added(told.instruction, (*told.steps, *mine))


def test_what_the_source_has_not_made_is_not_repaired() -> None:
    assert source(Scripted()).repair(put(Scripted()), FAILED) is None


def test_the_next_skill_is_asked_for_with_the_ones_so_far() -> None:
    model = Scripted()
    found = source(model, "bottomup", target_object="drawer").propose(NOTHING)
    assert isinstance(found, Candidate)
    begun = first("first_skill", model.offered["first_skill"])
    asked = [q.user for q in model.asked if "next_skill" in q.schema["properties"]]
    assert len(asked) == 1 and f"The task so far: {begun}\n" in asked[0]


def test_other_words_keep_the_task() -> None:
    model = Scripted(sentences=("This box has to be opened.",))
    found = source(model, "paraphrase", target_task="OpenBox").propose(NOTHING)
    assert isinstance(found, Candidate) and found.name == "OpenBoxSaid1"
    assert found.task.instruction == "This box has to be opened."
    assert found.origin.examples == ("OpenBox",)


@pytest.mark.parametrize(
    "sentence",
    ["Close the box.", "Open the drawer.", "Open the box.", "Open the box and eat it."],
)
def test_other_words_for_another_task_are_refused(sentence: str) -> None:
    made = source(Scripted(sentences=(sentence,)), "paraphrase", target_task="OpenBox")
    assert isinstance(made.propose(NOTHING), Refused)


def test_a_model_that_sees_nothing_is_not_shown_pictures() -> None:
    with pytest.raises(SourceError, match="sees nothing"):
        source(Scripted(), "image", image="a.png")


def test_an_object_that_nobody_knows_is_an_error_that_names_those_that_are() -> None:
    with pytest.raises(SourceError, match=r"unicorn.*drawer"):
        source(Scripted(), target_object="unicorn")


def test_the_object_that_is_wanted_is_in_the_task() -> None:
    found = source(Scripted(), "topdown", target_object="microwave").propose(NOTHING)
    assert isinstance(found, Candidate)
    assert "microwave" in {o.category for o in found.task.objects}


def test_the_same_seed_asks_the_same_questions() -> None:
    told = []
    for _ in range(2):
        model = Scripted()
        source(model, seed=4).propose(NOTHING)
        told.append([(q.user, q.seed) for q in model.asked])
    assert told[0] == told[1]


def test_a_record_is_replayed_bit_for_bit_by_the_backend_it_is_of(tmp_path: Path) -> None:
    settings = Settings(exchanges=str(tmp_path))
    asked: list[str] = []
    order = Order(Wanted(seed=4), settings, tmp_path, tmp_path, asking=asked.append)
    recorded = LocalSource(
        order.wanted, KNOWN, RecordingModel(Scripted(), tmp_path / EXCHANGES)
    ).propose(NOTHING)
    replaying = ProjectWorkshop().source("replay", order)
    replayed = replaying.propose(NOTHING)
    assert isinstance(recorded, Candidate) and isinstance(replayed, Candidate)
    assert replayed.files() == recorded.files()
    assert (replayed.origin.source, replaying.name) == ("replay", "replay script")
    assert set(asked) == {"propose"}


def test_all_kinds_are_on_a_menu_that_is_cut() -> None:
    left = {
        path_of(c, KNOWN, "bottomup"): c for c in choices(KNOWN) if c.family in OF_MODE["bottomup"]
    }
    found = menu(left, (), 12, np.random.default_rng(0))
    assert found is not None and len(found.offered) == 12 < found.open
    offered = {
        left[p].family for p in left if p[0] in {Decision(found.key, t) for t in found.offered}
    }
    assert offered == set(OF_MODE["bottomup"])


@pytest.mark.parametrize(
    ("sentence", "wrong"),
    [
        ("Open the drawer and put the cup into it.", ""),
        ("Put the cup into the drawer and open it.", "another order"),
        ("Open the drawer and put the golf ball into the cup.", "golf ball"),
        ("Open the drawer.", "cup"),
    ],
)
def test_steps_in_another_order_are_another_task(sentence: str, wrong: str) -> None:
    steps = ("open the drawer", "put the cup into it")
    found = local_wording.problem(
        sentence, steps, ["drawer", "cup"], ["drawer", "cup", "golf ball", "box"], []
    )
    assert wrong in found and bool(wrong) == bool(found)
