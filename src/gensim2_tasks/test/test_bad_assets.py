"""Folders and documents that were damaged, cut, or made to do harm: refused by name, at once."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from asset_samples import block, urdf_text, write_asset
from gensim2_tasks.asset_files import MAX_MESH, MAX_TEXT
from gensim2_tasks.assets import AssetLibrary, AssetRef, load_asset
from gensim2_tasks.catalogue import TaskError, load_task, parse_task
from gensim2_tasks.kinematic_tree import AssetError
from gensim2_tasks.strict_yaml import YamlError, load_yaml

REF = AssetRef("partnet", "box_rotate", "sample")
GOOD = urdf_text()
LID_MESH = '<mesh filename="lid.obj"/>'
LID = '<link name="lid">'
LIMIT = "<limit "


@pytest.fixture(autouse=True)
def guard() -> Iterator[None]:
    """A reader that never ends becomes a failure."""

    def expired(*_: object) -> None:
        raise TimeoutError("the reader hangs")

    before = signal.signal(signal.SIGALRM, expired)
    signal.alarm(120)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def swapped(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


def refusal(folder: Path) -> str:
    with pytest.raises(AssetError) as caught:
        load_asset(REF, folder)
    assert len(str(caught.value)) < 1000, "a message is to be read"
    return str(caught.value)


def inertial(mass: str, ixx: str = "1") -> str:
    six = f'ixx="{ixx}" ixy="0" ixz="0" iyy="1" iyz="0" izz="1"'
    return swapped(LID, f'{LID}<inertial><mass value="{mass}"/><inertia {six}/></inertial>')


def test_the_sample_and_a_sound_mass_are_taken(tmp_path: Path) -> None:
    """Otherwise the refusals below would show nothing."""
    assert load_asset(REF, write_asset(tmp_path / "a")).rest_height() > 0
    assert load_asset(REF, write_asset(tmp_path / "b", urdf=inertial("0.5"))).rest_height() > 0


def test_an_empty_folder_says_what_an_asset_consists_of(tmp_path: Path) -> None:
    text = refusal(tmp_path)
    assert "info.json: no such file; it must hold the keypoints" in text
    assert "no mobility.urdf either" in text
    write_asset(tmp_path / "half")
    (tmp_path / "half" / "mobility.urdf").unlink()
    assert "an asset folder needs a mobility.urdf" in refusal(tmp_path / "half")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (inertial("0"), "'lid' has a mass or an inertia that is not positive.*remove <inertial>"),
        (inertial("-2"), "'lid' has a mass or an inertia that is not positive"),
        (inertial("nan"), "mass of link 'lid': expected 1 numbers, found 'nan'"),
        (inertial("1", "0"), "'lid' has a mass or an inertia that is not positive"),
        (inertial("1", "-1"), "'lid' has a mass or an inertia that is not positive"),
        (inertial("1", "heavy"), "link 'lid': expected numbers, found 'heavy'"),
        (swapped(LID, f"{LID}<inertial/>"), "'lid' has a mass or an inertia that is not positive"),
        (swapped('effort="1"', 'effort="-1"'), "limit of joint 'joint_lid': effort -1 is negative"),
        (swapped('velocity="1"', 'velocity="nan"'), "velocity: expected 1 numbers, found 'nan'"),
        (
            swapped(LIMIT, '<dynamics friction="-0.1"/><limit '),
            "dynamics of joint 'joint_lid': friction -0.1 is negative; it must be 0 or more",
        ),
        (swapped(LIMIT, '<dynamics damping="inf"/><limit '), "damping: expected 1 numbers"),
        (swapped(LIMIT, '<mimic joint="x"/><limit '), "mimics another, .*remove <mimic>"),
        (urdf_text(origin="0 1e9 0"), "origin of joint 'joint_lid': .*at most 1e\\+06"),
        (urdf_text(axis="1e300 0 0"), "axis of joint 'joint_lid': .*at most 1e\\+06"),
        (urdf_text(lower="0", upper="0"), "'joint_lid' cannot move between its limits 0 and 0"),
        (urdf_text(kind="fixed"), "exactly one moving joint, has 0; make one revolute"),
        (
            swapped('<parent link="base"/>', '<parent link="lid"/>'),
            "do not form one tree .joints form a loop: .*joint_base.*; remove one of them",
        ),
        (
            swapped("</robot>", '<joint name="j" type="fixed"><parent link="base"/>'
                    '<child link="lid"/></joint></robot>'),
            "two joints lead to link 'lid'; remove one",
        ),
        (swapped(LID_MESH, '<mesh filename="../lid.obj"/>'), "outside of the folder.*copy it"),
        (swapped(LID_MESH, '<mesh filename="/etc/passwd"/>'), "outside of the folder.*copy it"),
        (swapped(LID_MESH, '<mesh filename="a/../../b"/>'), "outside of the folder.*copy it"),
        (swapped(LID_MESH, '<mesh filename="package://x/lid.obj"/>'), "is missing in .*add"),
        (swapped(LID_MESH, '<mesh filename="info.json"/>'), "not read; convert it to one of .obj"),
        (swapped(LID_MESH, '<mesh filename="."/>'), "mesh '.' is missing"),
        (
            swapped(
                f"<visual><geometry>{LID_MESH}</geometry>",
                f'<visual><geometry>{LID_MESH}</geometry><material name="m">'
                '<texture filename="/etc/passwd"/></material>',
            ),
            "link 'lid' has the texture '/etc/passwd', which is not supported",
        ),
        ("<robot>" + "<a>" * 100_000, "line 1: elements are nested deeper than"),
        ("<robot>" + "<link/>" * 3000 + "</robot>", "3000 links, more than 2000"),
        ("<robot>" + '<joint type="fixed"/>' * 3000 + "</robot>", "3000 joints, more than 2000"),
        (GOOD[: len(GOOD) // 2], "not well-formed XML: .*is the file complete"),
        ("\0\1\2" * 50, "not well-formed XML"),
    ],
)  # fmt: skip
def test_a_urdf_that_cannot_be_used_says_what_where_and_how_to_mend_it(
    tmp_path: Path, text: str, message: str
) -> None:
    found = refusal(write_asset(tmp_path / "a", urdf=text))
    assert re.search(message, found), found
    assert str(tmp_path / "a") in found


BOMB = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10 if i else "x" * 99}">' for i in range(12))


@pytest.mark.parametrize(
    "head",
    [
        f"<!DOCTYPE r [{BOMB}]>",
        '<!DOCTYPE r [<!ENTITY e11 SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE r SYSTEM "http://127.0.0.1:9/x.dtd">',
        '<!DOCTYPE r [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>',
    ],
)
def test_entities_are_refused_before_they_are_expanded(tmp_path: Path, head: str) -> None:
    text = f"{head}<robot>&e11;{GOOD.split('<robot', 1)[1].split('>', 1)[1]}"
    assert "has a DOCTYPE" in refusal(write_asset(tmp_path / "a", urdf=text))


@pytest.mark.parametrize(
    ("info", "message"),
    [
        ({"remark": [{"x": float("nan")}]}, "remark.0.x: nan is not a finite number"),
        ('{"keypoints": {"head": [0, 0, 0]}, "remark": 1e999}', "remark: inf is not a finite"),
        ({"keypoints": {"head": [0, 0, 1e9]}}, "keypoints.head.2: .*less than or equal"),
        ({"keypoints": {"x" * 9000: [0, 0]}}, "keypoints.x+...x+.2: Field required"),
        ('{"scale": 1}', r"keypoints: Field required; give {\"articulated_object_head\": \["),
        ({"density": 1e9}, "density: .*less than or equal.*; give kg"),
        ({"density": -1}, "density: .*greater than 0"),
        ({"scale": 1e-6}, "m large; give another scale"),
        ({"scale": 1e-300}, "give another scale"),
        ({"joint_position_range": [0, 1e-9]}, "no finite range"),
        ({"keypoints": {str(i): [0, 0, 0] for i in range(2000)}}, "keypoints: .*at most 1000"),
        ('{"keypoints": {"h": [0,0,0]}, "x": "\\ud800"}', "info.json: file: "),
    ],
)
def test_an_info_file_that_cannot_be_used_says_so(
    tmp_path: Path, info: dict[str, object] | str, message: str
) -> None:
    found = refusal(write_asset(tmp_path / "a", info=info))
    assert re.search(message, found), found


@pytest.mark.parametrize("name", ["info.json", "mobility.urdf", "lid.obj"])
def test_what_is_no_ordinary_file_or_huge_is_not_read(tmp_path: Path, name: str) -> None:
    """A pipe would never end, and a file of many gigabytes fill the memory."""
    file = write_asset(tmp_path / "a") / name

    def huge() -> None:
        with file.open("wb") as stream:
            stream.truncate(10**11)

    replacements: list[Callable[[], object]] = [file.mkdir, huge, lambda: os.mkfifo(file)]
    messages = ["cannot be read|missing", "bytes, more than", "no ordinary file|missing"]
    for replace, message in zip(replacements, messages, strict=True):
        file.unlink()
        replace()
        found = refusal(tmp_path / "a")
        assert any(part in found for part in message.split("|")) and name in found, found
        if file.is_dir():
            file.rmdir()
            file.touch()
    assert max(MAX_TEXT, MAX_MESH) < 10**9


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.obj").write_text(block((0, 0, 0), (1, 1, 1)))
    folder = write_asset(tmp_path / "a")
    (folder / "lid.obj").unlink()
    (folder / "lid.obj").symlink_to(tmp_path / "secret.obj")
    assert "'lid.obj' is outside of the folder" in refusal(folder)
    (folder / "lid.obj").unlink()
    (folder / "lid.obj").symlink_to("lid.obj")
    assert "mesh 'lid.obj' is missing" in refusal(folder)
    # The folder itself may be reached by a link, as in stores of large data.
    (tmp_path / "link").symlink_to(write_asset(tmp_path / "b"))
    assert load_asset(REF, tmp_path / "link").rest_height() > 0


@pytest.mark.parametrize("mesh", ["body.obj", "lid.obj"])
@pytest.mark.parametrize(
    "content", [b"", b"\x89PNG\0\0", b"v 1e300 0 0\nv 0 1e300 0\nv 0 0 1e300\nv 0 0 0\nf 1 2 3\n"]
)
def test_a_damaged_mesh_shows_while_the_asset_is_loaded(
    tmp_path: Path, mesh: str, content: bytes
) -> None:
    """Not later, when a scene is half built with it."""
    folder = write_asset(tmp_path / "root" / "articulated_objs" / "box_rotate" / "1")
    (folder / mesh).write_bytes(content)
    library = AssetLibrary(tmp_path / "root")
    with pytest.raises(AssetError, match=f"{mesh}: no convex hull can be made"):
        library.load(library.find("box_rotate", "1"))


def test_merges_of_merges_do_not_fill_the_memory() -> None:
    """Ten levels of ten merges are ten thousand million entries in a kilobyte."""
    levels = "".join(
        f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 10)}]}}\n" for i in range(1, 11)
    )
    with pytest.raises(YamlError, match=r"line \d+: '<<' merges more than 1000 entries"):
        load_yaml(f"a0: &a0 {{x: 1, y: 2}}\n{levels}")


def test_huge_documents_and_names_are_refused_at_once() -> None:
    with pytest.raises(TaskError, match=r"my.yaml: 9000000 characters, more than 200000"):
        parse_task("x: y  #  " * 1_000_000, "my.yaml")
    with pytest.raises(TaskError, match=r"my.yaml: .*; and 990 more") as caught:
        parse_task("".join(f"x{i}: 1\n" for i in range(995)), "my.yaml")
    assert len(str(caught.value)) < 2000
    with pytest.raises(TaskError, match="unknown task 'OOOO") as caught:
        load_task("O" * 10_000_000)
    assert len(str(caught.value)) < 500
