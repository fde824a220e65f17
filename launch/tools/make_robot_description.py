#!/usr/bin/env python3
"""Makes urdf/fr3.urdf and meshes/ from franka_description as shipped in the franky-sim wheel.

Run by hand when the description changes; its products are committed, so nothing at run time needs
it. Needs: franky-sim (the source files), trimesh, pycollada, open3d-cpu.

    python launch/tools/make_robot_description.py ASSETS_FOLDER_OF_FRANKY_SIM

The visual meshes are decimated to about 20 000 triangles in all, because software rendering time is
bound by them (240 000 in the originals). The collision meshes become their convex hulls as OBJ,
which SAPIEN, Drake and RViz all read; Drake makes no hull of an STL.
"""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import open3d as o3d
import trimesh

PACKAGE = Path(__file__).resolve().parents[1]
TRIANGLES_PER_LINK = 2000
# Attributes and elements that only other consumers of the original file understand.
FOREIGN = ("safety_controller", "position_based_velocity_limits")
FOREIGN_DYNAMICS = ("D", "K", "gear_ratio", "motor_inertia", "mu_coulomb", "mu_viscous")


def decimated(path: Path) -> trimesh.Scene:
    """Loads a DAE and keeps about TRIANGLES_PER_LINK triangles, one mesh per colour."""
    scene = trimesh.load(path)
    if isinstance(scene, trimesh.Trimesh):
        scene = trimesh.Scene(scene)
    by_colour: dict[tuple[int, ...], list[trimesh.Trimesh]] = {}
    for mesh in scene.dump():
        colour = tuple(int(c) for c in np.asarray(mesh.visual.material.main_color)[:3])
        by_colour.setdefault(colour, []).append(mesh)
    total = sum(len(m.faces) for ms in by_colour.values() for m in ms)
    result = trimesh.Scene()
    for colour, meshes in sorted(by_colour.items()):
        mesh = trimesh.util.concatenate([trimesh.Trimesh(m.vertices, m.faces) for m in meshes])
        mesh.merge_vertices(merge_norm=True, merge_tex=True, digits_vertex=4)
        goal = max(24, int(TRIANGLES_PER_LINK * len(mesh.faces) / total))
        if len(mesh.faces) > goal:
            source = o3d.geometry.TriangleMesh(
                o3d.utility.Vector3dVector(mesh.vertices), o3d.utility.Vector3iVector(mesh.faces)
            )
            small = source.simplify_quadric_decimation(goal, boundary_weight=20.0)
            mesh = trimesh.Trimesh(np.asarray(small.vertices), np.asarray(small.triangles))
        name = "c{:02x}{:02x}{:02x}".format(*colour)
        material = trimesh.visual.material.SimpleMaterial(
            name=name, diffuse=[*colour, 255], ambient=[*colour, 255], specular=[60, 60, 60, 255]
        )
        mesh.visual = trimesh.visual.TextureVisuals(material=material)
        result.add_geometry(mesh, geom_name=name)
    return result


def write_obj(folder: Path, stem: str, scene: trimesh.Scene) -> int:
    """Writes stem.obj and stem.mtl; returns the number of triangles."""
    lines = [f"mtllib {stem}.mtl"]
    materials = []
    offset = 1
    for name, mesh in scene.geometry.items():
        r, g, b = np.asarray(mesh.visual.material.diffuse)[:3] / 255.0
        materials.append(f"newmtl {name}\nKd {r:.3f} {g:.3f} {b:.3f}\nKs 0.1 0.1 0.1\nNs 20\n")
        lines.append(f"usemtl {name}")
        # Faces that meet at more than 30 degrees keep their own normals, so edges stay crisp.
        smooth = trimesh.graph.smooth_shade(mesh, angle=np.radians(30))
        lines += ["v {:.5f} {:.5f} {:.5f}".format(*v) for v in smooth.vertices]
        lines += ["vn {:.3f} {:.3f} {:.3f}".format(*n) for n in smooth.vertex_normals]
        lines += ["f " + " ".join(f"{i}//{i}" for i in face + offset) for face in smooth.faces]
        offset += len(smooth.vertices)
    (folder / f"{stem}.obj").write_text("\n".join(lines) + "\n")
    (folder / f"{stem}.mtl").write_text("\n".join(materials))
    return sum(len(m.faces) for m in scene.geometry.values())


def write_hull(folder: Path, stem: str, source: Path) -> None:
    """Writes the convex hull of an STL as OBJ."""
    hull = trimesh.load(source).convex_hull
    lines = ["v {:.6f} {:.6f} {:.6f}".format(*v) for v in hull.vertices]
    lines += ["f {} {} {}".format(*(f + 1)) for f in hull.faces]
    (folder / f"{stem}.obj").write_text("\n".join(lines) + "\n")


def clean_urdf(text: str) -> str:
    """Drops foreign tags and the accelerometer links, and points meshes at this package."""
    root = ET.fromstring(text)
    for parent in list(root.iter()):
        for child in list(parent):
            name = child.get("name", "")
            if child.tag in FOREIGN or "accelerometer" in name:
                parent.remove(child)
    for dynamics in root.iter("dynamics"):
        for key in FOREIGN_DYNAMICS:
            dynamics.attrib.pop(key, None)
    for mesh in root.iter("mesh"):
        stem = Path(mesh.attrib["filename"]).stem
        kind = "visual" if stem.endswith("_vis") else "collision"
        stem = re.sub("_(vis|coll)$", "", stem)
        mesh.attrib["filename"] = f"package://gensim2/meshes/{kind}/{stem}.obj"
    ET.indent(root)
    head = (
        "<?xml version='1.0'?>\n"
        "<!-- Franka Research 3 with Franka Hand. Derived from franka_description, Copyright 2023\n"
        "     Franka Robotics GmbH, Apache-2.0; made by tools/make_robot_description.py. -->\n"
    )
    return head + ET.tostring(root, encoding="unicode") + "\n"


def main(assets: Path) -> None:
    """Writes every product."""
    triangles = 0
    for path in sorted((assets / "meshes").glob("*_vis.dae")):
        stem = path.stem.removesuffix("_vis")
        triangles += write_obj(PACKAGE / "meshes/visual", stem, decimated(path))
    for path in sorted((assets / "meshes").glob("*_coll.stl")):
        write_hull(PACKAGE / "meshes/collision", path.stem.removesuffix("_coll"), path)
    (PACKAGE / "urdf/fr3.urdf").write_text(clean_urdf((assets / "fr3.urdf").read_text()))
    print(f"{triangles} triangles")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
