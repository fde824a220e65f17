"""Asset folders: what is read is true, what cannot be used is refused by name."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from asset_samples import INFO, REAL, SIX_TASKS, UNTIMED, Reference, urdf_text, write_asset
from gensim2_tasks.assets import ArticulatedAsset, AssetLibrary, AssetRef, load_asset
from gensim2_tasks.kinematic_tree import AssetError
from hypothesis import given, settings
from hypothesis import strategies as st

from gensim2_tasks import procedural

REF = AssetRef("partnet", "box_rotate", "sample")
GAP = 0.001


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("asset") / "sample"


def load(folder: Path, urdf: str | None = None, **info: object) -> ArticulatedAsset:
    return load_asset(REF, write_asset(folder, urdf=urdf, info=info))


# --- references -------------------------------------------------------------------------------

pieces = st.lists(
    st.sampled_from(["partnet", "procedural", ":", "/", "..", ".", "\\", "~", "a", "1", "\0", "\n"])
    | st.text(max_size=3),
    max_size=9,
).map("".join)


@settings(UNTIMED, max_examples=300)
@given(pieces | st.tuples(st.sampled_from(["partnet:", "procedural:"]), pieces).map("".join))
def test_a_reference_is_refused_or_stays_in_its_library(text):
    try:
        ref = AssetRef.parse(text)
    except AssetError as error:
        assert "expected 'procedural:CATEGORY/SEED' or 'partnet:CATEGORY/ID'" in str(error)
        return
    assert str(ref) == text and AssetRef.parse(str(ref)) == ref
    root = Path("/library")
    assert (root / ref.category / ref.key).resolve().relative_to(root).parts == (
        ref.category, ref.key
    )  # fmt: skip
    assert not (ref.category + ref.key).startswith(".") and ref.key.isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "", "box_rotate", "box_rotate/1", "partnet:", "partnet:/", "partnet:box_rotate", "web:a/b",
        "partnet:box_rotate/", "partnet:box_rotate/..", "partnet:../box_rotate", "partnet:./1",
        "partnet:box_rotate/.", "partnet:box_rotate/a/b", "partnet:a/../b", "partnet:/etc/passwd",
        "partnet:box_rotate/..\\x", "partnet:box_rotate/1\n", "partnet:box_rotate/" + "1" * 300,
        "procedural:box_rotate/²",
    ],
)  # fmt: skip
def test_what_is_no_reference_or_leads_elsewhere_is_refused(text, tmp_path):
    for place in ("articulated_objs", "articulated_objs/box_rotate", "box_rotate", "."):
        write_asset(tmp_path / "root" / place)
    library = AssetLibrary(tmp_path / "root", tmp_path / "cache")
    with pytest.raises(AssetError):
        AssetRef.parse(text)
    with pytest.raises(AssetError):
        library.find("box_rotate", text)
    source, _, rest = text.partition(":")
    category, _, key = rest.partition("/")
    with pytest.raises(AssetError):
        library.load(AssetRef(source, category, key))


# --- info.json --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("info", "message"),
    [
        ("", "file: Invalid JSON"),
        ('{"keypoints": {"head": [0, 0, 0]}', "file: Invalid JSON"),
        ("[]", "file: Input should be an object"),
        ("{}", "keypoints: Field required"),
        ("[" * 5000, "recursion limit"),
        ({"keypoints": {}}, "keypoints: .*at least 1 item"),
        ({"keypoints": {"head": [0, 0]}}, "keypoints.head.2: Field required"),
        ({"keypoints": {"head": [0, 0, math.nan]}}, "keypoints.head.2: .*finite"),
        ({"keypoints": {"head": [0, math.inf, 0]}}, "keypoints.head.1: .*finite"),
        ({"keypoints": {"head": [0, "up", 0]}}, "keypoints.head.1: .*valid number"),
        ({"scale": 0}, "scale: .*greater than 0"),
        ({"scale": -0.2}, "scale: .*greater than 0"),
        ({"scale": math.nan}, "scale: .*"),
        ({"scale": math.inf}, "scale: .*"),
        ({"scale": None}, "scale: .*valid number"),
        ({"axis": "w"}, "axis: .*pattern"),
        ({"density": math.inf}, "density: .*finite"),
        ({"joint_friction": math.nan}, "joint_friction: "),
        ({"joint_friction": -1}, "joint_friction: .*greater"),
        ({"joint_position_range": [0.0]}, "joint_position_range.1: Field required"),
        ({"joint_position_range": [0.2, 0.2]}, "no finite range"),
        ({"joint_position_range": [0.0, math.inf]}, "joint_position_range.1: .*finite"),
        ({"joint_position_range": [1.0, 2.0]}, "1, 2 is outside the limits -1.5, 0.5"),
        ({"joint_position_range": [-3.0, -1.5]}, "outside the limits"),
    ],
)
def test_a_broken_info_file_is_named_with_its_entry(folder, info, message):
    write_asset(folder, info=info)
    with pytest.raises(AssetError, match=f"info.json: .*{message}"):
        load_asset(REF, folder)


def test_info_that_cannot_be_read_is_named(tmp_path):
    folder = write_asset(tmp_path / "a")
    (folder / "info.json").write_bytes(b'{"keypoints": {"\xff": [0, 0, 0]}}')
    with pytest.raises(AssetError, match=r"info.json: .*"):
        load_asset(REF, folder)
    (folder / "info.json").unlink()
    with pytest.raises(AssetError, match=r"info.json: no such file; it must hold the keypoints"):
        load_asset(REF, folder)
    (folder / "info.json").mkdir()
    with pytest.raises(AssetError, match=r"info.json: cannot be read"):
        load_asset(REF, folder)


def test_a_joint_without_limits_needs_a_range(folder):
    text = urdf_text(kind="continuous")
    with pytest.raises(AssetError, match="no finite range; give joint_position_range"):
        load(folder, text, joint_position_range=None)
    asset = load(folder, text, joint_position_range=[3.0, 7.0])
    assert asset.joint_range == (3.0, 7.0) and asset.joint_position(0.5) == 5.0
    with pytest.raises(AssetError, match="no finite range"):
        load(folder, urdf_text(lower="0", upper="0"), joint_position_range=None)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@settings(UNTIMED, max_examples=150)
@given(st.dictionaries(st.sampled_from([*INFO, "axis", "density", "licence", "x"]), json_values))
def test_any_info_is_refused_by_name_or_gives_finite_geometry(folder, info):
    try:
        asset = load(folder, **info)
    except AssetError as error:
        assert str(folder / "info.json") in str(error)
        return
    for openness in (0.0, 0.4, 1.0):
        q = asset.joint_position(openness)
        assert math.isfinite(q) and 0.0 <= asset.openness(q) <= 1.0
    assert math.isfinite(asset.rest_height())


def test_remarks_of_annotators_are_ignored(folder):
    assert load(folder, remark=["looks odd"], licence="CC").info.licence == "CC"


def test_friction_follows_info_else_the_category(folder):
    assert load(folder).joint_friction == 0.25
    assert load(folder, joint_friction=0.0).joint_friction == 0.0
    write_asset(folder)
    usual = {"bucket_swing": 0.05, "bucket_lift": 0.1, "laptop_rotate": 0.4, "faucet": 0.01}
    usual |= {"suitcase_rotate": 0.5, "toaster_press": 100.0}
    for category, friction in usual.items():
        assert load_asset(AssetRef("partnet", category, "1"), folder).joint_friction == friction


# --- openness ---------------------------------------------------------------------------------

shares = st.floats(0.01, 0.99)
widths = st.floats(0.01, 3.0)


@settings(UNTIMED, max_examples=60)
@given(st.floats(-3.0, 3.0), widths, st.booleans(), shares, shares, st.floats(-10.0, 10.0))
def test_openness_and_joint_position_are_inverse(folder, start, width, reverse, one, two, q):
    closed, opened = (start + width, start) if reverse else (start, start + width)
    text = urdf_text(lower=start - 0.2, upper=start + width + 0.2)
    asset = load(folder, text, joint_position_range=[closed, opened])
    assert asset.joint_position(0.0) == pytest.approx(closed)
    assert asset.joint_position(1.0) == pytest.approx(opened)
    assert asset.openness(asset.joint_position(one)) == pytest.approx(one, abs=1e-9)
    step = asset.joint_position(two) - asset.joint_position(one)
    assert step * (opened - closed) * (two - one) >= 0.0, "monotone"
    assert 0.0 <= asset.openness(q) <= 1.0


@settings(UNTIMED, max_examples=60)
@given(st.floats(-3.0, 3.0), widths, shares, widths, widths, st.floats(-2.0, 3.0))
def test_a_joint_position_is_within_the_limits(folder, lower, width, share, below, above, openness):
    upper = lower + width
    ends = [lower + share * width - below, lower + share * width + above]
    asset = load(folder, urdf_text(lower=lower, upper=upper), joint_position_range=ends)
    assert asset.joint_range == pytest.approx(tuple(ends))
    assert lower - 1e-12 <= asset.joint_position(openness) <= upper + 1e-12


@pytest.mark.parametrize("turn", [-2 * np.pi, 2 * np.pi])
def test_a_range_a_whole_turn_off_means_the_same_pose(folder, turn):
    """Else openness would be constant, whatever the joint does."""
    plain = load(folder, joint_position_range=[-1.4, 0.4])
    shifted = load(folder, joint_position_range=[-1.4 + turn, 0.4 + turn])
    for openness in (0.0, 0.3, 1.0):
        q = shifted.joint_position(openness)
        assert q == pytest.approx(plain.joint_position(openness))
        assert shifted.openness(q) == pytest.approx(openness)
    with pytest.raises(AssetError, match="outside the limits"):
        load(
            folder,
            urdf_text(kind="prismatic", lower="0", upper="0.3"),
            joint_position_range=[turn, turn + 0.2],
        )


# --- geometry ---------------------------------------------------------------------------------

triple = st.tuples(*[st.floats(-0.5, 0.5)] * 3)


def text(values: tuple[float, ...]) -> str:
    return " ".join(f"{v:.6f}" for v in values)


joints = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["revolute", "continuous", "prismatic"]),
        "origin": triple.map(text),
        "rpy": triple.map(text),
        "offset": triple.map(text),
        "tilt": triple.map(text),
        "axis": triple.map(lambda v: v if np.linalg.norm(v) > 0.1 else (0, 0, 1)).map(text),
        "lower": st.just("-1000"),
        "upper": st.just("1000"),
    }
)
spans = st.tuples(st.floats(-6.0, 6.0), st.floats(0.3, 7.0)).map(lambda x: (x[0], x[0] + x[1]))


@settings(UNTIMED, max_examples=60)
@given(joints, spans, st.floats(0.05, 3.0), triple, st.floats(0.0, 1.0), st.booleans())
def test_geometry_agrees_with_another_calculation(folder, joint, span, scale, head, o, reverse):
    asset = load(
        folder,
        urdf_text(**joint),
        scale=scale,
        keypoints={"head": head, "drop_base": head},
        joint_position_range=span[::-1] if reverse else span,
    )
    reference = Reference(folder)
    q = asset.joint_position(o)
    expected = reference.keypoints(q)
    for name, p in asset.keypoints(q).items():
        assert p == pytest.approx(expected[name], abs=1e-6 * scale)
    assert asset.bounds(q)[0, 2] == pytest.approx(reference.lowest(np.array([q])), abs=1e-6 * scale)
    # The root stands such that the object just clears the table, wherever its part swings.
    lowest = reference.lowest(np.linspace(*sorted(asset.joint_range), 721)) + asset.rest_height()
    coarse = 3.0 * scale * ((span[1] - span[0]) / 720) ** 2
    assert GAP - 1e-6 <= lowest <= GAP + coarse + 1e-6


def test_a_lid_that_swings_through_its_lowest_point_stays_off_the_table(folder):
    """The lid hangs down a quarter of the way between two looks at 0, 0.5 and 1."""
    hinge = urdf_text(lower="-7", upper="7")
    asset = load(folder, hinge, scale=1.0, joint_position_range=[0.6, 5.0])
    looked = min(asset.bounds(asset.joint_position(o))[0, 2] for o in (0.0, 0.5, 1.0))
    truth = Reference(folder).lowest(np.linspace(0.6, 5.0, 3001))
    assert truth < looked - 0.01, "otherwise this sample shows nothing"
    assert asset.rest_height() == pytest.approx(GAP - truth, abs=1e-6)


@pytest.mark.parametrize("category", SIX_TASKS)
@pytest.mark.parametrize("source", ["procedural", "real"])
def test_whole_assets_agree_with_another_calculation(category, source, tmp_path):
    """Keypoints and rest height over the whole range of the joint."""
    if source == "procedural":
        folders = [tmp_path / seed for seed in ("0", "11")]
        for made in folders:
            procedural.generate(category, int(made.name), made)
    else:
        where = REAL / "articulated_objs" / category
        folders = sorted(p.parent for p in where.glob("*/mobility.urdf"))
        if not folders:
            pytest.skip(f"no real assets at {where} (GENSIM2_ASSETS); nothing to compare with")
    for path in folders:
        asset, reference = load_asset(REF, path), Reference(path)
        positions = [asset.joint_position(o) for o in np.linspace(0.0, 1.0, 41)]
        for q in positions:
            expected = reference.keypoints(q)
            for name, p in asset.keypoints(q).items():
                assert p == pytest.approx(expected[name], abs=1e-9), (path, name)
        lowest = reference.lowest(np.array(positions)) + asset.rest_height()
        assert GAP - 1e-6 <= lowest <= GAP + 1e-4, path
        # What moves is the head, by more than a centimetre; what is fixed to the root stays.
        ends = [asset.keypoints(q) for q in (positions[0], positions[-1])]
        for name in asset.info.keypoints:
            moved = float(np.linalg.norm(ends[1][name] - ends[0][name]))
            assert moved == 0.0 if "base" in name else moved > 0.01 or "tail" in name, (path, name)


def test_real_ranges_lie_on_their_joints():
    """No public asset has an openness that its joint cannot change."""
    urdfs = sorted((REAL / "articulated_objs").glob("*/*/mobility.urdf"))
    if not urdfs:
        pytest.skip(f"no real assets at {REAL} (GENSIM2_ASSETS)")
    for urdf in urdfs:
        ref = AssetRef("partnet", urdf.parent.parent.name, urdf.parent.name)
        asset = load_asset(ref, urdf.parent)
        low, high = (asset.openness(asset.joint_position(o)) for o in (0.0, 1.0))
        assert high - low > 0.2, ref
        if ref.category in SIX_TASKS:
            assert low < 0.01 and high > 0.99, ref


@pytest.mark.parametrize(
    "mesh", ["", "v 0 0 0\n", "garbage \0 \xff", "v nan 0 0\nv 0 1 0\nv 0 0 1\nf 1 2 3\n"]
)
def test_a_mesh_without_a_hull_is_named_and_can_be_mended(tmp_path, mesh):
    folder = write_asset(tmp_path / "broken")
    (folder / "lid.obj").write_text(mesh)
    with pytest.raises(AssetError, match=r"lid.obj: no convex hull.*must be"):
        load_asset(REF, folder)
    assert load_asset(REF, write_asset(folder)).rest_height() > 0


def test_an_info_file_of_another_locale_is_utf8(folder, monkeypatch):
    monkeypatch.setattr("locale.getpreferredencoding", lambda *_: "ascii")
    write_asset(folder, info=json.dumps({**INFO, "licence": "Ü"}, ensure_ascii=False))
    assert load_asset(REF, folder).info.licence == "Ü"
