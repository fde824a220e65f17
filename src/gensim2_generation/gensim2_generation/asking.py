"""Asking a language model for something of a given type; backends implement `Model`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel


@dataclass(frozen=True)
class Ask:
    """A question.

    Attributes:
        stage: Of the pipeline; see `gensim2_msgs/msg/GenerationProgress`.
        system: What the model is, and the rules.
        user: The question itself.
        answer: Type of the answer; its JSON schema binds the model.
        images: PNG files as bytes, in the order in which the question speaks of them.
        temperature: Of sampling.
        seed: Of sampling, where the backend has one.
        max_tokens: Of the answer.
    """

    stage: str
    system: str
    user: str
    answer: type[BaseModel]
    images: tuple[bytes, ...] = ()
    temperature: float = 0.0
    seed: int = 0
    max_tokens: int = 2048

    @property
    def schema(self) -> dict[str, Any]:
        """JSON schema of the answer."""
        return self.answer.model_json_schema()


@dataclass(frozen=True)
class Answer:
    """What came back, as text; who asked reads it with the type.

    Attributes:
        text: JSON, hopefully.
        model: That has answered.
        tokens: Read and written.
        cost: In the currency of the price list; 0 where there is none.
        seconds: Wall time, retries included.
        retries: Times it was asked again.
    """

    text: str
    model: str
    tokens: tuple[int, int] = (0, 0)
    cost: float = 0.0
    seconds: float = 0.0
    retries: int = 0


class Model(Protocol):
    """A language model."""

    name: str

    def ask(self, question: Ask) -> Answer:
        """Asks, and waits for the answer.

        Raises:
            gensim2_generation.source.SourceError: Nobody answers, a wrong key, no such model.
            gensim2_generation.source.BudgetError: The question would go beyond the budget.
        """
