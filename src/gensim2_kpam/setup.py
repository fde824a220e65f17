"""Installs gensim2_kpam."""

from setuptools import find_packages, setup

PACKAGE = "gensim2_kpam"

setup(
    name=PACKAGE,
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    package_data={PACKAGE: ["py.typed", "solvers/*.yaml"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
    ],
    zip_safe=True,
    maintainer="GenSim2 for ROS 2 developers",
    maintainer_email="maintainers@gensim2.example.com",
    description="kPAM planner and expert: keypoint constraints to timed trajectories.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "kpam_planner = gensim2_kpam.programs:kpam_planner",
            "kpam_expert = gensim2_kpam.programs:kpam_expert",
            "labelled_scene = gensim2_kpam.programs:labelled_scene",
        ]
    },
)
