"""YAML as this project reads it: safe, and no key twice."""

from __future__ import annotations

from typing import Any

import yaml

MERGE = "tag:yaml.org,2002:merge"


class YamlError(ValueError):
    """A text is not YAML, or gives a key twice; the message names line and key."""


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader takes the last of two equal keys without a word."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Refuses a mapping that names a key twice; what is merged in may be overridden."""
        first: dict[Any, int] = {}
        for key_node, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if key_node.tag == MERGE:
                continue
            key, line = self.construct_object(key_node, deep=True), key_node.start_mark.line + 1
            if key in first:
                raise YamlError(
                    f"line {line}: key {key!r} is given twice; first in line {first[key]}"
                )
            first[key] = line
        return super().construct_mapping(node, deep)


def load_yaml(text: str) -> Any:
    """Parses one YAML document.

    Raises:
        YamlError: Not YAML, or a mapping holds a key twice.
    """
    loader = None
    try:
        loader = _Loader(text)
        return loader.get_single_data()
    except YamlError:
        raise
    except Exception as error:  # bad scalars (dates, numbers) and deep nesting are no YAMLError
        raise YamlError(f"not YAML: {error}") from None
    finally:
        if loader is not None:
            loader.dispose()
