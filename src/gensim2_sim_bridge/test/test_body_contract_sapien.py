"""The simulated robot keeps the body contract."""

from __future__ import annotations

from pathlib import Path

import sapien
from gensim2_control.body import Body
from gensim2_control.description import resolve_packages, robot_description
from gensim2_control.hardware import HOME_Q
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.testing.body_contract import BodyContract
from gensim2_control.testing.contract_rig import WORKSPACE, ContractRig
from gensim2_sim_bridge.hardware import SapienHardware
from gensim2_sim_bridge.world import World, WorldConfig

ROOT = Path(__file__).resolve().parents[3]


class SapienRig(ContractRig):
    """A body over a world."""

    def __init__(self) -> None:
        text = robot_description(ROOT / "launch" / "urdf" / "fr3.urdf")
        self.world = World(
            resolve_packages(text, {"gensim2": ROOT / "launch"}), WorldConfig(render=False)
        )
        self.kinematics = Fr3Kinematics.from_urdf(text)
        self.body = Body(
            SapienHardware(self.world), kinematics=self.kinematics, workspace=WORKSPACE
        )
        self.body.update()

    def advance(self) -> None:
        self.world.step()

    def place_object(self, finger_position: float) -> None:
        tcp = self.kinematics.fk(HOME_Q, "fr3_hand_tcp")
        self._place([finger_position] * 3, sapien.Pose(tcp))

    def hold_up(self) -> None:
        self._place([0.2, 0.2, 0.05], sapien.Pose([0.4, 0.0, 0.1]))

    def _place(self, half_size: list[float], pose: sapien.Pose) -> None:
        builder = self.world.scene.create_actor_builder()
        builder.add_box_collision(half_size=half_size)
        builder.set_initial_pose(pose)
        builder.build_static(name="obstacle")


class TestSapienContract(BodyContract):
    rig = SapienRig
