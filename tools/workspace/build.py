"""Builds the ROS packages that are missing or stale, with colcon."""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from workspace.environment import sourced
from workspace.layout import Workspace
from workspace.packages import Package, find_packages, package_digests
from workspace.stamps import Stamps, digest
from workspace.steps import Runner, Step, StepError, StepLog
from workspace.venv import read_config

_STAMP = "package-"
# So many packages are named on the screen, more are counted.
_NAMED = 6


def ensure(
    workspace: Workspace, runner: Runner, environ: Mapping[str, str], *, ros_installed: bool
) -> str:
    """Builds what is due.

    Args:
        workspace: What to build.
        runner: Reports.
        environ: The caller's environment, with ROS 2 sourced if it is installed.
        ros_installed: Whether ROS 2 is sourced: the overlay is left out then.

    Returns:
        Digest of everything that is built, to notice when the environment has changed.

    Raises:
        StepError: If a package cannot be built; those that could are not built again.
    """
    packages = find_packages(workspace.sources(with_overlay=not ros_installed))
    digests = package_digests(packages, _common(workspace, ros_installed))
    known = [stamp.removeprefix(_STAMP) for stamp in runner.stamps.names(_STAMP + "*")]
    _clear(workspace, runner.stamps, [name for name in known if name not in digests])
    stale = [package for package in packages if is_stale(package, digests, workspace, runner)]
    if stale:
        job = _Job(workspace, runner.stamps, stale, digests, environ, not ros_installed)
        names = [package.name for package in stale]
        what = " ".join(names) if len(names) <= _NAMED else f"{len(names)} packages"
        runner.run(Step("build", f"building {what}", job.run, mend="read the log"))
    return digest(sorted(digests.values()))


def is_stale(
    package: Package, digests: Mapping[str, str], workspace: Workspace, runner: Runner
) -> bool:
    """Tells whether a package was never built, was removed since, or has changed."""
    built = all((top / package.name).is_dir() for top in (workspace.build, workspace.install))
    return not built or not runner.stamps.is_current(_STAMP + package.name, digests[package.name])


def _common(workspace: Workspace, ros_installed: bool) -> str:
    settings = workspace.root / "colcon.meta"
    return digest(
        [
            str(workspace.root),
            read_config(workspace.venv).get("version", ""),
            str(ros_installed),
            settings.read_bytes() if settings.is_file() else b"",
        ]
    )


def _clear(workspace: Workspace, stamps: Stamps, names: Iterable[str]) -> None:
    """Removes what was built of packages, so that nothing of an older state is found and used."""
    for name in names:
        stamps.clear(_STAMP + name)
        shutil.rmtree(workspace.build / name, ignore_errors=True)
        shutil.rmtree(workspace.install / name, ignore_errors=True)


@dataclass(frozen=True)
class _Job:
    """What to build, and how."""

    workspace: Workspace
    stamps: Stamps
    packages: Sequence[Package]
    digests: Mapping[str, str]
    environ: Mapping[str, str]
    with_overlay: bool

    def run(self, log: StepLog) -> None:
        """Builds the packages afresh and marks those that were built."""
        top = self.workspace.root
        setup = [self.workspace.venv / "local_setup.sh"]
        _clear(self.workspace, self.stamps, [package.name for package in self.packages])
        command = colcon_command(self.workspace, self.packages, with_overlay=self.with_overlay)
        try:
            log.run(command, environment=sourced(setup, self.environ), folder=top)
        except StepError as error:
            failed = [package.name for package in self.packages if not self._is_built(package)]
            raise StepError(
                f"{error}; not built: {' '.join(failed)}",
                mend=f"correct what {top}/log/colcon/latest_build/PACKAGE/stdout_stderr.log"
                " names (packages that others need first); the rest is not built again",
            ) from error
        finally:
            for package in filter(self._is_built, self.packages):
                self.stamps.put(_STAMP + package.name, self.digests[package.name])

    def _is_built(self, package: Package) -> bool:
        """Reads the return code colcon leaves behind."""
        code = self.workspace.build / package.name / "colcon_build.rc"
        return code.is_file() and code.read_text().strip() == "0"


def colcon_command(
    workspace: Workspace, packages: Sequence[Package], *, with_overlay: bool
) -> list[str | Path]:
    """Gives the command line that builds the packages; colcon.meta holds the other settings."""
    return [
        workspace.venv / "bin" / "colcon",
        "--log-base",
        workspace.root / "log" / "colcon",
        "build",
        "--symlink-install",
        "--base-paths",
        *workspace.sources(with_overlay=with_overlay),
        "--build-base",
        workspace.build,
        "--install-base",
        workspace.install,
        "--metas",
        workspace.root / "colcon.meta",
        "--continue-on-error",
        "--packages-select",
        *(package.name for package in packages),
        # The only argument that is not in colcon.meta, because it is a path.
        "--cmake-args",
        f"-DPython3_EXECUTABLE={workspace.python}",
    ]
