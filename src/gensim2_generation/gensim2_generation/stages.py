"""What a language model is asked for, stage by stage: answers that do not depend on the task.

Every field is bounded, and what can be listed is a list. Names become names of files and entries of
documents, never anything that is run; other text is shown as text. `stage_types` holds the answers
whose lists depend on what has been answered before.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from gensim2_kpam.motions import NAMED_MOTIONS
from gensim2_kpam.solver_config import MOST_ENTRIES, TRANSLATIONS
from gensim2_kpam.tool import TOOL_KEYPOINTS
from gensim2_tasks.specs import Line
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from .answers import plain

MAX_TRIALS = 4  # alternatives of a solver configuration
MAX_STEPS = 6  # of a task; one that carries something is two sub-tasks
MAX_THINGS = 4  # objects of a task
MAX_GOALS = 10  # predicates of a condition
MAX_MOTIONS = 4
MAX_PARAPHRASES = 10
LONGEST_WORDS = 600

Words = Annotated[str, AfterValidator(lambda text: plain(text, LONGEST_WORDS))]
"""Free text, as one line that is cut where it is too long."""
TaskName = Annotated[str, Field(pattern="^[A-Z][A-Za-z0-9]{2,39}$")]
StepName = Annotated[str, Field(pattern="^[a-z][a-z0-9 ]{1,29}$")]
ToolKeypoint: Any = Literal[tuple(TOOL_KEYPOINTS)]  # type: ignore[valid-type]
# Of one motion; farther than the arm goes, and a turn of half a circle.
Length = Annotated[float, Field(ge=-0.5, le=0.5)]
Angle = Annotated[float, Field(ge=-3.1416, le=3.1416)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
AxisNumber = Annotated[float, Field(ge=-1.0, le=1.0)]


class Reply(BaseModel):
    """What all answers share: nothing is left out, added or turned into another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Translate(Reply):
    """A motion along an axis of the tool, m."""

    kind: Literal[TRANSLATIONS]  # type: ignore[valid-type]
    value: Length


class Rotate(Reply):
    """A motion about the axis of the object, rad."""

    kind: Literal["rotate"]
    value: Angle


class Named(Reply):
    """A motion of fixed length along an axis of the base."""

    kind: Literal[tuple(NAMED_MOTIONS)]  # type: ignore[valid-type]


class Follow(Reply):
    """The contact goes along the joint of the object until that is open so far."""

    kind: Literal["follow_joint"]
    value: Share


MAX_CONSTRAINTS = min(MOST_ENTRIES, 8)
Gripper = Literal["open", "closed", "grasp"]


class Critique(Reply):
    """Whether a task makes sense."""

    reason: Words
    passes: bool


class Paraphrases(Reply):
    """Other words for a task."""

    instructions: Annotated[list[Line], Field(min_length=1, max_length=MAX_PARAPHRASES)]

    @model_validator(mode="after")
    def _each_is_new(self) -> Paraphrases:
        if len({i.casefold() for i in self.instructions}) != len(self.instructions):
            raise ValueError("two of the instructions are the same")
        return self
