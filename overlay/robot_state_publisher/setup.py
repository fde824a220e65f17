"""Installs robot_state_publisher."""

from setuptools import find_packages, setup

PACKAGE = "robot_state_publisher"

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
    description="Joint states and URDF to TF, a Python stand-in for the upstream node.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "robot_state_publisher = robot_state_publisher.robot_state_publisher_node:main"
        ]
    },
)
