"""Good answers for every stage, and a model that gives them."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from gensim2_generation.asking import Answer, Ask

HEAD, TAIL = "articulated_object_head", "articulated_object_tail"


def place(name: str, **changed: Any) -> dict[str, Any]:
    return {
        "object": name,
        "anchor": HEAD,
        "x": 0.56,
        "y": 0.0,
        "yaw": 0.0,
        "spread": 0.05,
        "yaw_spread": 0.3,
        "openness": 0.1,
        "openness_spread": 0.1,
    } | changed


POINT = {
    "type": "point2point_constraint",
    "keypoint_name": "tool_head",
    "target_keypoint_name": HEAD,
    "tolerance": 0.0001,
}


def axis(tip: str, target: list[float], product: float) -> dict[str, Any]:
    return {
        "type": "frame_axis_parallel",
        "axis_from_keypoint_name": "tool_head",
        "axis_to_keypoint_name": tip,
        "target_axis": target,
        "target_axis_frame": "object",
        "target_inner_product": product,
        "tolerance": 0.01,
    }


OWN = {
    "kind": "own",
    "idea": "hook",
    "gripper": "closed",
    "constraint_list": [
        POINT,
        axis("tool_side", [1.0, 0.0, 0.0], 1.0),
        axis("tool_tail", [0.0, 0.0, 1.0], 0.0),
    ],
}
PRE = [{"kind": "translate_x", "value": 0.075}, {"kind": "translate_z", "value": -0.1}]
HALF = [{"kind": "follow_joint", "value": 0.5}]


def settled(*names: str) -> list[dict[str, Any]]:
    return [{"kind": "settled", "object": n, "value": 0.05} for n in names]


Answers = Mapping[str, Any]
PRIMITIVE: Answers = {
    "propose": {
        "idea": "a level in between",
        "name": "OpenDrawerHalfway",
        "instruction": "Open the drawer halfway.",
        "category": "drawer",
        "step": "open",
        "towards": "open",
    },
    "place": {"idea": "", "objects": [place("drawer")]},
    "constraints": {
        "alternatives": [{"kind": "reuse", "idea": "known", "solver": "OpenDrawer"}, OWN]
    },
    "pre_motions": {"alternatives": [{"idea": "from above", "motions": PRE}]},
    "post_motions": {"alternatives": [{"idea": "", "motions": HALF}] * 2},
    "predicates": {
        "idea": "",
        "success": [
            {"kind": "openness_above", "object": "drawer", "value": 0.35},
            {"kind": "openness_below", "object": "drawer", "value": 0.65},
            *settled("drawer"),
        ],
    },
    "critique": {"reason": "fine", "passes": True},
    "repair": {"diagnosis": "it stands too far away", "part": "place"},
}
LONG: Answers = {
    "propose": {
        "idea": "tidy up",
        "name": "TidyLemonAway",
        "instruction": "Open the drawer, put the lemon into it and close it.",
        "objects": [
            {"name": "cabinet", "category": "drawer"},
            {"name": "lemon", "category": "lemon"},
        ],
    },
    "decompose": {
        "idea": "",
        "steps": [
            {"kind": "move", "name": "open", "object": "cabinet", "towards": "open"},
            {"kind": "carry", "object": "lemon", "target": "cabinet", "region": "inside"},
            {"kind": "move", "name": "close", "object": "cabinet", "towards": "closed"},
        ],
    },
    "place": {
        "idea": "",
        "objects": [
            place("cabinet"),
            place("lemon", anchor="root", x=0.42, y=-0.34, openness=0.4),
        ],
    },
    "constraints": {"alternatives": [{"kind": "reuse", "idea": "", "solver": "OpenDrawer"}]},
    "constraints:close": {
        "alternatives": [{"kind": "reuse", "idea": "", "solver": "PushDrawerClose"}]
    },
    "post_motions": {
        "alternatives": [{"idea": "", "motions": [{"kind": "follow_joint", "value": 1.0}]}]
    },
    "post_motions:close": {
        "alternatives": [{"idea": "", "motions": [{"kind": "follow_joint", "value": 0.03}]}]
    },
    "predicates": {
        "idea": "",
        "steps": [
            {
                "step": "open",
                "done": [{"kind": "openness_above", "object": "cabinet", "value": 0.8}],
            },
            {
                "step": "close",
                "done": [{"kind": "openness_below", "object": "cabinet", "value": 0.2}],
            },
        ],
        "success": [
            {"kind": "inside", "object": "lemon", "container": "cabinet", "value": 0.0},
            {"kind": "openness_below", "object": "cabinet", "value": 0.2},
            {"kind": "released", "object": "lemon"},
            *settled("cabinet", "lemon"),
        ],
    },
    "critique": {"reason": "fine", "passes": True},
}
IMAGE: Answers = {**LONG, "propose": {"seen": ["a cabinet", "a lemon"], **LONG["propose"]}}
CHAIN: Answers = {
    "propose": {
        "idea": "",
        "name": "SwapFruit",
        "instruction": "Open the box, put the apple into it, close it and turn on the faucet.",
        "skills": [
            {"skill": "OpenBox"},
            {"skill": "PutIntoBox", "item": "apple"},
            {"skill": "CloseBox"},
            {"skill": "TurnOnFaucet"},
        ],
    }
}
PARAPHRASES: Answers = {
    "propose": {"instructions": ["Pull out the drawer.", "Please get the drawer open."]}
}
OF_MODE: Mapping[str, Answers] = {
    "primitive": PRIMITIVE,
    "topdown": LONG,
    "bottomup": {**CHAIN, "critique": PRIMITIVE["critique"]},
    "paraphrase": PARAPHRASES,
    "image": IMAGE,
}


def answer_to(answers: Answers, stage: str, question: str) -> str:
    """The answer of a stage, or that of the step which the question is about."""
    for name, answer in answers.items():
        base, _, step = name.partition(":")
        if step and base == stage and f"Step: {step}:" in question:
            return json.dumps(answer)
    return json.dumps(answers[stage])


def with_changes(answers: Answers, stage: str, **changed: Any) -> dict[str, Any]:
    """Answers of which one is changed."""
    found = copy.deepcopy(dict(answers))
    found[stage] = {**found[stage], **changed}
    return found


class ScriptedModel:
    """A `Model` that gives prepared answers.

    Args:
        answers: By stage; or what makes an answer of the question and how often that stage was
            asked before.
    """

    name = "scripted"

    def __init__(self, answers: Answers | Callable[[Ask, int], str]) -> None:
        self._answers = answers
        self.questions: list[Ask] = []
        self._asked: Counter[str] = Counter()

    def ask(self, question: Ask) -> Answer:
        self.questions.append(question)
        before = self._asked[question.stage]
        self._asked[question.stage] += 1
        if callable(self._answers):
            text = self._answers(question, before)
        else:
            text = answer_to(self._answers, question.stage, question.user)
        return Answer(text, self.name, (100, 50), 0.0, 0.5)

    @property
    def stages(self) -> list[str]:
        return [q.stage for q in self.questions]
