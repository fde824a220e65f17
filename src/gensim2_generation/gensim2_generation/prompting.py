"""The questions: texts in ``prompts/``, filled in. Nothing that is filled in is filled in again."""

from __future__ import annotations

import functools
import zlib
from importlib import resources
from string import Template

from . import vocabulary

REVISION = "1"
"""Of the prompts; to be raised when a change of them should be told apart in tables."""
_FOLDER = resources.files(__package__) / "prompts"
NAMES = (
    *("system", "propose_primitive", "propose", "image", "decompose", "place", "constraints"),
    *("pre_motions", "post_motions", "motions", "predicates", "critique", "repair", "chain"),
    *("paraphrase", "again"),
)


@functools.cache
def _template(name: str) -> Template:
    return Template((_FOLDER / f"{name}.md").read_text(encoding="utf-8"))


@functools.cache
def version() -> str:
    """Revision of the prompts, and a sum of their text that tells whether somebody edited them."""
    text = "\n".join(_template(name).template for name in NAMES)
    return f"{REVISION}-{zlib.crc32(text.encode()):08x}"


def filled(name: str, **words: object) -> str:
    """A question.

    Args:
        name: One of `NAMES`.
        words: What is put in.

    Raises:
        KeyError: Something is missing.
    """
    return _template(name).substitute({k: str(v) for k, v in words.items()}).strip()


@functools.cache
def system() -> str:
    """What the model is, the frames and the rules; the same for all questions."""
    return filled(
        "system",
        tool_keypoints=vocabulary.tool_keypoints(),
        predicates=vocabulary.predicates(),
        named_motions=vocabulary.named_motions(),
    )
