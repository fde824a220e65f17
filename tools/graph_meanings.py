"""What the topics, services and actions of the graph are for, in one line each."""

_CAMERAS = ("wrist_camera", "left_camera", "right_camera")
_OF_CAMERAS = {
    "color/image_raw": "colour picture, rgb8",
    "color/camera_info": "its intrinsics",
    "aligned_depth_to_color/image_raw": "depth in mm (16UC1), pixel by pixel with the colour",
    "depth/color/points": "cloud of this camera alone; only made while somebody listens",
}

MEANINGS = {
    "clock": "simulated time; stands still while the robot has nothing to do",
    "calibrate/capture": "takes a view of the board, as the Enter key does",
    "clicked_point": "a keypoint that a person shows, in `base`; *Publish Point* of RViz",
    "cloud_overlay/points": "`points`, coloured by the distance to `shadow/points`: green, red",
    "client_heartbeat": "sent by whoever sends goals; if it falls silent the robot stops",
    "collect/transition_event": "state of the lifecycle",
    "diagnostics": "health of every node, once a second of wall time and on change",
    "episode_manager/episodes": "every attempt that has ended, the last 200",
    "episode_manager/markers": "keypoints of the scene, workspace, task and its predicates",
    "fr3_arm_controller/controller_state": "reference, measurement and error of the arm",
    "fr3_arm_controller/joint_trajectory": "streamed chunks of a trajectory; the newest counts",
    "fr3_gripper/controller_state": "the same for the fingers",
    "fr3_gripper/homing": "measures the largest width of the hand; after a change of the fingers",
    "franka_driver/franka_state": "mode, named errors, forces, TCP and hand of the real robot",
    "franka_driver/transition_event": "state of the lifecycle",
    "joint_states": "measured joints of arm and fingers, stamped by the measurement",
    "kpam_planner/key_poses": "`fr3_hand_tcp` before, at and after the actuation",
    "kpam_planner/markers": "the plan: keypoints, constraint axes, phases; or why there is none",
    "kpam_planner/path": "way of `fr3_hand_tcp` in the newest plan",
    "kpam_planner/trajectory": "joints of arm and fingers in the newest plan; empty without one",
    "points": "clouds of all cameras in `base`, cropped and sampled: x, y, z, rgb",
    "dagger/execute_task": "a policy begins a task, and an expert takes over",
    "policy/ack": "the policy has acted on an observation; a simulation waits for it",
    "policy/execute_task": "a trained policy performs a task",
    "policy/path": "way of `fr3_hand_tcp` in the newest chunk of the policy",
    "recorder/ack": "the recorder has stored an observation; a simulation waits for it",
    "robot_description": "URDF",
    "robot_status": "mode, faults, and whether motion is possible; on change and at 1 Hz",
    "scene/state": "objects, keypoints, openness and success predicates",
    "sim_bridge/transition_event": "state of the lifecycle",
    "shadow/image": "the shadow from outside: the robot live, or a plan before it moves",
    "shadow/mode": "which of both is shown: `live` or `plan`",
    "shadow/points": "what the cameras should see, at the stamps of `points`",
    "teleop/done": "an operator ends the demonstration",
    "teleop/execute_task": "a person performs a task",
    "teleop/gripper": "an operator moves the fingers: position of one finger joint, m",
    "teleop/twist": "an operator moves the TCP, in `base` or in its own frame",
    "tf": "frames of the moving links",
    "tf_static": "frames that do not move, the cameras among them",
    "robot/home": "moves to the home configuration; obstacles are not known to it",
    "robot/confirm": "an operator allows the first motion, where the parameter confirm asks for it",
    "robot/recover": "releases a stop or fault, once its cause is mended; nothing is resumed",
    "robot/stop": "controlled stop; latched until `robot/recover`",
    "scene/ready": "an operator has put the objects back where they are labelled",
    "scene/reset": "builds the scene of a task anew from a seed; a real one is what was labelled",
    "scene/success": "an operator says whether the task has succeeded",
    "collect": "collects demonstrations: reset, run, judge, record, repeat",
    "fr3_arm_controller/follow_joint_trajectory": "checked before motion; a cancel slows down",
    "fr3_gripper/gripper_action": "moves the fingers; stalled on an object is a grasp",
    "kpam_expert/execute_task": "performs a task by kPAM plans",
    "kpam_planner/plan": "plans a sub-task; never moves anything",
} | {f"{camera}/{topic}": meaning for camera in _CAMERAS for topic, meaning in _OF_CAMERAS.items()}
MEANINGS |= {
    f"shadow/{camera}/{topic}": f"the same as the shadow shows it: {meaning}"
    for camera in _CAMERAS
    for topic, meaning in _OF_CAMERAS.items()
}
