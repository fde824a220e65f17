"""Installs gensim2_episodes."""

from setuptools import find_packages, setup

PACKAGE = "gensim2_episodes"

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
    description="Episode manager, recorder and the crash-safe episode store.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "bench_success = gensim2_episodes.bench_success:run",
            "collect = gensim2_episodes.programs:collect",
            "dataset = gensim2_episodes.dataset_cli:main",
            "deploy = gensim2_episodes.programs:deploy",
            "episode_manager = gensim2_episodes.programs:episode_manager",
        ]
    },
)
