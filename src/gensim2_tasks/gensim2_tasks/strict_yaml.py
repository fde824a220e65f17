"""YAML as this project reads it: safe, and no key twice."""

from __future__ import annotations

from typing import Any

import yaml

MERGE = "tag:yaml.org,2002:merge"
# Far more than any document of this project; reading as much takes a second or two.
MAX_CHARACTERS = 200_000
MAX_MERGED = 1_000


class YamlError(ValueError):
    """A text is not YAML, too long, or gives a key twice; the message names line and key."""


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

    def flatten_mapping(self, node: Any) -> None:
        """Merges ``<<`` entries; refuses merges of merges that would fill the memory."""
        merged = 0
        for key_node, value_node in node.value:
            if key_node.tag != MERGE:
                continue
            sequence = isinstance(value_node, yaml.SequenceNode)
            for source in value_node.value if sequence else (value_node,):
                if isinstance(source, yaml.MappingNode):
                    self.flatten_mapping(source)
                    merged += len(source.value)
                if merged > MAX_MERGED:
                    raise YamlError(
                        f"line {key_node.start_mark.line + 1}: '<<' merges more than "
                        f"{MAX_MERGED} entries; write them out"
                    )
        super().flatten_mapping(node)


def load_yaml(text: str) -> Any:
    """Parses one YAML document.

    Raises:
        YamlError: Not YAML, too long, or a mapping holds a key twice.
    """
    if len(text) > MAX_CHARACTERS:
        raise YamlError(
            f"{len(text)} characters, more than {MAX_CHARACTERS}; is it the right file?"
        )
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
