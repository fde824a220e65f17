"""The error of substitutions."""


class SubstitutionFailure(RuntimeError):  # noqa: N818 (upstream name)
    """A substitution has no value; the text says why."""
