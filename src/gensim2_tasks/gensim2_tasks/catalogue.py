"""The task catalogue: YAML documents shipped with this package, and those of the library."""

from __future__ import annotations

import difflib
import functools
from importlib import resources

from pydantic import ValidationError

from .asset_files import AssetError, read_file, short
from .specs import TaskSpec
from .strict_yaml import YamlError, load_yaml
from .task_library import MAX_BYTES, library_file, library_folder, library_names


class TaskError(ValueError):
    """A task is unknown or its file is invalid."""


ALL, GENERATED = "all", "generated"
MAX_PROBLEMS = 10  # that a message lists
_TASKS = resources.files(__package__) / "catalogue_data" / "tasks"


def task_names() -> list[str]:
    """Names of every task shipped with this package, sorted; `library_names` are the others."""
    return sorted(
        p.name.removesuffix(".yaml") for p in _TASKS.iterdir() if p.name.endswith(".yaml")
    )


def parse_task(text: str, where: str) -> TaskSpec:
    """Parses a task document.

    Raises:
        TaskError: Not YAML, a key given twice, or not a valid task; names ``where``, the entry and
            what is allowed.
    """
    try:
        document = load_yaml(text)
    except YamlError as error:
        raise TaskError(f"{where}: {error}") from None
    try:
        return TaskSpec.model_validate(document)
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False)
        lines = [
            f"{'.'.join(str(x)[:80] for x in e['loc']) or 'document'}: {e['msg']}"
            for e in problems[:MAX_PROBLEMS]
        ]
        if len(problems) > MAX_PROBLEMS:
            lines.append(f"and {len(problems) - MAX_PROBLEMS} more")
        raise TaskError(f"{where}: {'; '.join(lines)}") from None


def load_task(name: str) -> TaskSpec:
    """Loads a task of the catalogue, or of the library, by its name; a shipped one comes first.

    Raises:
        TaskError: Unknown (the nearest names are offered) or invalid.
    """
    if name in task_names():
        return _shipped(name)
    names = [*task_names(), *library_names()]
    if name not in names:
        near = difflib.get_close_matches(name[:100], names, 3, 0.4)
        known = f"ros2 run gensim2_tasks catalogue list shows all {len(names)}"
        hint = f"did you mean {', '.join(near)}?" if near else known
        raise TaskError(f"unknown task {short(name)}; {hint}")
    file = library_file(name)
    try:
        # Read anew each time: a library changes while nodes run.
        text = read_file(file, needed="it was there a moment ago", limit=MAX_BYTES).decode("utf-8")
    except (AssetError, UnicodeDecodeError) as error:
        raise TaskError(f"{file}: {error}") from None
    return _named(name, parse_task(text, str(file)), str(file))


@functools.cache
def _shipped(name: str) -> TaskSpec:
    file = _TASKS / f"{name}.yaml"
    return _named(name, parse_task(file.read_text(encoding="utf-8"), file.name), file.name)


def _named(name: str, spec: TaskSpec, where: str) -> TaskSpec:
    if spec.name != name:
        raise TaskError(f"{where}: says name {spec.name!r}")
    return spec


def select_tasks(text: str) -> list[str]:
    """Turns ``all``, ``generated``, one name or a comma list into task names, each of them once.

    ``all`` are those shipped, ``generated`` those of the library.

    Raises:
        TaskError: A name is unknown, or there is none.
    """
    if text.strip() == ALL:
        return task_names()
    if text.strip() == GENERATED:
        names = library_names()
        if not names:
            raise TaskError(f"there are no generated tasks in {library_folder()}")
        return names
    names = [part.strip() for part in text.split(",") if part.strip()]
    if not names:
        raise TaskError("no task given; use a name, a comma list, or 'all'")
    return [load_task(name).name for name in dict.fromkeys(names)]
