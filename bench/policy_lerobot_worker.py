"""Trains and runs a policy of LeRobot on one core, as `policy_speed` asks for.

It runs in an environment of its own, with what `lerobot.txt` lists and nothing of this project.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from policy_contests import (
    ACTIONS,
    HORIZON,
    PICTURE,
    STATE,
    VECTOR,
    Contest,
    Entrant,
    serve,
)


def _declare_kernels() -> None:
    """Lets torchvision be imported beside a torch that its kernels were not made for.

    LeRobot imports it always; none of its kernels is used here.
    """
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        raise ImportError("torchvision is not installed: see lerobot.txt")
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        text = Path(spec.origin).with_name("_meta_registrations.py").read_text()
        for name in sorted({*re.findall(r'register_fake\("(torchvision::\w+)"', text)}):
            torch.library.define(name, "(Tensor x) -> Tensor")


_declare_kernels()

from lerobot.configs.types import FeatureType, PolicyFeature  # noqa: E402
from lerobot.policies.act.configuration_act import ACTConfig  # noqa: E402
from lerobot.policies.act.modeling_act import ACTPolicy  # noqa: E402
from lerobot.policies.diffusion.configuration_diffusion import DiffusionConfig  # noqa: E402
from lerobot.policies.diffusion.modeling_diffusion import DiffusionPolicy  # noqa: E402

IMAGE, VECTOR_KEY = "observation.image", "observation.environment_state"
_LARGEST = 256
_CLIP = 10.0  # as LeRobot's training


def _features(contest: Contest) -> dict[str, Any]:
    """What a policy sees and does."""
    if contest.picture:
        seen = {IMAGE: PolicyFeature(FeatureType.VISUAL, (3, *PICTURE))}
    else:
        seen = {VECTOR_KEY: PolicyFeature(FeatureType.ENV, (VECTOR,))}
    state = {"observation.state": PolicyFeature(FeatureType.STATE, (STATE,))}
    action = {"action": PolicyFeature(FeatureType.ACTION, (ACTIONS,))}
    return {"input_features": state | seen, "output_features": action, "device": "cpu"}


def _act(contest: Contest, size: int, steps: int) -> Any:
    """ACT in its own proportions, its tokens 8 x size wide."""
    width = 8 * size
    return ACTPolicy(
        ACTConfig(
            chunk_size=HORIZON,
            n_action_steps=HORIZON,
            pretrained_backbone_weights=None,
            dim_model=width,
            dim_feedforward=width * 3200 // 512,
            **_features(contest),
        )
    )


def _diffusion(contest: Contest, size: int, steps: int) -> Any:
    """Diffusion Policy in its own proportions, its first level 8 x size wide."""
    return DiffusionPolicy(
        DiffusionConfig(
            horizon=HORIZON,
            n_action_steps=HORIZON - 1,
            down_dims=(8 * size, 16 * size, 32 * size),
            noise_scheduler_type="DDIM",
            num_inference_steps=steps,
            **_features(contest),
        )
    )


def _nearest(make: Callable[[int], Any], parameters: int) -> Any:
    """The policy whose size is nearest; `make` makes larger ones of larger numbers."""
    with torch.device("meta"):
        counts = {}
        low, high = 1, _LARGEST
        while low <= high:
            middle = (low + high) // 2
            counts[middle] = _count(make(middle))
            low, high = (middle + 1, high) if counts[middle] < parameters else (low, middle - 1)
    return make(min(counts, key=lambda size: abs(counts[size] - parameters)))


def _count(policy: Any) -> int:
    return sum(p.numel() for p in policy.parameters())


class Theirs:
    """A policy of LeRobot, as `Entrant` says; a step is what its training does in one.

    Args:
        contest: Which.
        parameters: As many as it should have.
        steps: Of its inference, if it is diffusion.
    """

    def __init__(self, contest: Contest, parameters: int, steps: int) -> None:
        kind = {"act": _act, "diffusion": _diffusion}[contest.rival]
        torch.manual_seed(0)
        self._policy = _nearest(lambda size: kind(contest, size, steps), parameters)
        self.parameters = _count(self._policy)
        named = self._policy.named_parameters()
        self.used = sum(p.numel() for name, p in named if ".vae_encoder" not in name)
        self._diffusion = contest.rival == "diffusion"
        self._optimiser = self._policy.config.get_optimizer_preset().build(
            self._policy.get_optim_params()
        )
        self._samples, self._seen = self._draw(contest, contest.batch), self._draw(contest, 1)

    def _draw(self, contest: Contest, count: int) -> dict[str, torch.Tensor]:
        looks = (self._policy.config.n_obs_steps,) if self._diffusion else ()
        key, shape = (IMAGE, (3, *PICTURE)) if contest.picture else (VECTOR_KEY, (VECTOR,))
        return {
            "observation.state": torch.randn(count, *looks, STATE),
            key: torch.randn(count, *looks, *shape),
            "action": torch.rand(count, HORIZON, ACTIONS),
            "action_is_pad": torch.zeros(count, HORIZON, dtype=torch.bool),
        }

    def train(self) -> None:
        """One step of training, the optimiser's too."""
        self._policy.train()
        loss, _ = self._policy.forward(self._samples)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._policy.parameters(), _CLIP)
        self._optimiser.step()
        self._optimiser.zero_grad()

    def act(self) -> None:
        """One chunk of one observation."""
        self._policy.eval()
        with torch.inference_mode():
            if not self._diffusion:
                self._policy.predict_action_chunk(self._seen)
                return
            seen = {k: v for k, v in self._seen.items() if not k.startswith("action")}
            if IMAGE in seen:
                seen["observation.images"] = seen.pop(IMAGE)[:, :, None]
            self._policy.diffusion.generate_actions(seen)


def make(contest: Contest, parameters: int, steps: int) -> Entrant:
    """Makes theirs."""
    return Theirs(contest, parameters, steps)


if __name__ == "__main__":
    torch.set_num_threads(1)
    serve(make)
