"""Installs launch."""

from setuptools import find_packages, setup

PACKAGE = "launch"
# Upstream these are packages of their own; here they hold but a name each.
FRONTENDS = ("launch_xml", "launch_yaml")

setup(
    name=PACKAGE,
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    package_data={name: ["py.typed"] for name in (PACKAGE, *FRONTENDS)},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
    ],
    zip_safe=True,
    maintainer="GenSim2 for ROS 2 developers",
    maintainer_email="maintainers@gensim2.example.com",
    description="Describes and runs a set of processes: stand-in for the package of the same name.",
    license="Apache-2.0",
)
