import pytest
from gensim2_kpam.solver_config import SolverConfigError, load_solver
from gensim2_tasks.catalogue import TaskError, load_task, select_tasks, task_names
from gensim2_tasks.task_library import VARIABLE, library_names


@pytest.fixture
def library(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    (tmp_path / "tasks").mkdir()
    (tmp_path / "solvers").mkdir()
    return tmp_path


def write_task(library, name, instruction="Open the box wide."):
    text = yaml_of("OpenBox").replace("name: OpenBox", f"name: {name}", 1)
    text = text.replace("Open the box.", instruction)
    (library / "tasks" / f"{name}.yaml").write_text(text)


def yaml_of(name):
    from importlib import resources

    return (
        resources.files("gensim2_tasks") / "catalogue_data" / "tasks" / f"{name}.yaml"
    ).read_text()


def test_a_task_of_the_library_is_found_by_name_and_read_anew(library):
    write_task(library, "OpenBoxWide")
    assert load_task("OpenBoxWide").instruction == "Open the box wide."
    write_task(library, "OpenBoxWide", "Open the box very wide.")
    assert load_task("OpenBoxWide").instruction == "Open the box very wide."
    assert select_tasks("generated") == ["OpenBoxWide"] == library_names()
    assert "OpenBoxWide" not in select_tasks("all")


def test_the_library_cannot_replace_a_shipped_task(library):
    write_task(library, "OpenBox", "Break the box.")
    assert load_task("OpenBox").instruction == "Open the box."


def test_a_broken_file_of_the_library_says_where(library):
    (library / "tasks" / "Broken.yaml").write_text("name: [")
    with pytest.raises(TaskError, match=r"Broken\.yaml"):
        load_task("Broken")
    write_task(library, "Other")
    (library / "tasks" / "Other.yaml").rename(library / "tasks" / "Another.yaml")
    with pytest.raises(TaskError, match="says name 'Other'"):
        load_task("Another")


def test_names_do_not_lead_out_of_the_library(library):
    (library / "Outside.yaml").write_text(yaml_of("OpenBox"))
    for name in ("../Outside", "/etc/passwd", "tasks/../../Outside"):
        with pytest.raises(TaskError, match="unknown task"):
            load_task(name)
        with pytest.raises(SolverConfigError, match="unknown solver"):
            load_solver(name)


def test_a_solver_of_the_library_is_found(library):
    text = (
        "task_name: OpenBoxWide_open\ncategory_name: Articulated\nconstraint_list:\n"
        "  - {type: point2point_constraint, keypoint_name: tool_head, "
        "target_keypoint_name: articulated_object_head, tolerance: 0.001}\n"
    )
    (library / "solvers" / "OpenBoxWide_open.yaml").write_text(text)
    assert load_solver("OpenBoxWide_open").task_name == "OpenBoxWide_open"


def test_there_is_no_library(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "none"))
    assert library_names() == []
    with pytest.raises(TaskError, match="no generated tasks"):
        select_tasks("generated")
    assert load_task(task_names()[0])
