"""The network: everything learns, every modality counts, domains are kept apart."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from gensim2_policy.heads import HEADS
from gensim2_policy.layers import sinusoids
from gensim2_policy.network import PolicyNetwork, _time
from gensim2_policy.settings import PRESETS, Settings, make_settings
from policy_samples import changed, random_actions, random_batch, small_settings
from torch import nn

CAMERAS = (
    "observation.cameras=[a,b]",
    "observation.picture=[16,16]",
    "model.image.widths=[8,16]",
    "augment.yaw=0",
    "augment.shift=0",
)
POINTNEXT = (
    "model.cloud.encoder=pointnext",
    "model.cloud.widths=[8,12,16]",
    "model.cloud.blocks=1",
    "model.cloud.stride=2",
)
KINDS = [
    *(small_settings(f"model.head.kind={kind}") for kind in HEADS),
    small_settings(*POINTNEXT, "model.cloud.colour=true", "observation.cloud_steps=2"),
    small_settings(*CAMERAS),
    small_settings("observation.cloud_steps=0", "model.language=none"),
    small_settings("action.space=joints", "augment.shift=0"),
    small_settings("model.domains=[sim,real]"),
]
SETTINGS = pytest.mark.parametrize(
    "settings", KINDS, ids=[*HEADS, "pointnext", "pictures", "state", "joints", "domains"]
)


def loss_of(network: PolicyNetwork, domain: str = "sim") -> torch.Tensor:
    settings = network.settings
    actions = random_actions(settings)
    torch.manual_seed(0)
    valid = torch.ones(actions.shape[:2], dtype=torch.bool)
    return network.loss(random_batch(settings), domain, actions, valid)


def hidden_modules(module: nn.Module) -> Iterator[str]:
    """Modules in lists, tuples and dicts, of which PyTorch does not know."""
    for name, value in vars(module).items():
        if name.startswith("_"):
            continue
        inner = value.values() if isinstance(value, dict) else value
        if isinstance(value, list | tuple | dict | set) and any(
            isinstance(part, nn.Module | nn.Parameter) for part in inner
        ):
            yield f"{type(module).__name__}.{name}"


@SETTINGS
def test_everything_is_registered_and_learns(settings: Settings) -> None:
    """The public policy's decoder head kept its layers in a list: they were never trained."""
    network = PolicyNetwork(settings)
    assert [name for m in network.modules() for name in hidden_modules(m)] == []
    for domain in settings.model.domains:
        loss_of(network, domain).backward()
    still = [
        name
        for name, parameter in network.named_parameters()
        if parameter.grad is None or not parameter.grad.abs().max() > 0.0
    ]
    assert still == []
    assert {*network.state_dict()} == {name for name, _ in network.named_parameters()}


@SETTINGS
@torch.no_grad()
def test_everything_that_is_seen_counts(settings: Settings) -> None:
    network, batch = PolicyNetwork(settings).eval(), random_batch(settings)
    tokens = network.tokens(batch, "sim")
    for name in ("state", "tcp", "points", "colours", "pictures", "words"):
        value = getattr(batch, name)
        used = value is not None
        if name == "words":
            used = settings.model.language != "none"
        if name == "tcp":
            used = batch.points is not None
        if value is None:
            continue
        other = network.tokens(changed(batch, **{name: value.roll(1, 0)}), "sim")
        assert ((other - tokens).abs().max() > 1e-4) == used, name


@SETTINGS
@torch.no_grad()
def test_a_sample_does_not_depend_on_the_others_of_its_batch(settings: Settings) -> None:
    network, batch = PolicyNetwork(settings).eval(), random_batch(settings)
    noise = random_actions(settings)
    alone = changed(
        batch,
        **{k: v[1:2] for k, v in vars(batch).items() if v is not None},
    )
    chunk = network.act(batch, "sim", noise)
    assert torch.allclose(network.act(alone, "sim", noise[1:2]), chunk[1:2], atol=1e-4)


@torch.no_grad()
def test_training_mode_changes_nothing_that_is_said() -> None:
    settings = small_settings()
    network, batch = PolicyNetwork(settings), random_batch(settings)
    noise = random_actions(settings)
    assert torch.equal(
        network.train().act(batch, "sim", noise), network.eval().act(batch, "sim", noise)
    )


@torch.no_grad()
def test_steps_of_the_past_are_told_from_the_present() -> None:
    settings = small_settings("observation.state_steps=3", "observation.cloud_steps=2")
    network, batch = PolicyNetwork(settings), random_batch(settings)
    tokens = network.tokens(batch, "sim")
    assert tokens.shape == (3, 3 + 2 * 2 + 2, 16)
    assert batch.points is not None and batch.tcp is not None
    turned = (
        changed(batch, state=batch.state.flip(1)),
        changed(batch, points=batch.points.flip(1), tcp=batch.tcp.flip(1)),
    )
    for other in turned:
        mean = network.tokens(other, "sim").mean(1)
        assert (mean - tokens.mean(1)).abs().max() > 1e-4


def test_present_has_the_same_time_however_long_the_past_is() -> None:
    one, six = torch.zeros(2, 3, 16), torch.zeros(2, 6 * 3, 16)
    assert torch.equal(_time(one, 3), _time(six, 3)[-3:])
    assert torch.allclose(_time(six, 3)[0], 0.1 * sinusoids(torch.tensor(5), 16, 100.0))


def test_domains_have_stems_and_heads_of_their_own_and_a_common_trunk() -> None:
    network = PolicyNetwork(small_settings("model.domains=[sim,real]"))
    loss_of(network, "real").backward()
    learned = {name for name, p in network.named_parameters() if p.grad is not None}
    every = {name for name, _ in network.named_parameters()}
    assert every - learned == {n for n in every if n.startswith(("stems.sim.", "heads.sim."))}
    assert any(name.startswith("trunk.") for name in learned)
    batch, noise = random_batch(network.settings), random_actions(network.settings)
    with torch.no_grad():
        one, other = (network.act(batch, domain, noise) for domain in ("sim", "real"))
    assert not torch.allclose(one, other)


@pytest.mark.parametrize(
    ("override", "missing", "text"),
    [
        (("observation.cloud_steps=1",), {"points": None}, "needs a point cloud"),
        (("observation.cloud_steps=1",), {"tcp": None}, "needs a point cloud"),
        (("model.cloud.colour=true",), {"colours": None}, "needs the colours"),
        (("model.language=minilm",), {"words": None}, "needs an instruction"),
        (CAMERAS, {"pictures": None}, "needs pictures"),
    ],
)
def test_modality_that_is_missing(override: tuple[str, ...], missing: dict, text: str) -> None:
    settings = small_settings(*override)
    batch = changed(random_batch(settings), **missing)
    with pytest.raises(ValueError, match=text):
        PolicyNetwork(settings).tokens(batch, "sim")


@pytest.mark.parametrize(("preset", "least", "most"), [("ppt-tiny", 5e5, 3e6), ("ppt", 1e7, 1e8)])
def test_presets_have_their_sizes(preset: str, least: float, most: float) -> None:
    assert preset in PRESETS
    with torch.device("meta"):
        network = PolicyNetwork(make_settings(preset))
    assert least < sum(p.numel() for p in network.parameters()) < most
