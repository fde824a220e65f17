"""tf2_msgs must be that of Jazzy field for field, or nothing talks to a real installation."""

import json
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from tf2_msgs.msg import TF2Error, TFMessage


def test_fields_are_those_of_jazzy() -> None:
    assert TFMessage.get_fields_and_field_types() == {
        "transforms": "sequence<geometry_msgs/TransformStamped>"
    }
    assert list(TF2Error.get_fields_and_field_types().items()) == [
        ("error", "uint8"),
        ("error_string", "string"),
    ]


def test_constants_are_those_of_jazzy() -> None:
    names = (
        "NO_ERRORS",
        "LOOKUP_ERROR",
        "CONNECTIVITY_ERROR",
        "EXTRAPOLATION_ERROR",
        "INVALID_ARGUMENT_ERROR",
        "TIMEOUT_ERROR",
        "TRANSFORM_ERROR",
    )
    assert [getattr(TF2Error, name) for name in names] == list(range(7))


def test_type_hash_is_that_of_a_real_jazzy_system() -> None:
    path = Path(get_package_share_directory("tf2_msgs")) / "msg" / "TFMessage.json"
    hashes = {
        entry["type_name"]: entry["hash_string"]
        for entry in json.loads(path.read_text())["type_hashes"]
    }
    assert hashes["tf2_msgs/msg/TFMessage"] == (
        "RIHS01_e369d0f05a23ae52508854b66f6aa0437f3449d652e8cbf22d5abe85d020f087"
    )
