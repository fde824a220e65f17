"""The URDF reader: accepts exactly trees with one moving joint, refuses all else by name."""

import random
import re
import signal
from pathlib import Path

import numpy as np
import pytest
from asset_samples import UNTIMED, Reference, urdf_text, write_asset
from gensim2_tasks.kinematic_tree import AssetError, KinematicTree, load_tree, with_range
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return write_asset(tmp_path_factory.mktemp("tree") / "asset")


@pytest.fixture(autouse=True)
def guard():
    """A reader that never ends becomes a failure."""

    def expired(*_: object) -> None:
        raise TimeoutError("the reader hangs")

    before = signal.signal(signal.SIGALRM, expired)
    signal.alarm(300)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def read(folder: Path, text: str | bytes, scale: float = 1.0) -> KinematicTree:
    path = folder / "mobility.urdf"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_tree(path, scale)


def check_refusal_or_tree(folder: Path, text: str | bytes) -> None:
    try:
        tree = read(folder, text)
    except AssetError as error:
        assert str(folder / "mobility.urdf") in str(error)
        return
    for q in (0.0, 0.3):
        poses = tree.link_poses(q)
        assert set(poses) == set(tree.links)
        for T in poses.values():
            assert np.isfinite(T).all()
            assert T[:3, :3] @ T[:3, :3].T == pytest.approx(np.eye(3), abs=1e-6)
    assert np.linalg.norm(tree.axis_in_root()[1]) == pytest.approx(1.0)


GOOD = urdf_text()
LID = '<mesh filename="lid.obj"/>'
JOINT_LID = '<parent link="body"/><child link="lid"/>'


def swapped(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not well-formed XML"),
        (GOOD[:300], "not well-formed XML"),
        (b"\xff\xfe\x00", "not well-formed XML"),
        (b'<?xml version="1.0" encoding="no-such-code"?><robot/>', "not well-formed XML.*encod"),
        (b'<?xml version="1.0" encoding="shift_jis"?><robot/>', "not well-formed XML.*encod"),
        ("<sdf/>", "do not form one tree"),
        (swapped(JOINT_LID, '<parent link="bodi"/><child link="lid"/>'), "unknown link 'bodi'"),
        (swapped(JOINT_LID, '<parent link="body"/><child link="LID"/>'), "unknown link 'LID'"),
        (swapped(JOINT_LID, '<parent link="body"/>'), "'joint_lid' lacks a parent or a child"),
        (swapped(JOINT_LID, '<parent link="lid"/><child link="lid"/>'), "do not form one tree"),
        (swapped(JOINT_LID, '<parent link="lid"/><child link="body"/>'), "do not form one tree"),
        (swapped("</robot>", '<link name="loose"/></robot>'), r"roots: \['base', 'loose'\]"),
        (swapped("</robot>", '<link name="lid"/></robot>'), "two links share a name"),
        (swapped("</robot>", "<link/></robot>"), "do not form one tree"),
        (urdf_text(kind="planar"), "'joint_lid' has unsupported type 'planar'"),
        (urdf_text(kind="fixed"), "exactly one moving joint, has 0"),
        (swapped('"fixed"', '"continuous"'), "exactly one moving joint, has 2"),
        (urdf_text(axis="0 0 0"), "'joint_lid' has a zero axis"),
        (urdf_text(axis="0 1e-5 0"), "zero axis"),
        (urdf_text(axis="0 1"), "expected 3 numbers, found '0 1'"),
        (urdf_text(axis="0 nan 0"), "expected 3 numbers, found '0 nan 0'"),
        (urdf_text(origin="0 0 zero"), "expected numbers, found '0 0 zero'"),
        (urdf_text(rpy="0 0 1e999"), "expected 3 numbers"),
        (urdf_text(lower="inf"), "expected 1 numbers, found 'inf'"),
        (urdf_text(lower="1", upper="0"), "'joint_lid' has limits 1 > 0"),
        (swapped("<limit", "<limits"), "'joint_lid' has no limit"),
        (GOOD.replace("collision>", "collusion>"), "no collision mesh"),
        (swapped(LID, "<box size='1 1 1'/>"), "of link 'lid' is not a mesh"),
        (swapped(LID, '<mesh filename="gone.obj"/>'), "mesh 'gone.obj' is missing"),
        (swapped(LID, "<mesh/>"), "mesh '' is missing"),
        (swapped(LID, f'<mesh filename="{"x" * 5000}"/>'), "is missing"),
        (swapped(LID, '<mesh filename="lid.obj" scale="1 1 2"/>'), "'lid.obj' has a scale"),
    ],
)
def test_a_broken_file_is_named_with_its_fault(folder, text, message):
    with pytest.raises(AssetError, match=f"(?s)mobility.urdf: .*{message}"):
        read(folder, text)


def test_a_missing_or_unreadable_file_is_named(tmp_path):
    with pytest.raises(AssetError, match=r"gone.urdf: no such file"):
        load_tree(tmp_path / "gone.urdf", 1.0)
    with pytest.raises(AssetError, match=f"{tmp_path}: cannot be read"):
        load_tree(tmp_path, 1.0)


@settings(UNTIMED, max_examples=200)
@given(start=st.integers(0, len(GOOD)), cut=st.integers(0, 40), new=st.binary(max_size=12))
def test_a_damaged_file_is_refused_or_still_a_tree(folder, start, cut, new):
    data = GOOD.encode()
    check_refusal_or_tree(folder, data[:start] + new + data[start + cut :])


