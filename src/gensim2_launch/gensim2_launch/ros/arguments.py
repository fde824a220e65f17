"""Launch arguments: those that several files take, and the refusal of those nobody knows."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from launch.actions import DeclareLaunchArgument
from launch.conditions import IfCondition
from launch.substitutions import (
    AnySubstitution,
    EqualsSubstitution,
    LaunchConfiguration,
    PathJoinSubstitution,
)
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

from launch import Condition, LaunchContext, SomeSubstitutionsType


@dataclass(frozen=True)
class Argument:
    """One launch argument.

    Attributes:
        name: as in `name:=value`.
        default: what it is where nothing is said.
        description: what it means; shown by `--show-args`.
        kind: type of the parameter that it becomes.
        choices: the allowed values; empty: all.
    """

    name: str
    default: SomeSubstitutionsType
    description: str
    kind: type = str
    choices: tuple[str, ...] = ()

    def declare(self) -> DeclareLaunchArgument:
        """Returns the action that declares it."""
        return DeclareLaunchArgument(
            self.name,
            default_value=self.default,
            description=self.description,
            choices=list(self.choices) or None,
        )

    def configuration(self) -> LaunchConfiguration:
        """Returns its value as text."""
        return LaunchConfiguration(self.name)

    def parameter(self) -> ParameterValue:
        """Returns its value as a parameter of a node; never guessed to be of another type."""
        return ParameterValue(self.configuration(), value_type=self.kind)


def with_defaults(arguments: Iterable[Argument], **defaults: str) -> tuple[Argument, ...]:
    """Returns the arguments, some with other defaults."""
    return tuple(
        replace(argument, default=defaults.get(argument.name, argument.default))
        for argument in arguments
    )


BOOLEAN = ("true", "false")
TASK = Argument("task", "OpenBox", "Task of the catalogue")
CONTROLLER = Argument(
    "controller",
    "kpam",
    "Who performs it: kpam, policy, dagger (a policy begins, kpam takes over), teleop (a person), "
    "or the name of a node",
)
POLICY = Argument(
    "policy", "", "Folder of a trained policy: of a run, or of one of its checkpoints"
)
POLICY_DEVICE = Argument("policy_device", "cpu", "Where the policy runs", choices=("cpu", "cuda"))
LANGUAGE_WEIGHTS = Argument(
    "language_weights",
    "",
    "Folder of the CLIP model of a policy that has one; empty = where it was in the training",
)
PREFLIGHT = Argument(
    "preflight",
    "warn",
    "What follows where cloud or cameras are not as they were in the policy's training",
    choices=("off", "warn", "refuse"),
)
ASSET_ROOT = Argument(
    "asset_root",
    "",
    "Folder of imported assets (articulated_objs/<category>/<id>); empty = generated ones",
)
SOLVER_ROOT = Argument(
    "solver_root",
    "",
    "Folder of own kPAM solver files; they come before packaged ones of the same names",
)
OBS = Argument(
    "obs",
    "pointcloud",
    "What is observed and recorded beside the joints; rgbd = image and depth; all = cloud too",
    choices=("state", "pointcloud", "image", "rgbd", "all"),
)


def clouds_are_seen() -> Condition:
    """Whether `OBS` has the fused cloud in it."""
    each = (EqualsSubstitution(OBS.configuration(), obs) for obs in ("pointcloud", "all"))
    return IfCondition(AnySubstitution(*each))


NUM_POINTS = Argument("num_points", "4096", "Points of the fused cloud", int)
REAL_TIME_FACTOR = Argument(
    "real_time_factor", "0", "Simulated seconds per second; 0 = as fast as possible", float
)
JUDGE = Argument(
    "judge",
    "predicates",
    "Who says what a success is: the predicates of the task, or, for comparison only, the criteria "
    "of the public GenSim2",
    choices=("predicates", "gensim2"),
)
RANDOMISED = (
    Argument(
        "start",
        "task",
        "How far objects are open: task = as drawn, closed, open, or honest = closed where the "
        "task opens and open where it closes",
        choices=("task", "closed", "open", "honest"),
    ),
    Argument(
        "randomise",
        "task",
        "What differs beside where objects stand: a comma list of mass, friction, damping, lights, "
        "textures, cameras, depth; or all, none, or task: what the task file says",
    ),
    Argument(
        "clutter", "-1", "How many things stand about; -1 = as the task file says, mostly none", int
    ),
    Argument(
        "split",
        "all",
        "Which assets may be drawn: those for training, for testing, or all",
        choices=("all", "train", "test"),
    ),
)
"""How simulated scenes differ."""
USE_SIM_TIME = Argument(
    "use_sim_time", "false", "Whether time is that of a simulation", bool, choices=BOOLEAN
)
SIMULATED = replace(USE_SIM_TIME, default="true")
ROBOT = Argument(
    "robot",
    "auto",
    "Which robot: simulated, fake (this computer plays it), or real; auto = real where robot_ip "
    "is given, else fake",
    choices=("auto", "sim", "fake", "real"),
)
ROBOT_IP = Argument(
    "robot_ip", "", "Address of the robot's control interface; empty = fake hardware"
)
USE_FAKE_HARDWARE = Argument(
    "use_fake_hardware",
    "auto",
    "Fake robot and cameras, which speak the protocols of the real ones; auto = without robot_ip",
    choices=("auto", *BOOLEAN),
)
ALLOW_NON_RT = Argument(
    "allow_non_rt", "false", "Drive a real robot without a real-time kernel", bool, BOOLEAN
)
CONFIRM = Argument(
    "confirm",
    "auto",
    "Wait for robot/confirm before the first motion; auto = with a real robot",
    choices=("auto", *BOOLEAN),
)
CALIBRATION = Argument(
    "calibration",
    PathJoinSubstitution([FindPackageShare("gensim2"), "config", "cameras.yaml"]),
    "Calibration file of the cameras",
)
DRIVER_PARAMETERS = Argument(
    "driver_parameters",
    PathJoinSubstitution([FindPackageShare("gensim2"), "config", "franka_driver.yaml"]),
    "Parameter file of the Franka driver: limits, collision thresholds, load",
)
CAMERAS = ("wrist_camera", "left_camera", "right_camera")
SERIALS = tuple(
    Argument(f"{camera}_serial", "", f"Serial number of the {camera}; needed with real cameras")
    for camera in CAMERAS
)
LABELLED_SCENE = (
    Argument("scene_file", "", "File of the labels of the scene; empty = click on the keypoints"),
    Argument("asset", "", "Which object it is: asset reference, id or seed; empty = drawn by seed"),
    Argument("seed", "0", "Seed of what is drawn", int),
)
SHADOW = Argument(
    "shadow",
    "false",
    "Show robot, scene and plans in SAPIEN, and compare what the cameras see with it",
    bool,
    BOOLEAN,
)
PREVIEW_TIME = Argument(
    "preview_time",
    "0",
    "Seconds between a plan and its motion, in which an operator can look at it and cancel",
    float,
)
ARRANGE = Argument(
    "arrange",
    "auto",
    "Wait before every attempt for scene/ready: somebody puts the objects back in place; auto = "
    "when collecting with a real robot",
    choices=("auto", *BOOLEAN),
)
OBSERVATION_RATE = Argument(
    "observation_rate",
    "10",
    "Observations recorded per second; auto, where that is the default: 10, 5 with fake cameras",
    float,
)
MAX_LOST = Argument("max_lost", "0", "Observations that may be missing from an episode", int)
DRIVER = (ROBOT_IP, USE_FAKE_HARDWARE, ALLOW_NON_RT, CONFIRM, DRIVER_PARAMETERS)
SEEN = (OBS, NUM_POINTS, OBSERVATION_RATE, MAX_LOST)
ROBOT_AND_SCENE = (
    TASK,
    ROBOT,
    *DRIVER,
    *SERIALS,
    *LABELLED_SCENE,
    ARRANGE,
    CALIBRATION,
    REAL_TIME_FACTOR,
)
"""What the robot takes, whichever it is, beside ASSET_ROOT and OBS."""
BRINGUP = (
    *ROBOT_AND_SCENE,
    CONTROLLER,
    POLICY,
    POLICY_DEVICE,
    LANGUAGE_WEIGHTS,
    PREFLIGHT,
    ASSET_ROOT,
    SOLVER_ROOT,
    *with_defaults(SEEN, observation_rate="auto"),
    PREVIEW_TIME,
    SHADOW,
    USE_SIM_TIME,
)
"""What a whole graph takes that has not been given anything to do."""
VIEW = Argument(
    "view",
    "none",
    "Where to see what happens: nowhere, in RViz, or in a browser",
    choices=("none", "rviz", "web"),
)
VIEW_PORT = Argument("view_port", "8080", "Port of the view in a browser", int)


def is_launched(path: str) -> bool:
    """Tells whether a launch file was named on the command line, not included by another one."""
    return Path(path).name in {Path(word).name for word in sys.argv}


def refuse_unknown(context: LaunchContext, known: Iterable[str]) -> None:
    """Ends a launch with a misspelt argument; launch would ignore it and take the default.

    Raises:
        RuntimeError: an argument on the command line is not known, with the nearest that is.
    """
    names = list(known)
    for name in (word.partition(":=")[0] for word in context.argv):
        if name not in names:
            near = difflib.get_close_matches(name, names, 1, 0.4)
            hint = f"did you mean '{near[0]}'?" if near else f"known are: {', '.join(names)}"
            raise RuntimeError(f"unknown launch argument '{name}'; {hint}")
