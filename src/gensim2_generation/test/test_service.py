"""From a request to an outcome, one at a time, with a scripted workshop."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_workshop import Fake
from generation_script import Script, candidate, verdict
from gensim2_generation.candidate import Candidate
from gensim2_generation.outcome import End, Progress
from gensim2_generation.run_folder import RunError, read_decisions, read_request
from gensim2_generation.service import GeneratorService, Order
from gensim2_generation.settings import Request, Settings
from gensim2_generation.source import Known, Proposed, Source, SourceError, Wanted


def service(fake: Fake, tmp_path: Path, **environ: str) -> GeneratorService:
    settings = Settings(runs=str(tmp_path / "runs"))
    day = datetime.datetime(2026, 1, 2, 3, 4, 5)
    return GeneratorService(settings, fake, environ, lambda: 0.0, lambda: day)


def run(
    asked: GeneratorService, request: Request, ends: Callable[[], bool] = lambda: False
) -> tuple[End, str]:
    outcome = asked.run(request, lambda _: None, ends)
    return outcome.end, outcome.text


def test_a_request_is_carried_out_and_its_record_is_on_disk(tmp_path: Path) -> None:
    fake = Fake(lambda: Script(candidate(0.5)))
    outcome = service(fake, tmp_path).run(
        Request(target_object="drawer", seed=7), lambda _: None, lambda: False
    )
    assert outcome.end is End.NONE
    assert fake.asked == [("catalogue", Wanted("primitive", "drawer", seed=7))]
    assert outcome.run == tmp_path / "runs" / "2026-01-02_03-04-05"
    assert fake.reported == [outcome.run]
    request = read_request(outcome.run)
    assert (request.backend, request.wanted.seed, request.software) == (
        "catalogue",
        7,
        {"gensim2": "1"},
    )
    (decision, judged), *more = read_decisions(outcome.run)
    assert not more and decision.accepted and judged is not None
    assert judged["trials"][0]["success"] is True


def test_a_second_caller_hears_busy_at_once_and_the_first_goes_on(tmp_path: Path) -> None:
    fake = Fake(lambda: Script(candidate(0.5)), go=threading.Event())
    asked = service(fake, tmp_path)
    ends, outcomes = threading.Event(), []
    first = threading.Thread(target=lambda: outcomes.append(run(asked, Request(), ends.is_set)))
    first.start()
    assert fake.begun.wait(10.0)
    end, text = run(asked, Request())
    assert end is End.BUSY and "another generation" in text
    ends.set()
    first.join(10.0)
    assert outcomes == [(End.CANCELED, "cancelled")]
    assert not asked.busy


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (Request(mode="up"), "primitive, topdown"),
        (Request(backend="gpt"), "catalogue, openai"),
        (Request(backend="openai"), "set OPENAI_API_KEY"),
        (Request(target_object="x" * 10_000), "more than 500"),
        (Request(num_tasks=2**31), "num_tasks"),
        (Request(timeout=-1.0), "timeout"),
        (Request(timeout=float("nan")), "timeout"),
    ],
)
def test_a_wrong_request_says_what_would_do_and_leaves_nothing(
    request_: Request, said: str, tmp_path: Path
) -> None:
    end, text = run(service(Fake(Script), tmp_path), request_)
    assert end is End.BAD_REQUEST and said in text
    assert not (tmp_path / "runs").exists()


def test_a_backend_that_does_not_work_is_no_bad_request(tmp_path: Path) -> None:
    def broken() -> Source:
        raise SourceError("the key is not accepted")

    assert run(service(Fake(broken), tmp_path), Request()) == (
        End.BACKEND_FAILED,
        "the key is not accepted",
    )


def test_a_run_goes_on_and_one_of_another_request_is_left_alone(tmp_path: Path) -> None:
    folder = str(tmp_path / "run")
    first = service(Fake(lambda: Script(candidate(0.5))), tmp_path)
    assert run(first, Request(run=folder))[0] is End.NONE
    second = Fake(lambda: Script(candidate(0.7)))
    assert run(service(second, tmp_path), Request(run=folder, num_tasks=2))[0] is End.NONE
    assert [d.name for d, _ in read_decisions(Path(folder))] == ["OpenDrawerTo50", "OpenDrawerTo70"]
    end, text = run(service(second, tmp_path), Request(run=folder, seed=9))
    assert end is End.BAD_REQUEST and "name another folder" in text


def test_a_run_that_was_cut_within_a_line_goes_on_and_can_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    first = service(Fake(lambda: Script(candidate(0.5))), tmp_path)
    assert run(first, Request(run=str(folder)))[0] is End.NONE
    with (folder / "decisions.jsonl").open("a") as file:
        file.write('{"decision": {"name": "OpenDra')
    second = service(Fake(lambda: Script(candidate(0.7))), tmp_path)
    assert run(second, Request(run=str(folder), num_tasks=2))[0] is End.NONE
    assert [d.name for d, _ in read_decisions(folder)] == ["OpenDrawerTo50", "OpenDrawerTo70"]


def test_a_line_that_was_cut_is_left_out_and_a_wrong_one_is_told(tmp_path: Path) -> None:
    fake = Fake(lambda: Script(candidate(0.5), candidate(0.7)))
    outcome = service(fake, tmp_path).run(Request(num_tasks=2), lambda _: None, lambda: False)
    file = outcome.run / "decisions.jsonl"
    lines = file.read_text().splitlines()
    assert len(lines) == 2
    file.write_text(lines[0] + "\n" + lines[1][:50])
    assert len(read_decisions(outcome.run)) == 1
    file.write_text("nonsense\n" + lines[1])
    with pytest.raises(RunError, match="line 1"):
        read_decisions(outcome.run)
    assert verdict(True).accepted


def test_a_library_that_cannot_be_written_ends_the_run_with_the_reason_and_what_was_decided(
    tmp_path: Path,
) -> None:
    fake = Fake(lambda: Script(candidate(0.5), candidate(0.7)))
    keep, full = fake.shelf.add, OSError(28, "No space left on device")

    def add(made: Candidate, *more: object) -> Path:
        if fake.shelf.kept:
            raise full
        return keep(made, *more)

    fake.shelf.add = add  # type: ignore[method-assign]
    outcome = service(fake, tmp_path).run(Request(num_tasks=2), lambda _: None, lambda: False)
    assert outcome.end is End.INTERNAL and "No space left" in outcome.text
    assert [d.name for d in outcome.decisions] == ["OpenDrawerTo50"]


def test_every_question_to_a_model_is_progress(tmp_path: Path) -> None:
    class Asks(Fake):
        def source(self, backend: str, order: Order) -> Source:
            class Asking(Script):
                def propose(self, known: Known) -> Proposed:
                    order.asking("decompose")
                    return super().propose(known)

            return Asking(candidate(0.5))

    heard: list[Progress] = []
    service(Asks(Script), tmp_path).run(Request(), heard.append, lambda: False)
    assert [p.stage for p in heard][:2] == ["propose", "decompose"]
