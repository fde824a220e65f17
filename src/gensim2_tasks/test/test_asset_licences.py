"""Licences of assets: what is said is recorded with its source, nothing is invented."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from asset_samples import INFO, REAL, write_asset
from gensim2_tasks.assets import AssetLibrary, AssetRef, load_asset
from gensim2_tasks.licences import SPDX, UNKNOWN, Licence

from gensim2_tasks import procedural

APACHE = "                         Apache License\n       Version 2.0, January 2004\n\n  terms"
REF = AssetRef("partnet", "box_rotate", "1")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_asset(tmp_path / "root" / "articulated_objs" / "box_rotate" / "1")
    return tmp_path / "root"


def found(root: Path) -> Licence:
    return AssetLibrary(root).load(REF).licence


def folder(root: Path) -> Path:
    return root / "articulated_objs" / "box_rotate" / "1"


def test_where_nothing_says_it_the_licence_is_unknown(root: Path) -> None:
    (root.parent / "LICENSE").write_text(APACHE)  # of somebody else: above the root
    licence = found(root)
    assert licence.identifier == UNKNOWN and not licence.known and licence.source == ""
    assert "terms of their own" in licence.note
    write_asset(folder(root), info={"licence": "Unknown"})
    assert found(root) == licence


@pytest.mark.parametrize("key", ["licence", "license"])
def test_info_json_says_it(root: Path, key: str) -> None:
    (root / "LICENSE").write_text(APACHE)
    write_asset(folder(root), info={key: "CC-BY-4.0"})
    assert found(root) == Licence("CC-BY-4.0", "articulated_objs/box_rotate/1/info.json")


def test_the_nearest_licence_file_says_it(root: Path) -> None:
    (root / "LICENSE").write_text(APACHE)
    assert found(root) == Licence("Apache-2.0", "LICENSE")
    (root / "articulated_objs" / "LICENCE.txt").write_text("MIT License\n\nCopyright")
    assert found(root) == Licence("MIT", "articulated_objs/LICENCE.txt")
    (folder(root) / "COPYING").write_text("x\nSPDX-License-Identifier: CC0-1.0\n")
    assert found(root) == Licence("CC0-1.0", "articulated_objs/box_rotate/1/COPYING")


def test_terms_of_ones_own_are_not_taken_for_a_known_licence(root: Path) -> None:
    (root / "LICENSE").write_text("For research only. Not the MIT License.")
    licence = found(root)
    assert licence.identifier == UNKNOWN and "read the terms in LICENSE" in licence.note
    write_asset(folder(root), info={"licence": "ours"})
    licence = found(root)
    assert licence.identifier == "ours" and not licence.known
    assert "not an SPDX identifier" in licence.note
    (root / "LICENSE").unlink()
    (root / "LICENSE").mkdir()
    write_asset(folder(root))
    assert "cannot be read" in found(root).note


def test_a_manifest_records_the_licence_and_where_it_is_from(root: Path) -> None:
    (root / "LICENSE").write_text(APACHE)
    described = AssetLibrary(root).describe(REF)
    assert described == {
        "ref": "partnet:box_rotate/1",
        "licence": "Apache-2.0",
        "licence_source": "LICENSE",
        "licence_note": "",
        "info": INFO,
    }
    json.dumps(described, allow_nan=False)


@pytest.mark.parametrize("category", procedural.categories())
def test_generated_assets_are_under_the_licence_of_this_project(
    category: str, tmp_path: Path
) -> None:
    library = AssetLibrary(None, tmp_path)
    ref = AssetRef("procedural", category, "1")
    assert library.load(ref).licence == Licence("Apache-2.0", "info.json")
    assert library.describe(ref)["licence"] == "Apache-2.0"


def test_real_assets_claim_no_licence_that_is_not_one() -> None:
    folders = sorted(p.parent for p in (REAL / "articulated_objs").glob("*/*/mobility.urdf"))
    if not folders:
        pytest.skip(f"no real assets at {REAL} (GENSIM2_ASSETS)")
    wrong = {}
    for path in folders:
        asset = load_asset(AssetRef("partnet", path.parent.name, path.name), path, REAL)
        if asset.licence.identifier not in SPDX | {UNKNOWN}:
            wrong[str(path)] = asset.licence
        assert asset.licence.known or asset.licence.note, path
    assert not wrong
