"""What a generation may cost: tokens, money and minutes, checked before every question."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from gensim2_tasks.asset_files import AssetError, read_file
from gensim2_tasks.strict_yaml import YamlError, load_yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .answers import plain
from .asking import Answer, Ask, Model
from .source import BudgetError, SourceError

PER = 1_000_000  # tokens that a price is for
LETTERS = 3.0  # characters of a token, at least: a question is rather thought too dear
IMAGE = 1_500  # tokens of a picture of the size that is sent, about the most that servers count
LARGEST = 100_000  # bytes of a price list
MINUTE = 60.0


class Price(BaseModel):
    """Of a million tokens, read and written."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    read: float = Field(ge=0.0, le=1e6)
    written: float = Field(ge=0.0, le=1e6)

    def of(self, read: int, written: int) -> float:
        """Of so many tokens."""
        return (read * self.read + written * self.written) / PER


class PriceList(BaseModel):
    """A price list: ``{currency: USD, models: {NAME: {read: 2.5, written: 10.0}}}``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    currency: str = Field(default="USD", pattern="^[A-Z]{3}$")
    models: dict[str, Price] = Field(default_factory=dict, max_length=1000)


def load_prices(path: Path) -> PriceList:
    """Reads a price list.

    Raises:
        SourceError: Missing, unreadable or wrong; says what is expected.
    """
    try:
        text = read_file(path, needed="it is the price list", limit=LARGEST).decode("utf-8")
        return PriceList.model_validate(load_yaml(text))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(plain(str(p), 60) for p in first["loc"]) or "file"
        raise SourceError(
            f"{path}: {where}: {first['msg']}; expected: "
            "{currency: USD, models: {NAME: {read: PRICE, written: PRICE}}}, per million tokens"
        ) from None
    except (AssetError, YamlError, UnicodeDecodeError) as error:
        raise SourceError(f"price list: {error}") from None


@dataclass(frozen=True)
class Limits:
    """Of a generation; 0 = none.

    Attributes:
        tokens: Read and written together.
        money: In the currency of the price list.
        minutes: Since the budget was made.
    """

    tokens: int = 0
    money: float = 0.0
    minutes: float = 0.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not (math.isfinite(value) and value >= 0.0):
                raise ValueError(f"budget of {name}: give 0 (none) or more, not {value}")


class Budget:
    """Keeps count.

    Args:
        limits: That must not be passed.
        prices: Of models by name.
        clock: Gives s.
    """

    def __init__(self, limits: Limits, prices: PriceList, clock: Callable[[], float]) -> None:
        self._limits, self._prices, self._clock = limits, prices, clock
        self._began = clock()
        self.tokens, self.money = 0, 0.0

    @property
    def prices(self) -> Mapping[str, Price]:
        """By model."""
        return self._prices.models

    def check(self, question: Ask, model: str) -> None:
        """Refuses a question that may go beyond.

        Raises:
            BudgetError: Says of what there is not enough left.
        """
        limits, price = self._limits, self.prices.get(model)
        minutes = (self._clock() - self._began) / MINUTE
        if limits.minutes and minutes >= limits.minutes:
            raise BudgetError(f"{minutes:.1f} minutes are over, {limits.minutes:g} were given")
        read = estimate(question)
        most = self.tokens + read + question.max_tokens
        if limits.tokens and most > limits.tokens:
            raise BudgetError(
                f"{self.tokens} tokens are used up, and the next question ({question.stage}) may "
                f"take {read + question.max_tokens}; the budget is {limits.tokens}"
            )
        if limits.money:
            if price is None:
                raise BudgetError(
                    f"the price list has no model {plain(model, 60)!r}: a budget of money needs "
                    "the price of every model; add it to the list"
                )
            cost = price.of(read, question.max_tokens)
            if self.money + cost > limits.money:
                raise BudgetError(
                    f"{self.money:.4f} {self._prices.currency} are spent, and the next question "
                    f"({question.stage}) may take {cost:.4f}; the budget is {limits.money:g}"
                )

    def spend(self, answer: Answer, model: str) -> Answer:
        """Takes in an answer; returns it with what it has cost."""
        price = self.prices.get(model)
        cost = price.of(*answer.tokens) if price is not None else 0.0
        self.tokens += sum(answer.tokens)
        self.money += cost
        return replace(answer, cost=cost)


class BudgetedModel:
    """A `Model` that asks another as long as there is enough left.

    Args:
        model: That is asked.
        budget: Shared by all models of a generation.
    """

    def __init__(self, model: Model, budget: Budget) -> None:
        self.name, self._model, self._budget = model.name, model, budget

    def ask(self, question: Ask) -> Answer:
        """See `Model`."""
        self._budget.check(question, self.name)
        return self._budget.spend(self._model.ask(question), self.name)


def estimate(question: Ask) -> int:
    """Tokens of a question, rather too many."""
    letters = len(question.system) + len(question.user) + len(str(question.schema))
    return math.ceil(letters / LETTERS) + IMAGE * len(question.images)