odd_numbers = st.sampled_from(
    ["", "nan", "-inf", "1e308", "1e-320", "1 2 3", "0 0 1", "1_0 0 0", "--1", "٣ 0 0", "0x1 0 0"]
)


@settings(UNTIMED, max_examples=150)
@given(
    st.dictionaries(
        st.sampled_from(["origin", "rpy", "axis", "lower", "upper", "offset", "tilt"]),
        odd_numbers,
        min_size=1,
    )
)
def test_odd_numbers_are_refused_or_give_rigid_transforms(folder, values):
    check_refusal_or_tree(folder, urdf_text(**values))


@settings(UNTIMED, max_examples=200)
@given(data=st.data(), count=st.integers(1, 7))
def test_exactly_trees_with_one_moving_joint_are_accepted(folder, data, count):
    """Parents at random: cycles, loose links, several roots, links with two parents."""
    links = st.integers(0, count)
    tree = data.draw(st.booleans())
    pairs = [
        (data.draw(st.integers(0, i)), i + 1) if tree else (data.draw(links), data.draw(links))
        for i in range(count)
    ]
    pairs = data.draw(st.permutations(pairs))
    moving = data.draw(st.integers(0, count - 1))
    shape = '<collision><geometry><mesh filename="lid.obj"/></geometry></collision>'
    text = "".join(f'<link name="l{i}">{shape}</link>' for i in range(count + 1)) + "".join(
        f'<joint name="j{i}" type="{"continuous" if i == moving else "fixed"}">'
        f'<origin xyz="{b} 0.5 0" rpy="0.3 0 {a}"/><axis xyz="0 1 1"/>'
        f'<parent link="l{a}"/><child link="l{b}"/></joint>'
        for i, (a, b) in enumerate(pairs)
    )

    def reaches_the_root(link: int) -> bool:
        seen: set[int] = set()
        while link in (above := {b: a for a, b in pairs}) and link not in seen:
            seen.add(link)
            link = above[link]
        return link not in seen

    one_parent = len({b for _, b in pairs}) == count
    if one_parent and all(reaches_the_root(i) for i in range(count + 1)):
        found = read(folder, f"<robot>{text}</robot>")
        reference = Reference(folder)
        for q in (0.0, 0.7):
            for link, T in found.link_poses(q).items():
                assert pytest.approx(reference.pose(link, q), abs=1e-9) == T
    else:
        with pytest.raises(AssetError, match="do not form one tree"):
            read(folder, f"<robot>{text}</robot>")


def test_a_long_chain_in_any_order_is_read(folder):
    joints = [
        f'<joint name="j{i}" type="{"fixed" if i else "continuous"}"><origin xyz="0 0 1"/>'
        f'<parent link="l{i}"/><child link="l{i + 1}"/></joint>'
        for i in range(400)
    ]
    random.Random(0).shuffle(joints)
    links = "".join(f'<link name="l{i}"/>' for i in range(400))
    shape = '<collision><geometry><mesh filename="lid.obj"/></geometry></collision>'
    last = f'<link name="l400">{shape}</link>'
    tree = read(folder, f"<robot>{links}{last}{''.join(joints)}</robot>")
    assert tree.link_poses(np.pi)["l400"][:3, 3] == pytest.approx([0, 0, -398], abs=1e-9)


def test_scale_applies_to_lengths_only(folder):
    one, half = read(folder, GOOD, 1.0), read(folder, GOOD, 0.5)
    assert half.moving.limits == one.moving.limits == (-1.5, 0.5)
    T1, T2 = one.link_poses(0.3)["lid"], half.link_poses(0.3)["lid"]
    assert T2[:3, :3] == pytest.approx(T1[:3, :3]) and T2[:3, 3] == pytest.approx(T1[:3, 3] / 2)
    slide = read(folder, urdf_text(kind="prismatic", axis="0 0 3"), 0.5)
    assert slide.moving.limits == (-0.75, 0.25)
    shift = slide.link_poses(0.1)["lid"] - slide.link_poses(0.0)["lid"]
    assert shift[:3, 3] == pytest.approx([-0.1, 0, 0])


def test_the_axis_is_given_in_the_root_frame(folder):
    point, direction = read(folder, urdf_text(axis="0 0 2"), 0.5).axis_in_root()
    # Body (x, y, z) is (-z, -x, y) of the root.
    assert point == pytest.approx([0.05, 0, 0.05]) and direction == pytest.approx([-1, 0, 0])


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ((0.0, 0.12), (0.0, 0.3)),
        ((0.0, 0.05), (0.0, 0.06)),
        ((0.0, 0.5), (0.0, 0.06)),
        ((0.0, 0.06), (0.0, 0.06)),
    ],
    ids=["metres", "scaled", "neither", "the end"],
)
def test_a_slide_that_was_put_under_an_object_is_in_metres(wanted, expected, folder):
    """Scaled, a bag that has to go 12 cm could go 6."""
    slide = re.sub('type="revolute"', 'type="prismatic"', GOOD)
    tree = read(folder, re.sub("<limit [^>]*/>", '<limit lower="0" upper="0.3"/>', slide), 0.2)
    assert with_range(tree, 0.2, wanted).moving.limits == pytest.approx(expected)
    assert with_range(tree, 0.2, wanted).axis_in_root()[1] == pytest.approx(tree.axis_in_root()[1])
