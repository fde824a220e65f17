"""The panels: buttons, what the robot and the nodes say, pictures, episodes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import viser
from numpy.typing import NDArray

from gensim2_view.html_text import BAD, DULL, GOOD, WARN, block, coloured, table, text
from gensim2_view.notice import Notice
from gensim2_view.scene_state import RobotCondition, Scene

MODES = ("disconnected", "idle", "moving", "reflex", "user stopped", "comm. lost", "stopped")
_COLORS = {"ok": (43, 138, 62), "busy": (134, 142, 150), "error": (201, 42, 42)}
_TEXT_COLORS = {"ok": GOOD, "busy": DULL, "error": BAD}
_SEED_LIMIT = 2**31 - 1


class Commands(Protocol):
    """What the buttons do. Every call returns at once; what comes of it is a `Notice`."""

    def stop(self) -> None:
        """Stop the robot."""

    def recover(self) -> None:
        """Clear a stop or fault."""

    def home(self) -> None:
        """Move the robot to its home configuration."""

    def reset(self, task: str, seed: int) -> None:
        """Build the scene of a task anew."""

    def run(self, task: str) -> None:
        """Let the controller perform a task."""


class SidePanel:
    """The panels beside the scene. Setters may be called from any thread."""

    def __init__(
        self,
        server: viser.ViserServer,
        tasks: Sequence[str],
        cameras: Sequence[str],
        parts: Mapping[str, Any],
        commands: Commands,
    ) -> None:
        """Build the panels.

        Args:
            server: the web server.
            tasks: names of the tasks.
            cameras: names of the cameras.
            parts: what may be hidden: name and handle with `visible`.
            commands: what the buttons do.
        """
        self._server = server
        self._shown: dict[str, str] = {}
        gui = server.gui
        gui.configure_theme(show_logo=False, show_share_button=False, control_width="medium")
        gui.main_panel.dock_right()
        self._controls(gui, tasks, commands)
        self._robot = gui.add_html("")
        left = gui.add_panel()
        self._pictures = {}
        with left.add_tab("Cameras"):
            grey = np.full((120, 160, 3), 225, dtype=np.uint8)
            for camera in cameras:
                self._pictures[camera] = gui.add_image(grey, label=camera, format="jpeg")
        with left.add_tab("Show"):
            for name, handle in parts.items():
                self._toggle(gui, name, handle)
        left.dock_left()
        left.set_width(250)
        right = gui.add_panel()
        with right.add_tab("Episodes"):
            self._episodes = gui.add_html("")
        with right.add_tab("Nodes"):
            self._health = gui.add_html("")
        right.dock_below(gui.main_panel)
        self.say(Notice("ok", "ready", ""))

    def _controls(self, gui: viser.GuiApi, tasks: Sequence[str], commands: Commands) -> None:
        stop = gui.add_button("Stop", color="red", icon=viser.Icon.HAND_STOP)

        # A coroutine: it runs where the press arrives, and waits for no thread to be free.
        @stop.on_click
        async def _(_: viser.GuiEvent[Any]) -> None:
            commands.stop()

        task = gui.add_dropdown("Task", tuple(tasks))
        seed = gui.add_number("Seed", 0, min=0, max=_SEED_LIMIT, step=1)
        self._buttons(
            gui,
            "Scene",
            {
                "Reset": lambda: commands.reset(str(task.value), int(seed.value)),
                "Run": lambda: commands.run(str(task.value)),
            },
            "Reset builds the scene anew; Run lets the controller do the task",
        )
        self._buttons(
            gui,
            "Robot",
            {"Recover": commands.recover, "Home": commands.home},
            "Recover clears a stop or fault; Home moves to the start",
        )
        self._status = gui.add_html("")

    @staticmethod
    def _buttons(
        gui: viser.GuiApi, label: str, does: Mapping[str, Callable[[], None]], hint: str
    ) -> None:
        buttons = gui.add_button_group(label, tuple(does), hint=hint)

        # The value is that of the last press, so it is read before the next one can arrive.
        @buttons.on_click
        async def _(event: viser.GuiEvent[Any]) -> None:
            threading.Thread(target=does[event.target.value], daemon=True).start()

    @staticmethod
    def _toggle(gui: viser.GuiApi, name: str, handle: Any) -> None:
        box = gui.add_checkbox(name, initial_value=bool(handle.visible))

        @box.on_update
        def _(_: viser.GuiEvent) -> None:
            handle.visible = box.value

    def say(self, notice: Notice) -> None:
        """Show what came of a command: a line, and a notification that is gone after a while."""
        words = f"{notice.title}: {notice.text}" if notice.text else notice.title
        self._status.content = block(coloured(words, _TEXT_COLORS[notice.kind], 400))
        if notice.kind == "busy" or not notice.text:
            return
        for client in self._server.get_clients().values():
            client.add_notification(
                notice.title,
                notice.text[:400],
                color=_COLORS[notice.kind],
                auto_close_seconds=15.0 if notice.kind == "error" else 5.0,
            )

    def show_state(
        self, time_text: str, robot: RobotCondition | None, scene: Scene | None, activity: str
    ) -> None:
        """Show the time, the robot, the scene and what is going on."""
        rows = [("time", text(time_text))]
        if robot is None:
            rows.append(("robot", coloured("not heard of", DULL)))
        else:
            mode = MODES[robot.mode] if robot.mode < len(MODES) else f"mode {robot.mode}"
            color = GOOD if robot.motion_possible and not robot.in_error else BAD
            rows.append(("robot", coloured(mode, color)))
            if robot.errors:
                rows.append(("errors", coloured(", ".join(robot.errors), BAD)))
            elif not robot.motion_possible:
                rows.append(("", coloured("takes no goals; press Recover", WARN)))
        if scene is not None and scene.task:
            rows.append(("scene", text(f"{scene.task}, seed {scene.seed}")))
            for item in scene.objects:
                rows.append(("object", text(f"{item.asset}, {100 * item.openness:.0f} % open")))
            for name, holds, value, _ in scene.predicates:
                word = coloured("holds", GOOD) if holds else coloured("not yet", DULL)
                rows.append(("goal", f"{text(name, 60)} {word} ({value:.2f})"))
        if activity:
            rows.append(("now", coloured(activity, WARN)))
        self._set("robot", self._robot, block(table(rows)))

    def show_health(self, content: str) -> None:
        """Show the conditions of the nodes; HTML."""
        self._set("health", self._health, content)

    def show_episodes(self, content: str) -> None:
        """Show the table of episodes; HTML."""
        self._set("episodes", self._episodes, content)

    def show_picture(self, camera: str, image: NDArray[np.uint8]) -> None:
        """Show the picture (H, W, 3) of a camera."""
        self._pictures[camera].image = image

    def _set(self, name: str, handle: Any, content: str) -> None:
        if self._shown.get(name) != content:
            self._shown[name] = handle.content = content
