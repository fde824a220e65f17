"""Instructions: encoded once, kept on disk, told apart; damaged files do not matter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gensim2_policy.language import WIDTH, InstructionEncoder, LanguageError
from policy_samples import words_of

from gensim2_policy import language


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What has been encoded, by something quicker than the real encoder."""
    made: list[str] = []

    def run(texts: list[str]) -> list[np.ndarray]:
        made.extend(texts)
        return [words_of(text) for text in texts]

    monkeypatch.setattr(language, "_run", run)
    return made


def test_an_instruction_is_encoded_once(tmp_path: Path, runs: list[str]) -> None:
    encoder = InstructionEncoder(tmp_path)
    words = encoder.encode("close  the\nbox ")
    assert np.array_equal(words, words_of("close the box")) and words.dtype == np.float32
    assert encoder.encode("close the box") is words
    again = InstructionEncoder(tmp_path).encode("close the box")
    assert np.array_equal(again, words) and runs == ["close the box"]
    assert not np.array_equal(encoder.encode("open the box"), words)


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\x93NUMPY",
        np.zeros((0, WIDTH), np.float32),
        np.zeros((2, 3), np.float32),
        np.full((2, WIDTH), np.nan, np.float32),
        np.zeros((2, WIDTH)),
    ],
    ids=["empty", "cut", "no words", "narrow", "nan", "double"],
)
def test_damaged_embedding_is_made_again(
    tmp_path: Path, runs: list[str], damage: bytes | np.ndarray
) -> None:
    words = InstructionEncoder(tmp_path).encode("close the box")
    (file,) = tmp_path.iterdir()
    if isinstance(damage, bytes):
        file.write_bytes(damage)
    else:
        np.save(file, damage)
    assert np.array_equal(InstructionEncoder(tmp_path).encode("close the box"), words)
    assert len(runs) == 2
    assert np.array_equal(np.load(file), words)


def test_folder_that_cannot_be_written(tmp_path: Path, runs: list[str]) -> None:
    (tmp_path / "file").touch()
    encoder = InstructionEncoder(tmp_path / "file")
    assert np.array_equal(encoder.encode("close the box"), words_of("close the box"))
    encoder.encode("close the box")
    assert runs == ["close the box"]


def test_batch_says_which_words_are_there(tmp_path: Path, runs: list[str]) -> None:
    words, seen = InstructionEncoder(tmp_path).batch(["close the box", "open"])
    assert words.shape == (2, 3, WIDTH) and seen.tolist() == [[True] * 3, [True, False, False]]
    assert np.array_equal(words[1, :1], words_of("open")) and not words[1, 1:].any()


def test_encoder_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "MODEL", "no_such_encoder")
    with pytest.raises(LanguageError, match=r"no_such_encoder.*requirements/policy.txt"):
        InstructionEncoder(tmp_path).encode("close the box")
    assert not [*tmp_path.iterdir()]


def test_the_encoder_itself_understands_instructions(tmp_path: Path) -> None:
    pytest.importorskip(language.MODEL)
    encoder = InstructionEncoder(tmp_path)
    mean = {
        text: encoder.encode(text).mean(0)
        for text in ("close the box", "shut the box", "open the box", "turn on the faucet")
    }
    unit = {text: m / np.linalg.norm(m) for text, m in mean.items()}

    def likeness(other: str) -> float:
        return float(unit["close the box"] @ unit[other])

    assert likeness("shut the box") > likeness("open the box") > likeness("turn on the faucet")
    assert likeness("open the box") < 0.98
    assert len(encoder.encode("word " * 200)) == language.LONGEST
