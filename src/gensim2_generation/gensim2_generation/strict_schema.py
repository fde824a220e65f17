"""JSON schemas as servers take them for structured output.

They know a part of JSON Schema: `anyOf` instead of `oneOf`, every property required, no other ones,
no defaults, no lengths of texts. What is left out here binds nobody; the type of the answer does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Bounds that servers keep to, by the type they go with.
_KEPT = {
    *("type", "enum", "const", "$ref", "description", "properties", "required", "items", "anyOf"),
    *("additionalProperties", "$defs", "minimum", "maximum", "exclusiveMinimum"),
    *("exclusiveMaximum", "minItems", "maxItems", "pattern"),
}
_NAMES = ("properties", "$defs")  # hold schemas by name
MAX_PATTERN = 60  # characters; engines differ in what they make of long classes of characters


def strict_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of an answer for structured output; ``schema`` is what pydantic makes."""
    found: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "oneOf":
            found["anyOf"] = [strict_schema(v) for v in value]
        elif key in _NAMES:
            found[key] = {name: strict_schema(v) for name, v in value.items()}
        elif key == "pattern":
            if value.isascii() and value.isprintable() and len(value) <= MAX_PATTERN:
                found[key] = value
        elif key in _KEPT:
            found[key] = _of(value)
    if found.get("type") == "object" or "properties" in found:
        found["additionalProperties"] = False
        found["required"] = list(found.get("properties", {}))
    if "$ref" in found:  # Nothing may stand beside it.
        return {"$ref": found["$ref"]}
    return found


def _of(value: Any) -> Any:
    if isinstance(value, Mapping):
        return strict_schema(value)
    if isinstance(value, list):
        return [_of(v) for v in value]
    return value
