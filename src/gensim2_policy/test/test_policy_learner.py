"""The learner: it learns, averages, stays still where it should, and goes on where it stopped."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from gensim2_policy.batches import to_batch
from gensim2_policy.features import tcp_targets
from gensim2_policy.heads import HEADS
from gensim2_policy.learner import Learner, _groups
from gensim2_policy.schedule import learning_rate
from gensim2_policy.settings import Settings
from gensim2_policy.windows import Samples, Windows
from policy_samples import STILL, FakeEncoder, demonstration, small_settings
from torch import nn

CPU = torch.device("cpu")
FIT = (
    *STILL,
    "model.width=32",
    "model.cloud.widths=[16,32]",
    "model.head.layers=2",
    "model.head.steps=8",
    "train.batch=16",
    "train.rate=3e-3",
    "train.warm_up=10",
    "train.ema=0.9",
)


def made(*overrides: str) -> tuple[Learner, Windows]:
    settings = small_settings(*overrides)
    demonstrations = [demonstration(0), demonstration(1)]
    return Learner(settings, CPU), Windows(demonstrations, settings, FakeEncoder())


def batch(windows: Windows, step: int) -> list[Samples]:
    rng = np.random.default_rng(step)
    return [windows.batch(rng.choice(len(windows), windows.settings.train.batch), rng)]


def values(learner: Learner) -> dict[str, torch.Tensor]:
    return {k: v.clone() for k, v in learner.network.state_dict().items()}


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


# Two episodes are learned by heart


@pytest.mark.parametrize(
    ("kind", "steps", "loss", "error"),
    [
        ("decoder", 160, 100, 0.05),
        ("mlp", 160, 100, 0.06),
        ("flow", 250, 10, 0.25),
        ("diffusion", 300, 10, 0.4),
    ],
)
def test_two_episodes_are_learned_by_heart(kind: str, steps: int, loss: int, error: float) -> None:
    """The loss falls by so much; what is left of the error is a share of the range of actions."""
    learner, windows = made(*FIT, f"model.head.kind={kind}", f"train.steps={steps}")
    before = learner.validate(windows)
    for step in range(steps):
        learner.learn(batch(windows, step))
    after = learner.validate(windows)
    assert after["loss"] < before["loss"] / loss
    assert after["error"] < error < before["error"] / 2
    if kind != "decoder":
        return
    # The chunks lead where the demonstrations went.
    for number, d in enumerate(windows.demonstrations):
        first = windows.batch(np.array([number * 9]))
        with learner.averaged() as network, torch.no_grad():
            chunk = network.act(to_batch(first, CPU)[0], "sim", torch.zeros(1, 4, 17)).numpy()
        T = tcp_targets(d.tcp_pose[:1], windows.normaliser.action.undo(chunk.astype(float)))
        assert np.abs(T[0, :, :3, 3] - d.tcp_ref[1:5, :3]).max() < 0.02


def test_what_the_instruction_says_is_learned() -> None:
    """The same scene, two instructions, two motions: no other modality tells them apart."""
    settings = small_settings(*FIT, "model.head.kind=decoder", "train.steps=120")
    one = demonstration(0)
    back = dataclasses.replace(
        one, instruction="open it", tcp_ref=one.tcp_ref[::-1].copy(), name="data/1"
    )
    windows = Windows([one, back], settings, FakeEncoder())
    learner = Learner(settings, CPU)
    for step in range(120):
        learner.learn(batch(windows, step))
    assert learner.validate(windows)["error"] < 0.1


# One step


def test_rate_follows_the_schedule_and_the_step_counts() -> None:
    learner, windows = made()
    for step in range(6):
        assert learner.step == step
        learner.learn(batch(windows, step))
        rates = {group["lr"] for group in learner.optimiser.param_groups}
        assert rates == {learning_rate(step, learner.settings.train)}


def test_only_matrices_decay() -> None:
    learner, _ = made()
    decayed, others = (dict[str, Any](group) for group in _groups(learner.network, 0.1))
    names = {id(p): name for name, p in learner.network.named_parameters()}
    assert decayed["weight_decay"] == 0.1 and others["weight_decay"] == 0.0
    layers = (nn.Linear, nn.Conv2d)
    matrices = {id(m.weight) for m in learner.network.modules() if isinstance(m, layers)}
    assert {id(p) for p in decayed["params"]} == matrices
    assert {id(p) for p in others["params"]} == names.keys() - matrices


def test_a_large_gradient_is_clipped() -> None:
    learner, windows = made("train.clip=1e-6", "train.decay=0")
    norms = []
    learner.optimiser.register_step_pre_hook(
        lambda *_: norms.append(
            torch.stack([p.grad.norm() for p in learner.network.parameters() if p.grad is not None])
            .norm()
            .item()
        )
    )
    learner.learn(batch(windows, 0))
    assert norms == [pytest.approx(1e-6, rel=1e-2)]


@pytest.mark.parametrize("where", ["loss", "gradient"])
def test_step_that_is_not_finite_changes_nothing(where: str) -> None:
    learner, windows = made()
    samples = batch(windows, 0)
    if where == "loss":
        samples = [dataclasses.replace(samples[0], state=samples[0].state * np.nan)]
    else:
        next(learner.network.parameters()).register_hook(lambda g: g * np.inf)
    before, average = values(learner), {k: v.clone() for k, v in learner.average.items()}
    with pytest.raises(FloatingPointError, match=r"at step 0; a lower train\.rate may help"):
        learner.learn(samples)
    assert equal(values(learner), before) and equal(learner.average, average)
    assert learner.step == 0


def test_half_precision_learns_too() -> None:
    learner, windows = made(*FIT, "train.amp=true", "train.steps=60", "model.head.kind=decoder")
    losses = [learner.learn(batch(windows, step)) for step in range(60)]
    assert np.mean(losses[-5:]) < np.mean(losses[:2]) / 4
    assert all(v.dtype == torch.float32 for v in learner.network.state_dict().values())


def test_every_domain_counts_the_same() -> None:
    settings = small_settings(*STILL, "model.domains=[sim,real]", "model.head.kind=decoder")
    demonstrations = [demonstration(0), demonstration(1, domain="real")]
    windows = Windows(demonstrations, settings, FakeEncoder())
    learner = Learner(settings, CPU)
    few, many = windows.batch(np.arange(2)), windows.batch(np.arange(9, 17))
    with torch.no_grad():
        expected = float((learner.loss(few) + learner.loss(many)) / 2)
    assert learner.learn([few, many]) == pytest.approx(expected, rel=1e-5)


# Averaged weights


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.999])
def test_average_follows_the_weights(decay: float) -> None:
    learner, windows = made(f"train.ema={decay}")
    average = values(learner)
    for step in range(4):
        learner.learn(batch(windows, step))
        share = min(decay, (2.0 + step) / (11.0 + step))
        average = {k: share * average[k] + (1 - share) * v for k, v in values(learner).items()}
    assert all(torch.allclose(learner.average[k], v, atol=1e-6) for k, v in average.items())
    assert equal(learner.average, values(learner)) == (decay == 0.0)


def test_to_validate_changes_nothing_and_says_the_same_again() -> None:
    learner, windows = made("train.ema=0.9")
    for step in range(3):
        learner.learn(batch(windows, step))
    before = values(learner)
    figures = learner.validate(windows)
    assert equal(values(learner), before) and learner.network.training
    torch.manual_seed(5)
    assert learner.validate(windows) == figures
    # It looks at the averaged weights: others give other figures.
    learner.average = before
    assert learner.validate(windows) != figures


def test_validation_is_without_augmentation(monkeypatch: pytest.MonkeyPatch) -> None:
    learner, windows = made()
    asked: list[tuple[object, ...]] = []
    plain = windows.batch

    def batch(*arguments: Any) -> Samples:
        asked.append(arguments)
        return plain(*arguments)

    monkeypatch.setattr(windows, "batch", batch)
    learner.validate(windows)
    assert asked and all(len(arguments) == 1 for arguments in asked)


def test_error_of_padding_does_not_count() -> None:
    learner, windows = made("model.head.kind=mlp")
    learner.average = {k: torch.zeros_like(v) for k, v in learner.average.items()}
    every = windows.batch(np.arange(len(windows)))
    expected = np.abs(every.actions).mean(-1)[every.valid].mean()
    assert learner.validate(windows)["error"] == pytest.approx(expected, rel=1e-5)


# Going on


@pytest.mark.parametrize("kind", HEADS)
def test_resumed_training_is_the_same_to_the_bit(kind: str) -> None:
    head = f"model.head.kind={kind}"
    whole, windows = made(head)
    losses = [whole.learn(batch(windows, step)) for step in range(6)]
    first, _ = made(head)
    for step in range(3):
        first.learn(batch(windows, step))
    first.validate(windows)
    state = first.resumed()
    second, _ = made(head, "train.seed=0")
    second.resume(state)
    assert second.step == 3
    assert [second.learn(batch(windows, step)) for step in range(3, 6)] == losses[3:]
    assert equal(values(second), values(whole)) and equal(second.average, whole.average)


def test_same_seed_same_network_and_another_seed_another() -> None:
    def start(settings: Settings) -> dict[str, torch.Tensor]:
        return values(Learner(settings, CPU))

    torch.manual_seed(99)
    one = start(small_settings())
    torch.manual_seed(98)
    assert equal(one, start(small_settings()))
    assert not equal(one, start(small_settings("train.seed=1")))
