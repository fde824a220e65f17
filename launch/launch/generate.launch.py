"""Generates tasks, verifies them by execution, and ends with a table; or serves until Ctrl-C.

Exit code 0 when as many tasks were accepted as were asked for. Nothing of the control graph runs.
"""

from gensim2_launch.ros.arguments import ASSET_ROOT, BOOLEAN, Argument
from gensim2_launch.ros.description import launch_file, node
from gensim2_launch.ros.ends import end_with
from launch.conditions import UnlessCondition

ASKED = (
    Argument(
        "mode",
        "",
        "primitive, topdown, bottomup, paraphrase or image; of the catalogue also all; empty = "
        "primitive",
    ),
    Argument("target_object", "", "Category or words that the tasks shall be about; empty = any"),
    Argument("target_task", "", "Name of a task, or words; of paraphrase: the task"),
    Argument("num_tasks", "1", "Tasks to be accepted", int),
    Argument(
        "backend",
        "",
        "Who proposes: catalogue (a grammar), openai (any compatible server), local, replay; "
        "empty = openai where OPENAI_API_KEY or OPENAI_BASE_URL is set, else catalogue",
    ),
    Argument("image", "", "File of a picture, of mode image"),
    Argument("seed", "0", "Of everything that is drawn", int),
    Argument("timeout", "0", "Seconds for all of it; 0 = an hour", float),
)
HOW = (
    Argument("library", "", "Folder of the library; empty = where every node looks for tasks"),
    Argument("runs", "runs/generation", "Folder in which every run gets one for its record"),
    Argument("jobs", "2", "Processes that verify", int),
    Argument("episodes", "5", "Scenes in which the expert performs a task", int),
    Argument("share", "0.8", "Share of them that has to succeed and to hold", float),
    Argument(
        "controls", "2", "Scenes with nobody, and with random motions, that must not succeed", int
    ),
    Argument("candidate_timeout", "180", "CPU seconds for the verification of one task", float),
    Argument("candidate_memory", "12", "GB of address space of a process that verifies", float),
    Argument(
        "distance", "0.02", "Cosine distance of an instruction to every known one, at least", float
    ),
    Argument("proposals", "10", "Most proposals for one task that is wanted", int),
    Argument("repairs", "2", "Times a failed task goes back with the measured reason", int),
    Argument("model", "gpt-4o", "Language model, by the name that its server knows"),
    Argument("stage_models", "", "Other models of single stages, as propose=NAME,repair=NAME"),
    Argument("temperatures", "", "Of single stages, as propose=0.7,place=0"),
    Argument("solver_trials", "3", "Alternatives asked for at each stage of the solver", int),
    Argument("regenerations", "2", "Times an invalid answer goes back with the reason", int),
    Argument("reflections", "0", "Agreeing critiques that a proposal needs", int),
    Argument("reuse", "true", "Let known solver configurations be taken", bool, BOOLEAN),
    Argument("together", "false", "Ask for all motions of a step in one question", bool, BOOLEAN),
    Argument("examples", "3", "Tasks of the library that a proposal shows, of each kind", int),
    Argument("answer_tokens", "4096", "Longest answer of a model, tokens", int),
    Argument("images", "false", "Show the model pictures", bool, BOOLEAN),
    Argument("max_tokens", "0", "Budget of tokens; 0 = none", int),
    Argument("max_cost", "0", "Budget of money, as in the price list; 0 = none", float),
    Argument("max_minutes", "0", "Budget of wall time, minutes; 0 = none", float),
    Argument("prices", "", "YAML file of prices by model"),
    Argument("exchanges", "", "Recorded exchanges of backend replay"),
    ASSET_ROOT,
)
SERVE = Argument("serve", "false", "Only offer the service and the action", bool, BOOLEAN)


def generate_launch_description():
    """Declares the arguments, starts the node, and asks it."""
    return launch_file(
        __file__,
        (*ASKED, *HOW, SERVE),
        node("gensim2_generation", "task_generator", *HOW),
        node(
            "gensim2_generation",
            "generate_tasks",
            *ASKED,
            on_exit=end_with,
            condition=UnlessCondition(SERVE.configuration()),
        ),
    )
