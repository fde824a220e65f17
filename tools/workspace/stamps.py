"""Remembers which steps are done, and for which inputs."""

import hashlib
from collections.abc import Iterable
from pathlib import Path


def digest(parts: Iterable[str | bytes]) -> str:
    """Hashes parts to one hexadecimal word; the borders between the parts count."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "big"))
        total.update(data)
    return total.hexdigest()


class Stamps:
    """A folder with one small file per finished step, holding the digest of its inputs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def is_current(self, name: str, inputs: str) -> bool:
        """Tells whether the step was finished for exactly these inputs."""
        return self.read(name) == inputs

    def read(self, name: str) -> str | None:
        """Gives the digest the step was last finished for, None if it was not."""
        try:
            return (self._folder / name).read_text().strip()
        except FileNotFoundError:
            return None

    def put(self, name: str, inputs: str) -> None:
        """Marks the step as finished; a crash leaves the old stamp or the new one, no half."""
        self._folder.mkdir(parents=True, exist_ok=True)
        fresh = self._folder / f"{name}.new"
        fresh.write_text(inputs + "\n")
        fresh.replace(self._folder / name)

    def clear(self, pattern: str) -> None:
        """Forgets the steps whose names match the glob pattern."""
        for path in self._folder.glob(pattern):
            path.unlink(missing_ok=True)

    def names(self, pattern: str) -> list[str]:
        """Lists the finished steps whose names match the glob pattern."""
        return sorted(p.name for p in self._folder.glob(pattern) if p.suffix != ".new")
