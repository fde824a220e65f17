"""Labelled keypoints of a real object, stored as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from .atomic_file import write_atomically

Coordinate = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-10.0, le=10.0)]
Name = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=80)]


class AnnotationError(ValueError):
    """The annotation cannot be read or written; the text names file, entry and remedy."""


class KeypointAnnotation(BaseModel):
    """Where the keypoints of an object are.

    Attributes:
        version: Of this format.
        task: The task the object is used in, such as `OpenBox`.
        category: Category of the object, such as `box`.
        object_name: Which one of that category.
        frame: Of the points; always `base`.
        keypoints: p_base (x, y, z) by name [m].
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    task: Name
    category: Name
    object_name: Name
    frame: Literal["base"] = "base"
    keypoints: dict[Name, tuple[Coordinate, Coordinate, Coordinate]] = Field(min_length=1)

    @field_validator("keypoints")
    @classmethod
    def _apart(
        cls, value: dict[str, tuple[float, float, float]]
    ) -> dict[str, tuple[float, float, float]]:
        by_point: dict[tuple[float, float, float], str] = {}
        for name, point in value.items():
            if point in by_point:
                raise ValueError(f"{name} and {by_point[point]} are the same point")
            by_point[point] = name
        return value

    def p_base(self, name: str) -> NDArray[np.float64]:
        """(3,) position of a keypoint in `base` [m].

        Raises:
            AnnotationError: no keypoint of that name.
        """
        if name not in self.keypoints:
            raise AnnotationError(
                f"{self.object_name} has no keypoint {name!r}; annotated are: "
                f"{', '.join(sorted(self.keypoints))}"
            )
        return np.array(self.keypoints[name])

    @classmethod
    def load(cls, path: Path) -> KeypointAnnotation:
        """Reads an annotation.

        Raises:
            AnnotationError: it is absent, not YAML, or an entry is wrong.
        """
        try:
            return cls.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise AnnotationError(f"annotation {path}: {error.strerror or error}") from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise AnnotationError(f"annotation {path}: not valid YAML: {error}") from error
        except ValidationError as error:
            found = "; ".join(
                f"{'.'.join(str(part) for part in e['loc']) or 'file'}: {e['msg']}"
                for e in error.errors()
            )
            raise AnnotationError(f"annotation {path}: {found}") from error

    def save(self, path: Path) -> None:
        """Writes the file that `load` reads, as a whole or not at all.

        Raises:
            AnnotationError: it cannot be written.
        """
        text = yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)
        try:
            write_atomically(path, text.encode())
        except OSError as error:
            raise AnnotationError(f"annotation {path}: {error.strerror or error}") from error
