"""What a small language model is asked: few words, and examples to go on from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

REVISION = "local-1"
"""Of these questions; to be raised when a change of them should be told apart in tables."""
SYSTEM = (
    "A robot arm with a gripper stands at a table in a home. It learns useful new tasks. "
    "Every answer is one line of JSON."
)
QUESTIONS: Mapping[str, str] = {
    "kind": "What kind of task is it?",
    "object": "Which object does the robot move?",
    "motion": "What does the robot do with it?",
    "how_far": "How far does the robot move it?",
    "other_object": "Which object does the robot move next?",
    "other_motion": "What does the robot do with that one?",
    "place": "Where does the robot put things?",
    "thing": "Which thing does the robot put there?",
    "other_thing": "Which other thing does the robot put there?",
    "first_skill": "What does the robot do first?",
    "next_skill": "What does the robot do next?",
    "change": "What should be changed?",
}
# So far, options, answer; of things that no task is about.
_EXAMPLES: Mapping[str, tuple[tuple[str, tuple[str, ...], str], ...]] = {
    "kind": (
        ("", ("fold a thing", "pour something into a thing"), "pour something into a thing"),
        ("", ("wipe a thing", "stack two things", "sort things"), "stack two things"),
    ),
    "first_skill": (
        ("", ("unroll the carpet", "plug in the lamp", "wipe the window"), "wipe the window"),
        ("", ("fill the kettle", "stir the soup"), "fill the kettle"),
    ),
    "next_skill": (
        ("fill the kettle", ("wipe the window", "switch on the kettle"), "switch on the kettle"),
        ("stir the soup", ("pour the soup", "fold the towel"), "pour the soup"),
    ),
    "change": (
        ("It failed: the towel fell down.", ("thing", "place"), "thing"),
        ("It failed: the shelf cannot be reached.", ("thing", "place"), "place"),
    ),
}
_OTHERS = (
    ("kind: hang a thing on something", ("hook", "plate", "window"), "hook"),
    ("kind: fold a thing", ("spoon", "hammer", "towel"), "towel"),
)
_TELL = (
    (("unroll the carpet", "lay the pillow onto the carpet"),
     "Unroll the carpet, then lay the pillow onto it."),
    (("switch on the kettle", "fold the towel"), "Please switch on the kettle and fold the towel."),
    (("turn the dial about half of the way",), "Turn the dial until it is half of the way."),
)  # fmt: skip
NOUNS = frozenset({"carpet", "dial", "kettle", "pillow", "soup", "towel", "window"})
"""Things of the examples: where a sentence speaks of one, the model repeats an example."""
_OTHERWISE = (
    ("Switch on the kettle.", "Please make sure that the kettle is switched on."),
    ("Lay the pillow onto the carpet.", "The pillow has to be laid down onto the carpet."),
    ("Unroll the carpet.", "Take the carpet and unroll it."),
)


def decision(
    key: str, so_far: Sequence[tuple[str, str]], options: Sequence[str], reason: str = ""
) -> str:
    """A question with options.

    Args:
        key: One of `QUESTIONS`.
        so_far: What is decided: key and answer.
        options: To choose from.
        reason: Why the last try failed; empty = there was none.
    """
    skills = key in ("first_skill", "next_skill")
    said = "; ".join(text if skills else f"{k}: {text}" for k, text in so_far)
    told = f"It failed: {reason}" if reason else ""
    blocks = [
        _block(before, key, among, answer) for before, among, answer in _EXAMPLES.get(key, _OTHERS)
    ]
    blocks.append(_block(". ".join(filter(None, (said, told))), key, options))
    return "\n\n".join(blocks)


def instruction(steps: Sequence[str]) -> str:
    """The question for an instruction of steps."""
    blocks = [_told("Steps", "; ".join(given), said) for given, said in _TELL]
    return "\n\n".join([*blocks, _told("Steps", "; ".join(steps))])


def other_words(sentence: str) -> str:
    """The question for another instruction of the same task."""
    blocks = [_told("In other words", given, said) for given, said in _OTHERWISE]
    return "\n\n".join([*blocks, _told("In other words", sentence)])


def _block(so_far: str, key: str, options: Sequence[str], answer: str = "") -> str:
    lines = [f"The task so far: {so_far}"] if so_far else []
    lines.append(f"{QUESTIONS[key]} Choose one of: {'; '.join(options)}")
    if answer:
        lines.append(json.dumps({key: answer}))
    return "\n".join(lines)


def _told(what: str, given: str, answer: str = "") -> str:
    lines = [f"{what}: {given}"]
    if answer:
        lines.append(json.dumps({"instruction": answer}))
    return "\n".join(lines)
