"""The client against a server that behaves in every way a server can."""

from __future__ import annotations

import gzip
import json
import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("openai", reason="needs the wheels of requirements/generation.txt")

from gensim2_generation.answers import UnusableReplyError
from gensim2_generation.asker import Backends
from gensim2_generation.asking import Ask
from gensim2_generation.backends import ProjectWorkshop
from gensim2_generation.backoff import Patience
from gensim2_generation.candidate import Candidate
from gensim2_generation.exchanges import RecordingModel
from gensim2_generation.llm_source import LlmSource
from gensim2_generation.openai_model import LARGEST, OpenAiModel
from gensim2_generation.pipeline import PipelineOptions
from gensim2_generation.service import Order
from gensim2_generation.settings import Settings
from gensim2_generation.source import Known, Refused, SourceError, Wanted
from gensim2_generation.stages import Critique
from llm_answers import HALF, OF_MODE, PRE, PRIMITIVE, answer_to
from scripted_server import (
    KEY,
    Reply,
    Script,
    ScriptedServer,
    failing,
    pictures_of,
    saying,
    stage_of,
    text_of,
)

QUICK = Patience(tries=3, base=0.01, longest=2.0, request=5.0, connect=2.0)
GOOD = '{"reason": "fine", "passes": true}'
ASK = Ask("critique", "You judge.", "Is it good?", Critique)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith("OPENAI") or n.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


@pytest.fixture
def waits() -> list[float]:
    return []


def serve(script: Script, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    server = ScriptedServer(script)
    monkeypatch.setenv("OPENAI_BASE_URL", server.address)
    return server


def in_turn(*replies: Reply) -> Script:
    """The replies one after another, the last one from then on."""
    left = list(replies)
    return lambda stage, request: left.pop(0) if len(left) > 1 else left[0]


class Clock:
    """Time that only passes while somebody sleeps."""

    def __init__(self) -> None:
        self.now, self.slept = 0.0, 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds


def model(clock: Clock | None = None, patience: Patience = QUICK, **given: Any) -> OpenAiModel:
    clock = clock or Clock()
    return OpenAiModel("scripted", patience=patience, clock=clock, sleep=clock.sleep, **given)


def test_a_question_is_asked_with_its_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(in_turn(saying(GOOD)), monkeypatch) as server:
        answer = model().ask(ASK)
    assert (answer.text, answer.tokens, answer.retries) == (GOOD, (100, 50), 0)
    request = server.requests[0]
    assert request["response_format"]["json_schema"]["strict"] is True
    schema = request["response_format"]["json_schema"]["schema"]
    assert schema["required"] == ["reason", "passes"]
    assert request["model"] == "scripted"
    assert server.keys == [f"Bearer {KEY}"]


def test_settings_reach_the_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    both = {"alternatives": [{"idea": "", "pre": PRE, "post": HALF}] * 2}

    def script(stage: str, request: dict[str, Any]) -> Reply:
        answers = {**PRIMITIVE, "pre_motions": both} if request["max_tokens"] == 777 else PRIMITIVE
        return saying(answer_to(answers, stage, text_of(request)))

    def asked(**changes: Any) -> tuple[list[str], set[Any]]:
        """Stages that are asked for, and the bounds of their answers."""
        settings = Settings(model="scripted", **changes)
        with serve(script, monkeypatch) as server:
            order = Order(Wanted("primitive"), settings, tmp_path, tmp_path)
            found = ProjectWorkshop().source("openai", order).propose(Known())
        assert isinstance(found, Candidate), found
        stages = [stage_of(request) for request in server.requests]
        return stages, {request["max_tokens"] for request in server.requests}

    apart, _ = asked()
    together, bounds = asked(together=True, answer_tokens=777)
    assert {*apart} - {*together} == {"post_motions"}
    assert bounds == {777}


@pytest.mark.parametrize("mode", OF_MODE)
def test_every_mode_works_through_a_server(
    mode: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def script(stage: str, request: dict[str, Any]) -> Reply:
        return saying(answer_to(OF_MODE[mode], stage, text_of(request)))

    wanted = Wanted(mode)
    if mode == "image":
        import cv2
        import numpy as np

        cv2.imwrite(str(tmp_path / "x.png"), np.zeros((20, 20, 3), np.uint8))
        wanted = Wanted(mode, image=str(tmp_path / "x.png"))
    with serve(script, monkeypatch) as server:
        source = LlmSource(wanted, Backends(model()), options=PipelineOptions(reflections=2))
        found = source.propose(Known())
    assert isinstance(found, Candidate), found
    assert source.name == "openai scripted"
    assert found.origin.tokens == (100 * len(server.requests), 50 * len(server.requests))
    assert [pictures_of(r) for r in server.requests][:1] == [int(mode == "image")]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 408])
