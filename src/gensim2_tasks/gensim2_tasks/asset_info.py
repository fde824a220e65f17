"""``info.json`` of an asset: scale, keypoints and the range of the joint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from .asset_files import MAX_NUMBER, AssetError, number_problem, read_file, short
from .procedural.folder import DENSITY

Number = Annotated[float, Field(ge=-MAX_NUMBER, le=MAX_NUMBER)]
MAX_KEYPOINTS = 1000
# What to do about an entry that is wrong, by the beginning of its name.
_MENDING = {
    "keypoints": 'give {"articulated_object_head": [x, y, z], ...}, unscaled, m',
    "scale": "give one number that the URDF and the keypoints are multiplied with",
    "joint_position_range": "give [closed, open], rad or m",
    "density": "give kg/m^3",
    "mass": "give kg",
    "file": "is the file complete?",
}


class AssetInfo(BaseModel):
    """``info.json``. Unknown fields are allowed: the public files carry annotator's remarks.

    ``free_body`` is ours: nothing holds the object, its joint only says which way it is to go.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)

    scale: float = Field(1.0, gt=0.0, le=100.0)
    keypoints: dict[str, tuple[Number, Number, Number]] = Field(
        min_length=1, max_length=MAX_KEYPOINTS
    )
    keypoint_descriptions: dict[str, str] = {}
    axis: str | None = Field(None, pattern="^[xyz]$")
    joint_position_range: tuple[Number, Number] | None = None
    free_body: bool = False
    density: float = Field(DENSITY, gt=0.0, le=1e5)
    joint_friction: float | None = Field(None, ge=0.0, le=1e9)
    licence: str | None = Field(
        None, max_length=200, validation_alias=AliasChoices("licence", "license")
    )


Info = TypeVar("Info", bound=AssetInfo)


def load_info(folder: Path, kind: type[Info]) -> tuple[Info, dict[str, Any]]:
    """Reads ``info.json``.

    Args:
        folder: Folder of the asset.
        kind: Which entries it has.

    Returns:
        What it says, and the document as it is, remarks and all.

    Raises:
        AssetError: Missing, not JSON, or an entry is wrong; says which and what is allowed.
    """
    path = folder / "info.json"
    data = read_file(path, needed="it must hold the keypoints of the asset")
    try:
        info = kind.model_validate_json(data)
        document = json.loads(data)
    except ValidationError as error:
        raise AssetError(f"{path}: {_first_error(error)}") from None
    except (ValueError, RecursionError) as error:  # the two readers differ in what they take
        raise AssetError(f"{path}: file: {error}; {_MENDING['file']}") from None
    if text := number_problem(document):
        raise AssetError(f"{path}: {short(text)}; JSON has no such number, write another")
    return info, document


def _first_error(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    names = [short(x).strip("'") for x in first["loc"]] or ["file"]
    mending = _MENDING.get(names[0], "")
    return f"{'.'.join(names)}: {first['msg']}" + (f"; {mending}" if mending else "")
