"""Settings of a generation, whoever asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gensim2_control.parameter_field import parameter
from gensim2_tasks.task_library import library_folder, user_path

from .generator import Options
from .judging import VerifyConfig
from .source import BACKENDS, MODES
from .verify_pool import Limits

KEY, URL = "OPENAI_API_KEY", "OPENAI_BASE_URL"
DEFAULT_RUNS = "runs/generation"


class SettingsError(ValueError):
    """A setting or a request makes no sense; says which, and what would do."""


@dataclass(frozen=True)
class Settings:
    """How tasks are proposed and what it takes to be accepted."""

    backend: str = parameter(
        "",
        "Who proposes: catalogue (a grammar), openai (any compatible server), local (a small model "
        "on this computer), replay; empty = openai where OPENAI_API_KEY or OPENAI_BASE_URL is set, "
        "else catalogue.",
    )
    mode: str = parameter(
        "primitive",
        "primitive, topdown, bottomup, paraphrase or image; of the catalogue also all.",
    )
    num_tasks: int = parameter(1, "Tasks to be accepted.", low=1, high=100_000)
    library: str = parameter(
        "", "Folder of the library; empty = where every node looks for tasks: $GENSIM2_LIBRARY."
    )
    runs: str = parameter(DEFAULT_RUNS, "Folder in which every run gets one for its record.")
    jobs: int = parameter(2, "Processes that verify.", low=1, high=256)
    episodes: int = parameter(5, "Scenes in which the expert performs a task.", low=1, high=1000)
    share: float = parameter(
        0.8, "Share of them that has to succeed and to hold.", low=0.0, high=1.0
    )
    controls: int = parameter(
        2, "Scenes with nobody, and with random motions, which must not succeed.", low=0, high=100
    )
    candidate_timeout: float = parameter(
        180.0, "Time for the verification of one task, CPU s.", low=1.0, high=86_400.0
    )
    candidate_memory: float = parameter(
        12.0, "Address space of a process that verifies, GB.", low=4.0, high=1024.0
    )
    proposals: int = parameter(
        10, "Most proposals for one task that is wanted.", low=1, high=10_000
    )
    repairs: int = parameter(
        2, "Times a failed task goes back with the measured reason.", low=0, high=20
    )
    distance: float = parameter(
        0.02,
        "Cosine distance of an instruction to every known one, at least.",
        low=0.0,
        high=1.0,
    )
    asset_root: str = parameter("", "Folder of imported assets; empty = generated ones.")
    model: str = parameter("gpt-4o", "Language model, by the name that its server knows.")
    stage_models: str = parameter(
        "",
        "Other models of single stages, as propose=NAME,repair=NAME; a stage is one of those in "
        "GenerationProgress.",
    )
    temperatures: str = parameter(
        "", "Temperatures of single stages, as propose=0.7,place=0; empty = the usual ones."
    )
    solver_trials: int = parameter(
        3, "Alternatives that are asked for at each stage of the solver.", low=1, high=5
    )
    regenerations: int = parameter(
        2, "Times an invalid answer goes back with the reason.", low=0, high=20
    )
    reflections: int = parameter(
        0, "Agreeing critiques that a proposal needs; 0 = no critique.", low=0, high=5
    )
    reuse: bool = parameter(
        True, "Whether known solver configurations may be taken for the steps of a task."
    )
    together: bool = parameter(
        False, "Ask for the motions before and after the actuation pose in one question."
    )
    examples: int = parameter(
        3,
        "Accepted tasks of the library that a proposal shows, and as many rejected ones.",
        low=0,
        high=20,
    )
    answer_tokens: int = parameter(
        4096, "Longest answer of a model, tokens.", low=64, high=1_000_000
    )
    images: bool = parameter(False, "Show the model pictures of scene, frames and motions.")
    timeout: float = parameter(
        3600.0, "Time for a request that names none, s of wall time.", low=1.0, high=1e7
    )
    max_tokens: int = parameter(0, "Budget of tokens of a request; 0 = none.", low=0, high=2**31)
    max_cost: float = parameter(
        0.0, "Budget of money, in the currency of the price list; 0 = none.", low=0.0
    )
    max_minutes: float = parameter(0.0, "Budget of wall time, minutes; 0 = none.", low=0.0)
    prices: str = parameter(
        "", "YAML file: model -> prices of a million tokens read and written; empty = none."
    )
    exchanges: str = parameter("", "Recorded exchanges, or a run's folder, of backend replay.")

    def verify(self) -> VerifyConfig:
        """How candidates are judged."""
        return VerifyConfig(self.episodes, self.share, self.controls)

    def limits(self) -> Limits:
        """Of the verification of one candidate."""
        return Limits(self.candidate_timeout, self.candidate_memory)

    def options(self, mode: str, timeout: float) -> Options:
        """Of the loop."""
        return Options(
            proposals=self.proposals,
            repairs=self.repairs,
            distance=self.distance,
            paraphrase=mode == "paraphrase",
            ahead=self.jobs + 1,
            timeout=timeout,
        )

    def library_folder(self) -> Path:
        """Folder of the library."""
        return user_path(self.library) if self.library else library_folder()


def by_stage(text: str, name: str) -> dict[str, str]:
    """What a setting of the form ``stage=value,stage=value`` says.

    Raises:
        SettingsError: It is of another form.
    """
    found = {}
    for word in filter(None, (w.strip() for w in text.split(","))):
        stage, sign, value = word.partition("=")
        if not (stage and sign and value):
            raise SettingsError(f"{name} {word[:60]!r}: expected stage=value,stage=value")
        found[stage.strip()] = value.strip()
    return found


@dataclass(frozen=True)
class Chosen:
    """A backend, and why it is that one."""

    backend: str
    why: str = ""


def choose_backend(asked: str, environ: Mapping[str, str]) -> Chosen:
    """Which backend proposes: the one that is asked for, else what is there.

    Raises:
        SettingsError: It is unknown, or has nobody to ask.
    """
    there = [name for name in (KEY, URL) if environ.get(name)]
    if not asked:
        if there:
            return Chosen("openai", f"{' and '.join(there)} set")
        return Chosen(
            "catalogue",
            f"neither {KEY} nor {URL} is set: tasks are composed from the grammar of the "
            "catalogue, without a language model",
        )
    if asked not in BACKENDS:
        raise SettingsError(f"backend {asked[:40]!r}: expected one of {', '.join(BACKENDS)}")
    if asked == "openai" and not there:
        raise SettingsError(
            f"backend openai: set {KEY} in the environment, or {URL} for a server that wants none"
        )
    return Chosen(asked)


def check_mode(mode: str, more: tuple[str, ...] = ()) -> str:
    """The mode.

    Raises:
        SettingsError: It is unknown.
    """
    if mode not in (*MODES, *more):
        raise SettingsError(f"mode {mode[:40]!r}: expected one of {', '.join((*MODES, *more))}")
    return mode


@dataclass(frozen=True)
class Request:
    """What somebody asks for; empty and 0 = as the settings say."""

    mode: str = ""
    target_object: str = ""
    target_task: str = ""
    num_tasks: int = 0
    backend: str = ""
    image: str = ""
    seed: int = 0
    timeout: float = 0.0
    run: str = ""
    more: Mapping[str, str] = field(default_factory=dict)
