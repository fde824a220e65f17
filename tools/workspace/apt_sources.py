"""Reads the package sources of apt and derives the one for backports from them.

Mirrors differ from machine to machine, so the address is taken from the machine's own sources,
with the options (such as the signing key) that go with it. Both formats of sources.list(5) are
read: one line per source, and deb822 paragraphs.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

# Options of the one-line format and their fields in deb822, where the names are not the same.
_FIELD_OF_OPTION = {"arch": "Architectures", "lang": "Languages", "target": "Targets"}
_OWN_FIELDS = frozenset({"types", "uris", "suites", "components", "enabled"})


@dataclass(frozen=True)
class AptSource:
    """One enabled binary package source.

    Attributes:
        uris: Addresses, as written.
        suites: Such as `bookworm`, `bookworm-updates`.
        components: Such as `main`; empty for a flat repository.
        options: All other deb822 fields, such as `Signed-By`; continuation lines are kept.
    """

    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    options: dict[str, str] = field(default_factory=dict)


def read_sources(folder: Path) -> list[AptSource]:
    """Reads every source apt would, given its configuration folder (`/etc/apt`).

    A file that cannot be read is passed over: apt itself complains about it.
    """
    paths = [folder / "sources.list"]
    if (folder / "sources.list.d").is_dir():
        paths += sorted((folder / "sources.list.d").iterdir())
    found: list[AptSource] = []
    for path in paths:
        try:
            if path.suffix == ".list":
                found += parse_one_line(path.read_text(errors="replace"))
            elif path.suffix == ".sources":
                found += parse_deb822(path.read_text(errors="replace"))
        except OSError:
            continue
    return found


def parse_one_line(text: str) -> list[AptSource]:
    """Reads the one-line format: `deb [option=value ...] uri suite component...`."""
    found = []
    for line in text.splitlines():
        match = re.fullmatch(
            r"\s*deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<rest>.*)", line.split("#")[0]
        )
        words = match["rest"].split() if match else []
        if match is None or len(words) < 2:
            continue
        options = dict(_option(word) for word in (match["options"] or "").split() if "=" in word)
        found.append(AptSource((words[0],), (words[1],), tuple(words[2:]), options))
    return found


def _option(word: str) -> tuple[str, str]:
    name, value = word.split("=", 1)
    name = name.rstrip("+-").lower()
    return _FIELD_OF_OPTION.get(name, name.title()), value.replace(",", " ")


def parse_deb822(text: str) -> list[AptSource]:
    """Reads deb822 paragraphs; `Enabled: no` and sources without `deb` are left out."""
    found = []
    for fields in _paragraphs(text):
        plain = {name.lower(): value.split() for name, value in fields.items()}
        if "deb" not in plain.get("types", []) or plain.get("enabled", ["yes"]) in _NO:
            continue
        if not plain.get("uris") or not plain.get("suites"):
            continue
        options = {name: text for name, text in fields.items() if name.lower() not in _OWN_FIELDS}
        found.append(
            AptSource(
                tuple(plain["uris"]),
                tuple(plain["suites"]),
                tuple(plain.get("components", [])),
                options,
            )
        )
    return found


_NO = (["no"], ["false"], ["without"], ["off"], ["disable"], ["0"])


def _paragraphs(text: str) -> Iterator[dict[str, str]]:
    fields: dict[str, str] = {}
    last = ""
    for line in [*text.splitlines(), ""]:
        if line.startswith("#"):
            continue
        if not line.strip():
            if fields:
                yield fields
            fields, last = {}, ""
        elif line[0] in " \t":
            if last:
                fields[last] += "\n" + line
        elif ":" in line:
            last, value = line.split(":", 1)
            last = last.strip()
            fields[last] = value.strip()


def has_suite(sources: Iterable[AptSource], suite: str) -> bool:
    """Tells whether a suite is among the sources."""
    return any(suite in source.suites for source in sources)


def backports_source(sources: Iterable[AptSource], codename: str) -> str | None:
    """Writes the deb822 paragraph of the backports of a release.

    Args:
        sources: The machine's own sources.
        codename: The release, such as `bookworm`.

    Returns:
        The text of a `.sources` file with the address and options of the source the release
        itself comes from, None if there is no such source.
    """
    for source in sources:
        if codename not in source.suites or "main" not in source.components:
            continue
        uris = [uri for uri in source.uris if not uri.startswith("cdrom:")]
        if not uris:
            continue
        lines = [
            "Types: deb",
            f"URIs: {' '.join(uris)}",
            f"Suites: {codename}-backports",
            "Components: main",
        ]
        # A value that begins on the next line, such as an embedded key, keeps its lines.
        for name, value in source.options.items():
            lines.append(f"{name}:{value}" if value.startswith("\n") else f"{name}: {value}")
        return "\n".join(lines) + "\n"
    return None