def test_a_busy_server_is_asked_again(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    with serve(in_turn(failing(status, "busy"), saying(GOOD)), monkeypatch) as server:
        answer = model(clock).ask(ASK)
    assert answer.retries == 1
    assert len(server.requests) == 2
    assert clock.slept >= 0.005


def test_the_time_that_a_server_asks_for_is_granted(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    script = in_turn(failing(429, "slowly", Retry_After="1.5"), saying(GOOD))
    with serve(script, monkeypatch):
        model(clock).ask(ASK)
    assert clock.slept == pytest.approx(1.5)


def test_waits_grow_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    patience = Patience(tries=5, base=1.0, longest=3.0, request=5.0)
    with (
        serve(in_turn(failing(503, "busy")), monkeypatch) as server,
        pytest.raises(SourceError, match=r"status 503.*tried 5 times"),
    ):
        model(clock, patience).ask(ASK)
    assert len(server.requests) == 5
    assert 0.5 * (1 + 2 + 3 + 3) <= clock.slept <= 1 + 2 + 3 + 3 + 1e-6


@pytest.mark.parametrize("how", ["closed", "half"])
def test_a_connection_that_breaks_off_is_made_anew(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Reply(body=saying(GOOD).body, broken=how)
    with serve(in_turn(broken, saying(GOOD)), monkeypatch):
        assert model().ask(ASK).retries == 1
    with (
        serve(in_turn(broken), monkeypatch),
        pytest.raises(SourceError, match="breaks off"),
    ):
        model().ask(ASK)


@pytest.mark.parametrize("how", ["hang", "drip"])
def test_a_server_that_hangs_is_not_waited_for(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    patience = Patience(tries=2, base=0.01, longest=0.01, request=0.5, connect=0.5)
    with serve(in_turn(Reply(body=saying(GOOD).body, broken=how)), monkeypatch) as server:
        asked = OpenAiModel("scripted", patience=patience)
        with pytest.raises(SourceError, match=r"in time|no whole reply"):
            asked.ask(ASK)
        server.released.set()
    assert len(server.requests) == 2


def test_who_waits_can_be_told_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    end = threading.Event()

    def script(stage: str, request: dict[str, Any]) -> Reply:
        end.set()
        return Reply(broken="hang")

    patience = Patience(tries=2, request=60.0)
    with serve(script, monkeypatch):
        asked = OpenAiModel("scripted", patience=patience, cancelled=end.is_set)
        with pytest.raises(SourceError, match="cancelled"):
            asked.ask(ASK)


def test_nobody_there_is_an_error_that_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(in_turn(saying(GOOD)), monkeypatch):
        pass
    with pytest.raises(SourceError, match=r"127\.0\.0\.1 cannot be reached.*OPENAI_BASE_URL"):
        model().ask(ASK)


@pytest.mark.parametrize("status", [200, 500])
def test_ten_megabytes_are_refused_and_not_read(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = Reply(status, saying("x" * 10_000_000).body)
    with (
        serve(in_turn(large), monkeypatch) as server,
        pytest.raises(UnusableReplyError, match="larger than 2 MB"),
    ):
        model().ask(ASK)
    assert len(server.requests) == 1


def test_a_packed_reply_is_measured_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    body = gzip.compress(saying("x" * (10 * LARGEST)).body)
    packed = Reply(200, body, {"Content-Encoding": "gzip"})
    assert len(body) < LARGEST
    with serve(in_turn(packed), monkeypatch), pytest.raises(UnusableReplyError):
        model().ask(ASK)


def test_a_large_answer_is_a_refusal_and_no_end_of_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def script(stage: str, request: dict[str, Any]) -> Reply:
        large = stage == "place"
        return saying("x" * 10_000_000 if large else json.dumps(PRIMITIVE[stage]))

    with serve(script, monkeypatch):
        options = PipelineOptions(regenerations=1)
        found = LlmSource(Wanted(), Backends(model()), options=options).propose(Known())
    assert isinstance(found, Refused)
    assert (found.stage, "larger" in found.reason) == ("place", True)


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_key_is_an_error_that_says_what_to_do(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = failing(status, f"Incorrect API key provided: {KEY[:7]}****{KEY[-4:]} or {KEY}")
    with (
        serve(in_turn(said), monkeypatch) as server,
        pytest.raises(SourceError, match="OPENAI_API_KEY") as caught,
    ):
        model().ask(ASK)
    assert len(server.requests) == 1
    assert KEY[:7] not in str(caught.value)
    assert KEY[-4:] not in str(caught.value)


def test_an_unknown_model_is_an_error_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    said = failing(404, "The model `scripted` does not exist")
    with (
        serve(in_turn(said), monkeypatch),
        pytest.raises(SourceError, match=r"no model 'scripted'.*does not exist"),
    ):
        model().ask(ASK)


def test_an_account_without_credit_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}
    said = Reply(429, json.dumps(body).encode())
    with (
        serve(in_turn(said), monkeypatch) as server,
        pytest.raises(SourceError, match="no credit left"),
    ):
        model().ask(ASK)
    assert len(server.requests) == 1


@pytest.mark.parametrize("accepted", ["json_object", "none"])
def test_a_server_without_schemas_gets_them_in_words(
    accepted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def script(stage: str, request: dict[str, Any]) -> Reply:
        form = request.get("response_format", {}).get("type", "none")
        if form != accepted:
            return failing(400, f"response_format of type {form} is not supported")
        return saying(GOOD)

    with serve(script, monkeypatch) as server:
        asked = model()
        assert asked.ask(ASK).text == GOOD
        before = len(server.requests)
        asked.ask(ASK)
    # What was refused once is not tried again.
    assert len(server.requests) == before + 1
    assert '"passes"' in server.requests[-1]["messages"][0]["content"]


def test_what_a_model_does_not_know_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def script(stage: str, request: dict[str, Any]) -> Reply:
        if "max_tokens" in request:
            return failing(400, "Unsupported parameter: use 'max_completion_tokens' instead")
        for name in ("temperature", "seed"):
            if name in request:
                return failing(400, f"Unsupported value: '{name}' does not support 0")
        return saying(GOOD)

    with serve(script, monkeypatch) as server:
        assert model().ask(ASK).text == GOOD
    assert server.requests[-1]["max_completion_tokens"] == ASK.max_tokens
    assert "response_format" in server.requests[-1]


def test_a_question_that_is_refused_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        serve(in_turn(failing(400, "context length exceeded")), monkeypatch) as server,
        pytest.raises(SourceError, match="context length exceeded"),
    ):
        model().ask(ASK)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>hello</html>",
        b"{",
        b"null",
        b"[]",
        b'{"choices": []}',
        b'{"choices": [{"message": {"content": 3}}]}',
        b'{"choices": "\\ud800"}',
        b'{"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": -1}}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_what_is_no_completion_is_an_error(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        serve(in_turn(Reply(body=body)), monkeypatch),
        pytest.raises(SourceError, match="no chat completion") as caught,
    ):
        model().ask(ASK)
    assert str(caught.value).isprintable()


def test_a_model_that_declines_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    message = {"content": None, "refusal": "I cannot do that."}
    body = json.dumps({"choices": [{"message": message}]}).encode()
    with serve(in_turn(Reply(body=body)), monkeypatch):
        answer = model().ask(ASK)
    assert answer.text == "I cannot do that."
    assert answer.tokens[0] > 50  # the server has not counted


def test_redirections_are_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(in_turn(saying(GOOD))) as other:
        away = Reply(307, b"", {"Location": f"{other.address}/chat/completions"})
        with serve(in_turn(away), monkeypatch), pytest.raises(SourceError):
            model().ask(ASK)
        assert not other.requests


def test_the_key_is_nowhere(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Even where a server says it: not in answers, records, errors or logs."""
    caplog.set_level(logging.DEBUG)
    record = tmp_path / "exchanges.jsonl"
    with serve(in_turn(saying(f"your key is {KEY}"), failing(500, KEY)), monkeypatch):
        asked = RecordingModel(model(), record)
        assert KEY not in asked.ask(ASK).text
        with pytest.raises(SourceError) as caught:
            asked.ask(ASK)
    with serve(in_turn(failing(418, f"{KEY} is odd")), monkeypatch):
        with pytest.raises(SourceError) as other:
            model().ask(ASK)
        assert "is odd" in str(other.value)
    told = [str(caught.value), str(other.value), record.read_text(), caplog.text]
    told += [repr(vars(asked)), *capfd.readouterr()]
    assert not [text for text in told if KEY in text]


def test_keys_and_addresses_that_are_none_are_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a b\nc")
    with pytest.raises(SourceError, match="OPENAI_API_KEY is no key") as caught:
        model()
    assert "a b" not in str(caught.value)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    for address in ("nowhere", "file:///etc/passwd", "http://", "http://[::1"):
        monkeypatch.setenv("OPENAI_BASE_URL", address)
        with pytest.raises(SourceError, match="cannot be used"):
            model()
    monkeypatch.delenv("OPENAI_BASE_URL")
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(SourceError, match="no server to ask"):
        model()


def test_a_server_of_ones_own_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with serve(in_turn(saying(GOOD)), monkeypatch):
        assert model().ask(ASK).text == GOOD


def test_pictures_are_sent_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Ask("critique", "s", "u", Critique, images=(b"\x89PNG1", b"\x89PNG2"))
    with serve(in_turn(saying(GOOD)), monkeypatch) as server:
        model().ask(seen)
    assert pictures_of(server.requests[0]) == 2
    url = server.requests[0]["messages"][1]["content"][1]["image_url"]["url"]
    assert url.startswith("data:image/png;base64,")


INJECTED = [
    "__import__('os').system('touch PWNED')",
    "!!python/object/apply:os.system ['touch PWNED']",
    "$(touch PWNED)",
    "../../../PWNED",
    "/tmp/PWNED",
    "Name: {x: &a [*a]}",
    "\u202eevil\u0000",
]


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    assert not list(tmp_path.rglob("*PWNED*"))


@pytest.mark.parametrize("text", INJECTED)
@pytest.mark.parametrize("field", ["name", "instruction", "idea", "category", "step"])
def test_words_of_a_model_are_words(
    field: str, text: str, monkeypatch: pytest.MonkeyPatch, nowhere: Path
) -> None:
    """Nothing is run, and nothing is written outside of the files of a candidate."""

    def script(stage: str, request: dict[str, Any]) -> Reply:
        answer = dict(PRIMITIVE[stage])
        if stage == "propose":
            answer[field] = text
        return saying(json.dumps(answer))

    with serve(script, monkeypatch):
        options = PipelineOptions(regenerations=0)
        found = LlmSource(Wanted(), Backends(model()), options=options).propose(Known())
    assert not list(nowhere.iterdir())
    if isinstance(found, Refused):
        assert found.reason
        assert found.reason.isprintable()
        return
    # What is taken as words stays words.
    for name, content in found.files().items():
        assert name.count("/") == 1
        assert ".." not in name
        assert isinstance(yaml.safe_load(content), dict)
    if field == "instruction":
        assert found.task.instruction in text
