"""Installs gensim2_view."""

from setuptools import find_packages, setup

PACKAGE = "gensim2_view"

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
    description="The graph in a browser: what it does, what it sees, and buttons.",
    license="Apache-2.0",
    entry_points={"console_scripts": ["web_view = gensim2_view.programs:web_view"]},
)
