"""The real robot's hardware keeps the body contract, over libfranka's own protocol."""

from __future__ import annotations

from franky_rig import FrankyRig
from gensim2_control.testing.body_contract import BodyContract


class TestFrankyContract(BodyContract):
    rig = FrankyRig
