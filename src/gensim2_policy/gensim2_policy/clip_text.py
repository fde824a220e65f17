"""The text half of a CLIP model (Radford et al. 2021), from a folder that the user gives.

The folder is as `transformers` saves it: ``config.json``, weights as safetensors, and the
tokenizer. Nothing is downloaded.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .language import LONGEST, LanguageError

CONFIG = "config.json"
KINDS = ("clip", "clip_text_model")
TOKENIZERS = (("tokenizer.json",), ("vocab.json", "merges.txt"))
WHERE = (
    "name the folder of a CLIP model, model.language_weights=FOLDER in training, "
    "language_weights:=FOLDER in use"
)


class ClipText:
    """Implements `language.TextModel`; it is loaded when it is first used.

    Args:
        folder: Of the model.

    Attributes:
        name: Tells this model from others, by what its files hold.
        width: Numbers of an embedding.

    Raises:
        LanguageError: The folder is missing, or holds no such model.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if not folder.is_dir():
            raise LanguageError(f"{str(folder)!r} is no folder: {WHERE}")
        self.width = _width(folder / CONFIG)
        weights = sorted(folder.glob("*.safetensors"))
        if not weights:
            raise LanguageError(f"{folder} holds no weights (*.safetensors): {WHERE}")
        tokenizer = next(
            (names for names in TOKENIZERS if all((folder / n).is_file() for n in names)), None
        )
        if tokenizer is None:
            raise LanguageError(f"{folder} holds no tokenizer (tokenizer.json): {WHERE}")
        files = [*weights, *(folder / name for name in (CONFIG, *tokenizer))]
        self.name = f"clip {_fingerprint(files)}"
        self._loaded: tuple[Any, Any] | None = None

    def embed(self, text: str) -> NDArray[np.float32]:
        """See `TextModel`."""
        import torch

        if self._loaded is None:
            self._loaded = _load(self._folder)
        tokenizer, model = self._loaded
        tokens = tokenizer(text, return_tensors="pt", truncation=True, max_length=LONGEST)
        with torch.inference_mode():
            words: NDArray[np.float32] = model(**tokens).last_hidden_state[0].float().numpy()
        if not np.isfinite(words).all():
            raise LanguageError(f"the model in {self._folder} says numbers that are not finite")
        return words


def _width(file: Path) -> int:
    """Numbers of an embedding, as the configuration says."""
    try:
        config = json.loads(file.read_text())
        kind = config["model_type"]
        width = config["text_config"]["hidden_size"] if kind == "clip" else config["hidden_size"]
    except (OSError, ValueError, KeyError, TypeError):
        raise LanguageError(f"{file} is missing or is none of a CLIP model: {WHERE}") from None
    if kind not in KINDS or not isinstance(width, int):
        raise LanguageError(f"{file} is of a model {str(kind)[:40]!r}, not of CLIP: {WHERE}")
    return width


def _fingerprint(files: list[Path]) -> str:
    whole = hashlib.sha256()
    for file in files:
        try:
            with file.open("rb") as stream:
                whole.update(hashlib.file_digest(stream, "sha256").digest())
        except OSError as error:
            raise LanguageError(f"{file} cannot be read: {error.strerror}") from None
    return whole.hexdigest()[:16]


def _load(folder: Path) -> tuple[Any, Any]:
    """Tokenizer and model."""
    try:
        from transformers import CLIPTextModel, CLIPTokenizer
        from transformers.utils import logging
    except ImportError as error:
        raise LanguageError(
            f"{error.name} is not installed; install requirements/policy.txt"
        ) from None
    # It would list on the screen what belongs to the half that sees pictures.
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        tokenizer = CLIPTokenizer.from_pretrained(str(folder), local_files_only=True)
        loaded: Any = CLIPTextModel.from_pretrained(
            str(folder), local_files_only=True, use_safetensors=True, output_loading_info=True
        )
        model, told = loaded
    except Exception as error:  # of many kinds, for each of the files
        text = " ".join(str(error).split())[:200]
        raise LanguageError(f"{folder} cannot be loaded as a CLIP model: {text}") from None
    lacking = sorted({*told["missing_keys"], *map(str, told["mismatched_keys"])})
    if lacking:
        raise LanguageError(f"{folder}: its weights lack {', '.join(lacking[:3])}")
    return tokenizer, model.eval()
