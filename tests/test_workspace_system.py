"""`./ws` finds and installs what a machine lacks."""

import os
import string
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workspace.apt_sources import (
    AptSource,
    backports_source,
    has_suite,
    parse_deb822,
    parse_one_line,
    read_sources,
)
from workspace.ros_installation import WORKSPACE_VARIABLE, find_sourced
from workspace.stamps import Stamps
from workspace.steps import Runner, StepError
from workspace.system import (
    RENDERER,
    RENDERER_PACKAGES,
    Machine,
    Missing,
    can_render,
    install_script,
    parse_os_release,
    try_browser,
)

MIRROR = "http://mirror.example.org/debian"
LIST = f"""
# deb http://other.example.org/debian bookworm main
deb-src {MIRROR} bookworm main
deb cdrom:[Debian]/ bookworm main
deb [arch=amd64,arm64 signed-by=/usr/share/keyrings/debian.gpg] {MIRROR} bookworm main contrib # x
deb {MIRROR}-security bookworm-security main
"""
PARAGRAPHS = f"""
# comment
Types: deb deb-src
# a comment inside
URIs: {MIRROR}
Suites: bookworm bookworm-updates
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 key
 -----END PGP PUBLIC KEY BLOCK-----

Types: deb
URIs: http://disabled.example.org/debian
Suites: bookworm
Components: main
Enabled: no
"""


def test_backports_come_from_the_mirror_of_a_one_line_source() -> None:
    """Address, architectures and key are those of the machine's own source."""
    text = backports_source(parse_one_line(LIST), "bookworm")
    assert text == (
        f"Types: deb\nURIs: {MIRROR}\nSuites: bookworm-backports\nComponents: main\n"
        "Architectures: amd64 arm64\nSigned-By: /usr/share/keyrings/debian.gpg\n"
    )


def test_backports_keep_an_embedded_key() -> None:
    """A key that is written into the source goes along, line for line."""
    text = backports_source(parse_deb822(PARAGRAPHS), "bookworm")
    assert text is not None
    assert f"URIs: {MIRROR}\n" in text
    assert "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n key\n -----END" in text


def test_only_sources_of_the_release_itself_count() -> None:
    """A third-party or security source says nothing about where backports are."""
    foreign = parse_one_line(
        "deb http://x.example.org/repo stable main\n"
        "deb http://x.example.org/security bookworm-security main\n"
        "deb http://x.example.org/flat ./\n"
        "deb http://x.example.org/docker bookworm stable\n"
    )
    assert len(foreign) == 4
    assert backports_source(foreign, "bookworm") is None


def test_apt_folder_is_read_as_apt_reads_it(tmp_path: Path) -> None:
    """Files of other names, such as disabled ones, are not sources."""
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    (tmp_path / "sources.list").write_text(f"deb {MIRROR} bookworm main\n")
    (parts / "a.sources").write_text(PARAGRAPHS)
    (parts / "b.list").write_text(f"deb {MIRROR} bookworm-backports main\n")
    (parts / "c.list.disabled").write_text("deb http://c.example.org/debian trixie main\n")
    sources = read_sources(tmp_path)
    assert [source.suites[0] for source in sources] == [
        "bookworm",
        "bookworm",
        "bookworm-backports",
    ]
    assert has_suite(sources, "bookworm-backports")
    assert not has_suite(sources, "trixie")
    assert read_sources(tmp_path / "missing") == []


_words = st.text(string.ascii_letters + string.digits + "-_./", min_size=1, max_size=12)
_sources = st.builds(
    AptSource,
    uris=st.tuples(_words.map("http://{}".format)),
    suites=st.tuples(_words.map(str.strip)),
    components=st.lists(_words, max_size=3).map(tuple),
    options=st.dictionaries(
        st.sampled_from(["Signed-By", "Architectures", "Trusted", "Check-Valid-Until"]),
        _words,
        max_size=3,
    ),
)


@given(_sources)
def test_both_formats_say_the_same(source: AptSource) -> None:
    """A source reads the same, whichever format it is written in."""
    options = " ".join(f"{name.lower()}={value}" for name, value in source.options.items())
    options = options.replace("architectures=", "arch=")
    line = f"deb {f'[{options}] ' if options else ''}{source.uris[0]} {source.suites[0]} "
    assert parse_one_line(line + " ".join(source.components)) == [source]
    paragraph = f"Types: deb\nURIs: {source.uris[0]}\nSuites: {source.suites[0]}\n"
    paragraph += f"Components: {' '.join(source.components)}\n"
    paragraph += "".join(f"{name}: {value}\n" for name, value in source.options.items())
    assert parse_deb822(paragraph) == [source]


@given(st.text(max_size=200), _sources)
def test_nothing_in_a_sources_file_stops_the_reader(text: str, source: AptSource) -> None:
    """Whatever stands in the files, reading ends; what is derived can be read again."""
    parse_one_line(text)
    parse_deb822(text)
    release = AptSource(source.uris, ("bookworm",), ("main",), source.options)
    derived = backports_source([release], "bookworm")
    assert derived is not None
    expected = AptSource(source.uris, ("bookworm-backports",), ("main",), source.options)
    assert parse_deb822(derived) == [expected]


