"""Installs gensim2_tasks."""

from setuptools import find_packages, setup

PACKAGE = "gensim2_tasks"

setup(
    name=PACKAGE,
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    package_data={PACKAGE: ["py.typed", "catalogue_data/tasks/*.yaml"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
    ],
    zip_safe=True,
    maintainer="GenSim2 for ROS 2 developers",
    maintainer_email="maintainers@gensim2.example.com",
    description="Task catalogue, typed specifications, assets and success predicates.",
    license="Apache-2.0",
    entry_points={"console_scripts": ["catalogue = gensim2_tasks.catalogue_cli:run"]},
)
