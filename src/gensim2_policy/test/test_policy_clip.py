"""CLIP as the encoder of instructions, from a folder that the user gives."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

pytest.importorskip("transformers")

import torch
from gensim2_policy.acting import Policy, PolicyError
from gensim2_policy.checkpoint import load_record
from gensim2_policy.clip_text import ClipText
from gensim2_policy.demonstrations import Source
from gensim2_policy.language import InstructionEncoder, LanguageError, encoder_of
from gensim2_policy.settings import SettingsError
from gensim2_policy.training import TrainingError, train
from gensim2_policy.untrained import save_untrained
from policy_samples import small_settings, write_episode
from safetensors.torch import load_file, save_file
from transformers import CLIPConfig, CLIPModel, CLIPTextConfig, CLIPTextModel

WIDTH = 8
TEXT: dict[str, Any] = {
    "vocab_size": 514,
    "hidden_size": WIDTH,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
}
SEES: dict[str, Any] = {**TEXT, "image_size": 32, "patch_size": 16}


def alphabet() -> list[str]:
    """A letter for every byte, as tokenizers of this kind have it."""
    shown = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(b if b in shown else next(others)) for b in range(256)]


def save_clip(folder: Path, seed: int = 0, *, whole: bool = False) -> Path:
    """A CLIP model that has learned nothing and reads single letters; ``whole`` with its eyes."""
    torch.manual_seed(seed)
    model = (
        CLIPModel(CLIPConfig(text_config=TEXT, vision_config=SEES))
        if whole
        else CLIPTextModel(CLIPTextConfig(**TEXT))
    )
    model.save_pretrained(folder)
    letters = sorted(alphabet())
    tokens = [*letters, *(f"{a}</w>" for a in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(tokens)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return folder


def clip_settings(folder: Path) -> list[str]:
    return [
        "model.language=clip",
        f"model.language_weights={folder}",
        f"model.language_width={WIDTH}",
    ]


@pytest.mark.parametrize("whole", [False, True], ids=["text", "whole"])
def test_instructions_are_embedded_word_by_word(tmp_path: Path, whole: bool) -> None:
    """From the text half alone, or from the whole model as it is published."""
    folder = save_clip(tmp_path / "clip", whole=whole)
    encoder = InstructionEncoder(tmp_path / "kept", ClipText(folder))
    words = encoder.encode("Open the drawer.")
    assert words.shape == (16, WIDTH) and words.dtype == np.float32
    assert not np.allclose(words, encoder.encode("Shut the drawer."))
    again = InstructionEncoder(tmp_path / "kept", ClipText(folder))
    assert np.array_equal(again.encode("Open the drawer."), words)
    other = InstructionEncoder(tmp_path / "kept", ClipText(save_clip(tmp_path / "b", 1)))
    assert not np.allclose(other.encode("Open the drawer."), words), "kept by model"
    assert len(encoder.encode("word " * 200)) == 64


def spoil_config(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({"model_type": "bert", "hidden_size": WIDTH}))


def spoil_weights(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"cut off")


def lose_weights(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors.pop(next(name for name in tensors if "token_embedding" in name))
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (shutil.rmtree, "is no folder: name the folder of a CLIP model"),
        (lambda f: (f / "config.json").unlink(), "config.json is missing"),
        (spoil_config, "of a model 'bert', not of CLIP"),
        (lambda f: (f / "model.safetensors").unlink(), "holds no weights"),
        (lambda f: (f / "merges.txt").unlink(), "holds no tokenizer"),
        (spoil_weights, "cannot be loaded as a CLIP model"),
        (lose_weights, "its weights lack .*token_embedding"),
    ],
    ids=["no folder", "no config", "bert", "no weights", "no tokenizer", "cut", "lacks"],
)
def test_a_folder_that_holds_no_such_model_is_told(
    tmp_path: Path,
    spoil: object,
    text: str,
) -> None:
    """And no embedding of random weights is taken for one."""
    folder = save_clip(tmp_path / "clip")
    spoil(folder)  # type: ignore[operator]
    settings = small_settings(*clip_settings(folder))
    with pytest.raises(LanguageError, match=text):
        encoder_of(settings.model).encode("Open the drawer.")


def test_settings_that_do_not_fit_the_model_are_told(tmp_path: Path) -> None:
    folder = save_clip(tmp_path / "clip")
    with pytest.raises(SettingsError, match="belong together"):
        small_settings("model.language=clip")
    with pytest.raises(SettingsError, match="belong together"):
        small_settings(f"model.language_weights={folder}")
    settings = small_settings(*clip_settings(folder)[:2])
    with pytest.raises(LanguageError, match=f"set model.language_width={WIDTH}"):
        encoder_of(settings.model)
    with pytest.raises(LanguageError, match="minilm, which takes none"):
        encoder_of(small_settings().model, str(folder))


def test_a_policy_knows_the_weights_it_was_trained_with(tmp_path: Path) -> None:
    """They may lie elsewhere when it is used; other weights are refused, and so are none."""
    folder, other = save_clip(tmp_path / "clip"), save_clip(tmp_path / "other", 1)
    for seed in range(3):
        write_episode(tmp_path / "data", seed)
    sources, run = [Source(tmp_path / "data")], tmp_path / "run"
    train(small_settings(*clip_settings(folder)), sources, run)
    assert load_record(run / "checkpoints" / "best").language == ClipText(folder).name
    Policy(run).begin("Open the drawer.", 0)
    moved = folder.rename(tmp_path / "moved")
    with pytest.raises(LanguageError, match="language_weights:=FOLDER"):
        Policy(run)
    Policy(run, language_weights=str(moved)).begin("Open the drawer.", 0)
    with pytest.raises(PolicyError, match="other ones"):
        Policy(run, language_weights=str(other))
    longer = [*clip_settings(other), "train.steps=8"]
    with pytest.raises(TrainingError, match="another encoder"):
        train(small_settings(*longer), sources, run)
    longer = [*clip_settings(moved), "train.steps=8"]
    assert train(small_settings(*longer), sources, run).step == 8


def test_a_policy_of_the_usual_encoder_takes_no_weights(tmp_path: Path) -> None:
    run = save_untrained(tmp_path / "run", "model.language=minilm")
    with pytest.raises(LanguageError, match="takes none"):
        Policy(run, language_weights=str(tmp_path))
