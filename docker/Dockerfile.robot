# syntax=docker/dockerfile:1
# Beside the real robot: the same graph, and the wheels of the robot and its cameras; no torch.
# Build and use it as docker/README.md says.
ARG ROS_IMAGE=ros:jazzy-ros-base-noble
FROM ${ROS_IMAGE}

SHELL ["/bin/bash", "-o", "pipefail", "-c"]

# What ./ws needs of the system (docs/dependencies.md), and the ROS packages that src/*/package.xml
# names. Versions are those of the base image's day: Ubuntu and ROS keep no older ones to pin.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        cmake \
        g++ \
        libegl1 \
        libgl1 \
        libglib2.0-0 \
        libgomp1 \
        libsm6 \
        libudev1 \
        libusb-1.0-0 \
        libvulkan1 \
        libx11-6 \
        libxext6 \
        make \
        mesa-vulkan-drivers \
        python3.12-dev \
        python3.12-venv \
        ros-jazzy-action-msgs \
        ros-jazzy-ament-cmake \
        ros-jazzy-ament-index-python \
        ros-jazzy-builtin-interfaces \
        ros-jazzy-control-msgs \
        ros-jazzy-diagnostic-msgs \
        ros-jazzy-geometry-msgs \
        ros-jazzy-launch \
        ros-jazzy-launch-ros \
        ros-jazzy-lifecycle-msgs \
        ros-jazzy-nav-msgs \
        ros-jazzy-rcl-interfaces \
        ros-jazzy-rclpy \
        ros-jazzy-robot-state-publisher \
        ros-jazzy-ros2launch \
        ros-jazzy-ros2run \
        ros-jazzy-ros2service \
        ros-jazzy-ros2topic \
        ros-jazzy-rosgraph-msgs \
        ros-jazzy-rosidl-default-generators \
        ros-jazzy-rosidl-default-runtime \
        ros-jazzy-sensor-msgs \
        ros-jazzy-sensor-msgs-py \
        ros-jazzy-std-msgs \
        ros-jazzy-std-srvs \
        ros-jazzy-tf2-msgs \
        ros-jazzy-trajectory-msgs \
        ros-jazzy-visualization-msgs \
    && rm -rf /var/lib/apt/lists/*

# The image of Ubuntu 24.04 has given 1000, the usual id of the person at the desk, to `ubuntu`.
ARG UID=1000
ARG GID=1000
RUN if id ubuntu >/dev/null 2>&1; then userdel --remove ubuntu; fi \
    && groupadd --gid "${GID}" gensim2 \
    && useradd --no-log-init --create-home --uid "${UID}" --gid "${GID}" gensim2 \
    && install -d -o gensim2 -g gensim2 /opt/gensim2 /data

USER ${UID}:${GID}
WORKDIR /opt/gensim2
COPY --chown=gensim2:gensim2 LICENSE NOTICE README.md colcon.meta pyproject.toml ws ./
COPY --chown=gensim2:gensim2 requirements requirements
COPY --chown=gensim2:gensim2 tools tools
COPY --chown=gensim2:gensim2 launch launch
COPY --chown=gensim2:gensim2 src src
COPY --chown=gensim2:gensim2 docker/healthcheck.py docker/healthcheck.py
# The group `real` brings libfranka and librealsense; `policy`, which brings torch, is left out.
RUN . "/opt/ros/${ROS_DISTRO}/setup.bash" \
    && PIP_NO_CACHE_DIR=1 ./ws --with real build

# The entry point of the base image sources ROS 2, without which ./ws would fetch it as wheels.
ENTRYPOINT ["/ros_entrypoint.sh"]
CMD ["./ws", "ros2", "launch", "gensim2", "core.launch.py", "use_sim_time:=false"]
