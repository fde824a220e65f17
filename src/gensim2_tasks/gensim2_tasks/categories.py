"""Categories of objects that a task may name, and the keypoints each of them has.

Those of the public GenSim2, which the importer reads; the generated ones are among them. A category
of one's own is added here.
"""

from __future__ import annotations

from collections.abc import Mapping

Rows = tuple[tuple[float, float, float], ...]

PREFIX = "articulated_object_"
# Category -> names of keypoints without the prefix. Not every asset has all of them.
_KEYPOINTS = """
bag_lift: head
bag_move: head
bag_swing: head
bottle_cap: head tail
box_move: head
box_rotate: head tail inside_base
bucket_lift: head above
bucket_move: head
bucket_swing: head
dishwasher: head tail
door: head
drawer: head inside
faucet: head tail bottom_base
kitchen_pot: head tail
laptop_move: head
laptop_rotate: head tail surface_base
microwave: head inside_base
oven: head
refrigerator: head inside_base
safe_move: head
safe_rotate: head inside_base
stapler_move: head
stapler_press: head
suitcase_move: head
suitcase_rotate: head tail
switch: head tail
toaster_move: head
toaster_press: head
toilet: head tail
washing_machine: head tail
window_push: head tail
window_rotate: head tail
apple: head
banana: head
bowl: head
cracker_box: head tail
cup: head
gold: head
golf_ball: head
knife: head tail
lemon: head
marker: head tail
mug: head tail
orange: head
pear: head
softball: head
spatula: head tail
wood_block: head
"""


def _table() -> dict[str, tuple[str, ...]]:
    rows = (line.split(":") for line in _KEYPOINTS.strip().splitlines())
    return {name: tuple(PREFIX + point for point in points.split()) for name, points in rows}


KEYPOINTS = _table()

# Category -> rotation (rows) of the root on the table, where an object does not rest as its root
# stands. The root of a suitcase stands with the handle up; the suitcase lies on its back, the lid
# up and its edge towards the robot.
_ON_ITS_BACK: Rows = ((0.0, 0.0, -1.0), (0.0, -1.0, 0.0), (-1.0, 0.0, 0.0))
RESTING: Mapping[str, Rows] = {"suitcase_move": _ON_ITS_BACK, "suitcase_rotate": _ON_ITS_BACK}

# Friction of the moving joint by the beginning of the category name, N m or N as the physics takes
# them; 0.1 for all others. GenSim2's values, but for the two with a remark.
JOINT_FRICTION: Mapping[str, float] = {
    "box": 0.25,
    "suitcase": 0.5,  # with GenSim2's 0.25 a lid that is a thick slab sinks by itself
    "laptop": 0.4,
    "faucet": 0.01,
    "bucket_swing": 0.05,
    "toaster_press": 100.0,  # GenSim2 has 1e8; below about 10 a lever of a few grams sinks
}
# Inertia added to the moving joint, kg m^2 or kg, where the usual one is not enough. A lever drives
# a carriage against a spring, of which its meshes know nothing; with less it sinks by a hundredth
# of its way in two seconds, whatever its friction.
JOINT_ARMATURE: Mapping[str, float] = {"toaster_press": 0.2}

# Angular damping of round things, 1/s: the engine knows no rolling resistance, without which a ball
# on a level table goes on for ever. Rolling fruit comes to rest within a second or so.
ROLLING = 5.0
ROUND = frozenset({"apple", "golf_ball", "lemon", "orange", "pear", "softball"})
