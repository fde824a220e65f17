"""The network: stems, a trunk that all tasks and domains share, and a head.

As in HPT (Wang et al. 2024) and GenSim2's PPT every domain (a body, a world) has stems of its own
for what differs between bodies and cameras, and a head of its own; the trunk is common.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .features import STATE
from .heads import HEADS, Draws, Head
from .layers import Block, sinusoids
from .settings import Settings
from .stems import CloudStem, ImageStem, LanguageStem, StateStem

LANGUAGE = 64  # tokens of an instruction; shorter ones are masked


@dataclass(frozen=True)
class Batch:
    """Observations of one domain; what a policy does not use is None.

    Attributes:
        state: (B, S, `features.STATE`), normalised.
        tcp: (B, C, 3) where the TCP is at the stamps of the clouds, m in base.
        points: (B, C, N, 3), m in base.
        colours: (B, C, N, 3), 0 to 1.
        pictures: (B, V, 3, H, W), 0 to 1.
        words: (B, L, E), embeddings of the instruction.
        words_seen: (B, L), which of them are there.
    """

    state: Tensor
    tcp: Tensor | None = None
    points: Tensor | None = None
    colours: Tensor | None = None
    pictures: Tensor | None = None
    words: Tensor | None = None
    words_seen: Tensor | None = None


class Stems(nn.Module):
    """The stems of one domain, and what tells their tokens apart."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        model, seen = settings.model, settings.observation
        self.state = StateStem(STATE, model)
        self.cloud = CloudStem(model) if seen.cloud_steps else None
        self.image = ImageStem(model) if seen.cameras else None
        self.language = LanguageStem(model) if model.language != "none" else None
        self.kinds = nn.Parameter(0.02 * torch.randn(4, model.width))

    def forward(self, batch: Batch) -> Tensor:
        """Tokens (B, T, D)."""
        state = self.state(batch.state)
        parts = [state + self.kinds[0] + _time(state, 1)]
        if self.cloud is not None:
            if batch.points is None or batch.tcp is None:
                raise ValueError("the policy needs a point cloud")
            cloud = self.cloud(batch.points, batch.colours, batch.tcp)
            each = cloud.shape[1] // batch.points.shape[1]
            parts.append(cloud + self.kinds[1] + _time(cloud, each))
        if self.image is not None:
            if batch.pictures is None:
                raise ValueError("the policy needs pictures")
            parts.append(self.image(batch.pictures) + self.kinds[2])
        if self.language is not None:
            if batch.words is None or batch.words_seen is None:
                raise ValueError("the policy needs an instruction")
            parts.append(self.language(batch.words, batch.words_seen) + self.kinds[3])
        return torch.cat(parts, 1)


def _time(tokens: Tensor, each: int) -> Tensor:
    """Encodes how many steps ago tokens are of, of which ``each`` belong to a step."""
    count, width = tokens.shape[1:]
    ago = torch.arange(count // each - 1, -1, -1, device=tokens.device).repeat_interleave(each)
    return 0.1 * sinusoids(ago, width, 100.0)


class PolicyNetwork(nn.Module):
    """See the module."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        model, action = settings.model, settings.action
        self.settings = settings
        self.stems = nn.ModuleDict({domain: Stems(settings) for domain in model.domains})
        self.trunk = nn.ModuleList(Block(model.width, model.heads) for _ in range(model.layers))
        self.norm = nn.LayerNorm(model.width)
        make = HEADS[model.head.kind]
        self.heads = nn.ModuleDict(
            {domain: make(model, action.horizon, action.width) for domain in model.domains}
        )

    def tokens(self, batch: Batch, domain: str) -> Tensor:
        """What the trunk makes of observations, (B, T, D)."""
        x = self.stems[domain](batch)
        for block in self.trunk:
            x = block(x)
        return self.norm(x)

    def loss(
        self,
        batch: Batch,
        domain: str,
        actions: Tensor,
        valid: Tensor,
        draws: Draws | None = None,
    ) -> Tensor:
        """The loss of normalised actions (B, H, A) of which ``valid`` (B, H) are there."""
        return self._head(domain).loss(self.tokens(batch, domain), actions, valid, draws)

    def act(self, batch: Batch, domain: str, noise: Tensor) -> Tensor:
        """A normalised chunk (B, H, A), drawn from the noise (B, H, A)."""
        return self._head(domain).sample(self.tokens(batch, domain), noise)

    def _head(self, domain: str) -> Head:
        head = self.heads[domain]
        assert isinstance(head, Head)
        return head


def example(settings: Settings, seed: int = 0) -> dict[str, Tensor | None]:
    """An observation and noise of the right shapes, drawn at random."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    seen, action, model = settings.observation, settings.action, settings.model
    clouds, language = seen.cloud_steps, model.language != "none"
    return {
        "noise": draw(1, action.horizon, action.width),
        "state": 0.5 * draw(1, seen.state_steps, STATE),
        "tcp": 0.1 * draw(1, max(clouds, 1), 3),
        "points": 0.1 * draw(1, clouds, seen.points, 3) if clouds else None,
        "colours": 0.1 * draw(1, clouds, seen.points, 3) if model.cloud.colour else None,
        "pictures": draw(1, len(seen.cameras), 3, *seen.picture) if seen.cameras else None,
        "words": draw(1, LANGUAGE, model.language_width) if language else None,
        "words_seen": torch.arange(LANGUAGE)[None] < 8 if language else None,
    }
