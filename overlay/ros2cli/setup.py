"""Installs ros2cli."""

from setuptools import find_packages, setup

PACKAGE = "ros2cli"

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
    description="The ros2 command and its verbs, a small stand-in for the upstream tools.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": ["ros2 = ros2cli.cli:main"],
        "ros2cli.command": [
            "action = ros2cli.commands.action:ActionCommand",
            "interface = ros2cli.commands.interface:InterfaceCommand",
            "lifecycle = ros2cli.commands.lifecycle:LifecycleCommand",
            "node = ros2cli.commands.node:NodeCommand",
            "param = ros2cli.commands.param:ParamCommand",
            "pkg = ros2cli.commands.pkg:PkgCommand",
            "run = ros2cli.commands.run:RunCommand",
            "service = ros2cli.commands.service:ServiceCommand",
            "topic = ros2cli.commands.topic:TopicCommand",
        ],
    },
)
