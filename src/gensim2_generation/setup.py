"""Installs gensim2_generation."""

from setuptools import find_packages, setup

PACKAGE = "gensim2_generation"

setup(
    name=PACKAGE,
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    package_data={PACKAGE: ["py.typed", "prompts/*.md", "prompts/*.yaml"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
    ],
    zip_safe=True,
    maintainer="GenSim2 for ROS 2 developers",
    maintainer_email="maintainers@gensim2.example.com",
    description="Makes new tasks and verifies them by execution.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "task_generator = gensim2_generation.programs:task_generator",
            "generate_tasks = gensim2_generation.programs:generate_tasks",
            "generate = gensim2_generation.programs:generate",
            "generation_report = gensim2_generation.report_cli:main",
            "library = gensim2_generation.library_cli:main",
        ],
    },
)