def _fake_apt(folder: Path, *, update_fails: bool = False) -> dict[str, str]:
    """Puts an apt-get on the search path that writes down how it is called."""
    program = folder / "bin" / "apt-get"
    program.parent.mkdir(parents=True)
    program.write_text(
        f'#!/bin/sh\necho "$DEBIAN_FRONTEND $*" >> {folder}/calls\n'
        f'[ "$1" != update ] || exit {100 if update_fails else 0}\n'
    )
    program.chmod(0o755)
    return {"PATH": f"{program.parent}:{os.environ['PATH']}"}


@pytest.mark.parametrize("update_fails", [False, True])
def test_install_script_takes_mesa_from_backports(tmp_path: Path, update_fails: bool) -> None:
    """On Debian 12 the source is added and only Mesa comes from it.

    One broken source among the machine's own (apt-get update fails) does not stop it.
    """
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text(LIST)
    machine = Machine("bookworm", has_apt=True, apt_folder=tmp_path)
    missing = [Missing("c++", ("g++",)), Missing(RENDERER, RENDERER_PACKAGES)]
    script = install_script(missing, machine)
    subprocess.run(
        ["sh", "-c", script], env=_fake_apt(tmp_path, update_fails=update_fails), check=True
    )
    added = parse_deb822((tmp_path / "sources.list.d" / "gensim2-backports.sources").read_text())
    assert [source.suites for source in added] == [("bookworm-backports",)]
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls[0] == "noninteractive update"
    assert calls[1].endswith(" g++") and "backports" not in calls[1]
    assert calls[2].endswith("-t bookworm-backports mesa-vulkan-drivers libvulkan1")
    assert len(calls) == 3


def test_a_failing_installation_stops_the_script(tmp_path: Path) -> None:
    """What comes after a package that cannot be had is not tried as if it were there."""
    environment = _fake_apt(tmp_path)
    (tmp_path / "bin" / "apt-get").write_text("#!/bin/sh\n[ $1 = update ] && exit 0\nexit 100\n")
    script = install_script([Missing("c++", ("g++",))], Machine("bookworm", True, tmp_path))
    assert subprocess.run(["sh", "-c", script], env=environment).returncode == 100


def test_newer_releases_need_no_backports(tmp_path: Path) -> None:
    """Elsewhere the release's own Mesa is new enough."""
    script = install_script(
        [Missing(RENDERER, RENDERER_PACKAGES)], Machine("noble", True, tmp_path)
    )
    assert "backports" not in script
    assert "sources.list" not in script


def test_present_backports_are_used_as_they_are(tmp_path: Path) -> None:
    """A machine that has the source gets no second one."""
    (tmp_path / "sources.list").write_text(f"deb {MIRROR} bookworm-backports main\n")
    machine = Machine("bookworm", True, tmp_path)
    script = install_script([Missing(RENDERER, RENDERER_PACKAGES)], machine)
    assert "-t bookworm-backports" in script
    assert "sources.list.d" not in script


def test_what_apt_cannot_install_is_named(tmp_path: Path) -> None:
    """Without apt, without a mirror, or with a home-made Python the user is told what to do."""
    with pytest.raises(StepError, match="cmake") as no_apt:
        install_script([Missing("cmake", ("cmake",))], Machine("", has_apt=False))
    assert "package manager" in no_apt.value.mend
    with pytest.raises(StepError, match="no source of bookworm main"):
        install_script([Missing(RENDERER, RENDERER_PACKAGES)], Machine("bookworm", True, tmp_path))
    with pytest.raises(StepError, match="headers") as no_package:
        install_script([Missing("headers of python3.11", ())], Machine("bookworm", True, tmp_path))
    assert "GENSIM2_PYTHON" in no_package.value.mend


