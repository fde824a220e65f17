"""Installs gensim2_teleop."""

from setuptools import find_packages, setup

PACKAGE = "gensim2_teleop"

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
    description="A person as the one who acts: teleoperation, and an operator's keys.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "teleop = gensim2_teleop.programs:teleop",
            "keyboard = gensim2_teleop.programs:keyboard",
            "spacemouse = gensim2_teleop.programs:spacemouse",
        ],
    },
)
