"""Fixed text (defined beside its base class, which most other modules need)."""

from ..substitution import TextSubstitution

__all__ = ["TextSubstitution"]
