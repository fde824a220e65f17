"""Installs gensim2_franka."""

from setuptools import find_packages, setup

PACKAGE = "gensim2_franka"

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
    description="The Franka Research 3 as a body: driver node, and a fake robot to speak to.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "franka_driver = gensim2_franka.programs:franka_driver",
            "fake_robot = gensim2_franka.programs:fake_robot",
        ],
    },
)
