"""Installs gensim2_perception."""

from setuptools import find_packages, setup

PACKAGE = "gensim2_perception"

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
    description="RealSense cameras, their calibration, and point-cloud fusion.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "calibrate = gensim2_perception.programs:calibrate",
            "cloud_overlay = gensim2_perception.programs:cloud_overlay",
            "pointcloud_fusion = gensim2_perception.programs:pointcloud_fusion",
            "realsense_camera = gensim2_perception.programs:realsense_camera",
        ]
    },
)
