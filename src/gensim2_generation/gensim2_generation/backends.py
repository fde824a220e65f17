"""Puts together what a generation needs: the source of a backend, the verifiers, the library."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gensim2_episodes.provenance import software_record
from gensim2_tasks.task_library import user_path

from . import local_prompts
from .affordances import shipped_affordances
from .asker import Backends
from .asking import Model
from .budget import Budget, BudgetedModel, PriceList, load_prices
from .budget import Limits as BudgetLimits
from .composer import Composer
from .exchanges import RecordingModel, ReplayModel
from .library import TaskLibrary
from .llm_source import LlmSource
from .local_source import LocalSource
from .pipeline import PipelineOptions
from .report import write_report
from .run_folder import EXCHANGES
from .seeing import PictureError, Pictures
from .service import Order
from .settings import Settings, SettingsError, by_stage
from .source import Source, SourceError
from .verify_pool import MakeLaboratory, VerifyPool


@dataclass(frozen=True)
class ProjectWorkshop:
    """Implements `service.Workshop` with the parts of this project.

    Attributes:
        clock: Gives s.
    """

    clock: Callable[[], float] = time.monotonic

    def library(self, folder: Path) -> TaskLibrary:
        """See `Workshop`."""
        return TaskLibrary(folder, self.software())

    def pool(self, settings: Settings) -> VerifyPool:
        """See `Workshop`."""
        make = MakeLaboratory(settings.asset_root, settings.verify())
        return VerifyPool(settings.jobs, make, settings.limits())

    def source(self, backend: str, order: Order) -> Source:
        """See `Workshop`."""
        wanted, settings = order.wanted, order.settings
        if backend == "catalogue":
            return Composer(wanted, shipped_affordances())
        if backend == "local":
            return _local(order)
        if backend == "replay":
            file = user_path(settings.exchanges)
            if not settings.exchanges:
                raise SettingsError("backend replay: exchanges: name a record, or a run's folder")
            replayed = ReplayModel(file / EXCHANGES if file.is_dir() else file)
            if replayed.system == local_prompts.SYSTEM:
                return LocalSource(
                    wanted, shipped_affordances(), replayed, backend, told=order.asking
                )
            # The same question is one at the same temperature.
            backends = Backends(replayed, {}, _temperatures(settings), settings.answer_tokens)
        else:
            backends = self._openai(order)
        return LlmSource(
            wanted,
            backends,
            backend,
            options=PipelineOptions(
                trials=settings.solver_trials,
                regenerations=settings.regenerations,
                reflections=settings.reflections,
                reuse=settings.reuse,
                together=settings.together,
                examples=settings.examples,
            ),
            examples=self.library(order.library).examples,
            pictures=_pictures(settings.asset_root) if settings.images else None,
            told=order.asking,
        )

    def software(self) -> Mapping[str, Any]:
        """See `Workshop`."""
        return software_record().model_dump()

    def report(self, run: Path) -> None:
        """See `Workshop`."""
        write_report(run)

    def _openai(self, order: Order) -> Backends:
        from .openai_model import OpenAiModel

        settings = order.settings
        prices = load_prices(user_path(settings.prices)) if settings.prices else PriceList()
        limits = BudgetLimits(settings.max_tokens, settings.max_cost, settings.max_minutes)
        budget = Budget(limits, prices, self.clock)

        def model(name: str) -> Model:
            asked = OpenAiModel(name, clock=self.clock, cancelled=order.cancelled)
            return RecordingModel(BudgetedModel(asked, budget), order.run / EXCHANGES)

        models = by_stage(settings.stage_models, "stage_models")
        return Backends(
            model(settings.model),
            {s: model(n) for s, n in models.items()},
            _temperatures(settings),
            settings.answer_tokens,
        )


def _temperatures(settings: Settings) -> dict[str, float]:
    found = {}
    for stage, text in by_stage(settings.temperatures, "temperatures").items():
        try:
            found[stage] = float(text)
        except ValueError:
            raise SettingsError(f"temperatures: {text[:40]!r} is no number") from None
    return found


def _pictures(asset_root: str) -> Pictures:
    from gensim2_control.description import resolve_packages, robot_description
    from gensim2_tasks.assets import AssetLibrary

    from .pictures import Renderer

    urdf, library = resolve_packages(robot_description()), AssetLibrary(asset_root or None)
    try:
        return Renderer(urdf, library)
    except PictureError as error:
        raise SourceError(f"images: {error}") from None


def _local(order: Order) -> Source:
    from .local_model import LocalModel

    model = RecordingModel(LocalModel(cancelled=order.cancelled), order.run / EXCHANGES)
    return LocalSource(order.wanted, shipped_affordances(), model, told=order.asking)
