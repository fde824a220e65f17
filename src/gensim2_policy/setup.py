"""Installs gensim2_policy."""

from setuptools import find_packages, setup

PACKAGE = "gensim2_policy"

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
    description="PPT: the point-cloud policy, its training, evaluation and inference node.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "dagger = gensim2_policy.programs:dagger",
            "evaluate = gensim2_policy.programs:evaluate",
            "export = gensim2_policy.programs:export",
            "policy = gensim2_policy.programs:policy",
            "sim_eval = gensim2_policy.programs:sim_eval",
            "train = gensim2_policy.programs:train",
        ],
    },
)
