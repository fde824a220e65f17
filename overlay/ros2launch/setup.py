"""Installs ros2launch."""

from setuptools import find_packages, setup

PACKAGE = "ros2launch"

setup(
    name=PACKAGE,
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    package_data={PACKAGE: ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
    ],
    zip_safe=True,
    maintainer="GenSim2 for ROS 2 developers",
    maintainer_email="maintainers@gensim2.example.com",
    description="The command ros2 launch: stand-in for the package of the same name.",
    license="Apache-2.0",
    entry_points={"ros2cli.command": ["launch = ros2launch.command.launch:LaunchCommand"]},
)
