"""Installs gensim2_control."""

from setuptools import find_packages, setup

PACKAGE = "gensim2_control"

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
    description="Robot hardware protocol, controllers, limits and the body interface.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": ["mock_robot = gensim2_control.programs:mock_robot"],
    },
)
