"""Names of assets."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .asset_files import AssetError, short

PROCEDURAL, PARTNET = "procedural", "partnet"
# Category and key are names of folders: they must not lead out of the library.
ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}")


@dataclass(frozen=True)
class AssetRef:
    """Names an asset: ``source:category/key``, for example ``procedural:box_rotate/17``.

    Raises:
        AssetError: The source is unknown, or category or key cannot be the name of a folder.
    """

    source: str
    category: str
    key: str

    def __post_init__(self) -> None:
        ids = ID.fullmatch(self.category) and ID.fullmatch(self.key)
        if self.source not in (PROCEDURAL, PARTNET) or not ids:
            raise AssetError(
                f"asset {short(str(self))}: expected 'procedural:CATEGORY/SEED' or "
                "'partnet:CATEGORY/ID' of letters, digits, '_', '-', '+' and '.'"
            )

    def __str__(self) -> str:
        return f"{self.source}:{self.category}/{self.key}"

    @classmethod
    def parse(cls, text: str) -> AssetRef:
        """Parses ``source:category/key``.

        Raises:
            AssetError: The text has another form.
        """
        source, _, rest = text.partition(":")
        category, _, key = rest.partition("/")
        return cls(source, category, key)
