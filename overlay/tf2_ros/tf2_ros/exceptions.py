"""Why a transform could not be had."""


class TransformException(Exception):  # noqa: N818 (the names are upstream's)
    """Base of all errors of this package."""


class LookupException(TransformException):
    """A frame does not exist."""


class ConnectivityException(TransformException):
    """The frames are not in one tree."""


class ExtrapolationException(TransformException):
    """The time is outside of what is stored."""


class InvalidArgumentException(TransformException):
    """A frame name or transform that can never be right."""


class TimeoutException(TransformException):
    """It took too long."""
