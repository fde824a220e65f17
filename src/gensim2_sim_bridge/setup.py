"""Installs gensim2_sim_bridge."""

from setuptools import find_packages, setup

PACKAGE = "gensim2_sim_bridge"

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
    description="SAPIEN simulation of the FR3, its scene and its cameras behind the body contract.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "shadow = gensim2_sim_bridge.programs:shadow",
            "sim_bridge = gensim2_sim_bridge.sim_bridge_node:main",
        ],
        "gensim2_tasks.studios": ["sapien = gensim2_sim_bridge.contact_sheet:Studio"],
    },
)
