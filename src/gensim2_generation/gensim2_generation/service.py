"""One generation at a time: from a request to the outcome, whoever asks."""

from __future__ import annotations

import dataclasses
import datetime
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from gensim2_tasks.task_library import user_path

from .composer import ALL
from .generator import Pool, Shelf, generate
from .outcome import Counts, End, Outcome, Progress
from .run_folder import RunError, RunFolder, RunRequest
from .settings import Request, Settings, SettingsError, check_mode, choose_backend
from .source import Source, SourceError, Wanted

LONGEST = 500  # characters of a word of a request
MOST_TASKS = 100_000


@dataclass(frozen=True)
class Order:
    """What a source is made for.

    Attributes:
        wanted: What is asked for.
        settings: How.
        library: Folder of the library, for examples.
        run: Folder of the run, for exchanges.
        cancelled: Asked while waiting whether to end.
        asking: To be told the stage of every question.
    """

    wanted: Wanted
    settings: Settings
    library: Path
    run: Path
    cancelled: Callable[[], bool] = lambda: False
    asking: Callable[[str], None] = lambda stage: None


class Workshop(Protocol):
    """Makes what a generation needs; see `backends`."""

    def library(self, folder: Path) -> Shelf:
        """Opens a library.

        Raises:
            OSError, ValueError: It cannot be used.
        """

    def pool(self, settings: Settings) -> AbstractContextManager[Pool]:
        """Makes a pool of verifiers."""

    def source(self, backend: str, order: Order) -> Source:
        """Makes a source.

        Raises:
            SourceError: It cannot work.
        """

    def software(self) -> Mapping[str, Any]:
        """Versions, for the record."""

    def report(self, run: Path) -> None:
        """Writes tables and picture of a run into its folder.

        Raises:
            OSError, RunError: It cannot.
        """


class GeneratorService:
    """Runs one generation at a time.

    Args:
        settings: What holds where a request says nothing.
        workshop: Makes sources, verifiers and the library.
        environ: Environment, which says whether a language model can be asked.
        clock: Gives s.
        today: Gives the time of day, for names of folders.
        say: Told in words what is worth knowing.
    """

    def __init__(
        self,
        settings: Settings,
        workshop: Workshop,
        environ: Mapping[str, str],
        clock: Callable[[], float],
        today: Callable[[], datetime.datetime] = datetime.datetime.now,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._settings, self._workshop, self._environ = settings, workshop, environ
        self._clock, self._today, self._say = clock, today, say
        self._busy = threading.Lock()

    @property
    def busy(self) -> bool:
        """Whether a generation runs."""
        return self._busy.locked()

    def run(
        self,
        request: Request,
        told: Callable[[Progress], None],
        cancelled: Callable[[], bool],
    ) -> Outcome:
        """Generates what is asked for; never raises, but for what nobody expects.

        Args:
            request: What is asked for.
            told: Called at every step.
            cancelled: Asked at every step whether to end.
        """
        if not self._busy.acquire(blocking=False):
            return _over(End.BUSY, "another generation runs; wait for its end, or cancel it")
        try:
            return self._run(request, told, cancelled)
        except (SettingsError, RunError) as error:
            return _over(End.BAD_REQUEST, str(error))
        except SourceError as error:
            return _over(End.BACKEND_FAILED, str(error))
        except OSError as error:
            return _over(End.INTERNAL, f"the library or the run cannot be used: {error}")
        finally:
            self._busy.release()

    def _run(
        self,
        request: Request,
        told: Callable[[Progress], None],
        cancelled: Callable[[], bool],
    ) -> Outcome:
        settings = self._settings
        chosen = choose_backend(request.backend or settings.backend, self._environ)
        mode = check_mode(
            request.mode or settings.mode, (ALL,) if chosen.backend == "catalogue" else ()
        )
        for name in ("target_object", "target_task", "image"):
            if len(getattr(request, name)) > LONGEST:
                raise SettingsError(f"{name}: more than {LONGEST} characters")
        if not 0 <= request.num_tasks <= MOST_TASKS:
            raise SettingsError(f"num_tasks {request.num_tasks}: expected 0 to {MOST_TASKS}")
        if not 0.0 <= request.timeout < float("inf"):
            raise SettingsError(f"timeout {request.timeout} s: expected 0 or more")
        count = request.num_tasks or settings.num_tasks
        wanted = Wanted(
            mode, request.target_object, request.target_task, request.image, request.seed
        )
        if chosen.why:
            self._say(f"backend {chosen.backend}: {chosen.why}")
        library = self._workshop.library(settings.library_folder())
        folder = RunFolder(
            user_path(request.run) if request.run else self._new_folder(),
            RunRequest(
                wanted,
                chosen.backend,
                count,
                dataclasses.asdict(settings),
                self._workshop.software(),
            ),
        )
        began, timeout = self._clock(), request.timeout or settings.timeout

        def over() -> bool:
            return cancelled() or self._clock() - began > timeout

        latest: list[Progress] = []

        def heard(progress: Progress) -> None:
            latest[:] = [progress]
            told(progress)

        def asking(stage: str) -> None:
            for known in latest:
                elapsed = self._clock() - began
                heard(dataclasses.replace(known, stage=stage, elapsed=elapsed, note=""))

        order = Order(wanted, settings, settings.library_folder(), folder.path, over, asking)
        source = self._workshop.source(chosen.backend, order)
        with self._workshop.pool(settings) as pool:
            outcome = generate(
                source,
                pool,
                library,
                count,
                run=folder.path,
                clock=self._clock,
                options=settings.options(mode, timeout),
                told=heard,
                decided=folder.decided,
                cancelled=cancelled,
                before=folder.before(),
                began=began,
            )
        if outcome.end is not End.CANCELED:  # who cancels does not want to wait
            try:
                self._workshop.report(folder.path)
            except (OSError, RunError) as error:
                self._say(f"there is no report: {error}")
        return outcome

    def _new_folder(self) -> Path:
        runs = user_path(self._settings.runs)
        stem = self._today().strftime("%Y-%m-%d_%H-%M-%S")
        names = (stem, *(f"{stem}_{n}" for n in range(2, 1000)))
        return next(runs / name for name in names if not (runs / name).exists())


def _over(end: End, text: str) -> Outcome:
    return Outcome((), Counts(), end, text, 0.0, Path())