def test_a_browser_that_cannot_be_had_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The tests that need one are skipped; nobody is kept from the others, nor asked twice."""
    (tmp_path / "bin").mkdir()
    apt = tmp_path / "bin" / "apt-get"
    apt.write_text(f"#!/bin/sh\necho $1 >> {tmp_path}/calls\n[ $1 = update ]\n")
    apt.chmod(0o755)
    (tmp_path / "bin" / "sh").symlink_to("/bin/sh")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(Machine, "this", lambda: Machine("bookworm", True, tmp_path))
    runner = Runner(tmp_path / "logs", Stamps(tmp_path / "stamps"), sys.stdout)
    for _ in range(2):
        try_browser(runner)
    assert (tmp_path / "calls").read_text().split() == ["update", "install"]
    assert "a browser for the tests: chromium ... failed" in capsys.readouterr().out
    (tmp_path / "bin" / "chromium").symlink_to("/bin/sh")
    try_browser(Runner(tmp_path / "logs", Stamps(tmp_path / "others"), sys.stdout))
    assert len((tmp_path / "calls").read_text().split()) == 2


def _device(*, cpu: bool, api: list[int], driver: str) -> dict[str, object]:
    return {"name": "x", "cpu": cpu, "api": api, "driver": driver}


def test_renderers() -> None:
    """Lavapipe is old or new enough by the version of Mesa, a GPU by that of Vulkan."""
    old = _device(cpu=True, api=[1, 3], driver="Mesa 22.3.6 (LLVM 15.0.6)")
    new = _device(cpu=True, api=[1, 3], driver="Mesa 23.1.0 (LLVM 15.0.6)")
    ancient = _device(cpu=False, api=[1, 1], driver="390.157")
    gpu = _device(cpu=False, api=[1, 3], driver="550.54.14")
    assert not can_render([])
    assert not can_render([old])
    assert not can_render([ancient])
    assert can_render([new])
    assert can_render([gpu])
    assert can_render([old, gpu])
    assert can_render([_device(cpu=True, api=[1, 4], driver="Mesa 100.0.1-devel")])


def test_os_release() -> None:
    """Quoted and plain values are read."""
    release = parse_os_release('# x\nNAME="A B"\nVERSION_CODENAME=bookworm\n\nEMPTY=\n')
    assert release == {"NAME": "A B", "VERSION_CODENAME": "bookworm", "EMPTY": ""}


def _ros_prefix(folder: Path) -> str:
    index = folder / "share" / "ament_index" / "resource_index" / "packages"
    index.mkdir(parents=True)
    (index / "ros2cli").write_text("")
    return str(folder)


def test_a_sourced_ros_installation_is_found(tmp_path: Path) -> None:
    """It is one if it brings the ros2 command, and is not a workspace of this kind."""
    ros = _ros_prefix(tmp_path / "opt" / "jazzy")
    own = _ros_prefix(tmp_path / "clone" / "install" / "ros2cli")
    found = find_sourced({"AMENT_PREFIX_PATH": f"{own}x:{ros}", "ROS_DISTRO": "jazzy"})
    assert found is not None
    assert found.prefix == Path(ros)
    inside = {
        "AMENT_PREFIX_PATH": own,
        "ROS_DISTRO": "jazzy",
        WORKSPACE_VARIABLE: str(tmp_path / "clone"),
    }
    assert find_sourced(inside) is None
    assert find_sourced({}) is None
    with pytest.raises(StepError, match="humble is sourced from"):
        find_sourced({"AMENT_PREFIX_PATH": ros, "ROS_DISTRO": "humble"})


WS = Path(__file__).resolve().parents[1] / "ws"


def _clone(folder: Path) -> Path:
    """Copies `ws` to a place where what it hands over to only tells who runs it."""
    (folder / "tools").mkdir(parents=True)
    (folder / "ws").write_bytes(WS.read_bytes())
    (folder / "ws").chmod(0o755)
    (folder / "tools" / "ws.py").write_text(
        "import os, sys\nprint(os.environ.get('CHOSEN'), *sys.argv[1:])\n"
    )
    return folder / "ws"


def _python(folder: Path, name: str, *, suitable: bool) -> None:
    folder.mkdir(exist_ok=True)
    body = f'CHOSEN={name} exec {sys.executable} "$@"' if suitable else "exit 1"
    (folder / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / name).chmod(0o755)


def _call(ws: Path, programs: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    for tool in ("bash", "dirname", "readlink", "env"):
        link = programs / tool
        if not link.exists():
            link.symlink_to(Path("/usr/bin") / tool)
    return subprocess.run(
        [ws, "a b", "--c"],
        env={"PATH": str(programs), "HOME": str(programs), **environment},
        capture_output=True,
        text=True,
    )


def test_the_first_suitable_python_is_taken(tmp_path: Path) -> None:
    """Versions that are too old or shims of versions that are not there are passed over."""
    ws, programs = _clone(tmp_path / "clone"), tmp_path / "bin"
    _python(programs, "python3", suitable=False)
    _python(programs, "python3.11", suitable=True)
    _python(programs, "named", suitable=True)
    assert _call(ws, programs).stdout == "python3.11 a b --c\n"
    named = _call(ws, programs, GENSIM2_PYTHON=str(programs / "named"))
    assert named.stdout == "named a b --c\n"


def test_pyenv_versions_are_found(tmp_path: Path) -> None:
    """A Python that pyenv has but has not selected serves as well."""
    ws, programs = _clone(tmp_path / "clone"), tmp_path / "bin"
    programs.mkdir()
    version = tmp_path / "bin" / ".pyenv" / "versions" / "3.12.1" / "bin"
    version.mkdir(parents=True)
    _python(version, "python3", suitable=True)
    assert _call(ws, programs).stdout == "python3 a b --c\n"


def test_no_python_is_an_error_that_helps(tmp_path: Path) -> None:
    """It names what was tried and what to type."""
    ws, programs = _clone(tmp_path / "clone"), tmp_path / "bin"
    _python(programs, "python3", suitable=False)
    result = _call(ws, programs)
    assert result.returncode == 1
    assert "python3-venv" in result.stderr
    result = _call(ws, programs, GENSIM2_PYTHON="/nowhere/python")
    assert result.returncode == 1
    assert "/nowhere/python" in result.stderr
