"""Builds the scene and renders it. Runs inside Blender: ``blender -b --factory-startup --python blender_scene.py -- …``.

Per picture two array files are written: ``beauty_NNNN.npz`` (light, with albedo, normal and depth as guides for the
denoiser) and ``index_NNNN.npz`` (object numbers, one ray through the centre of each pixel: the masks are exact).
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import bpy
import numpy as np
from mathutils import Matrix, Vector

sys.path.insert(0, str(Path(__file__).resolve().parent))

import choreography
import materials

if TYPE_CHECKING:
    from collections.abc import Sequence

# Blender's types exist inside Blender only; these names say at least which of them is meant.
Thing: TypeAlias = Any
Mesh: TypeAlias = Any
Lamp: TypeAlias = Any
Material: TypeAlias = Any

CUP_COLOURS = ((0.030, 0.125, 0.235), (0.032, 0.130, 0.230), (0.028, 0.120, 0.240))
BOOKS = (
    ((1.75, 1.20, 0.30), (0.42, 0.10, 0.075), 4.0),
    ((1.55, 1.10, 0.22), (0.62, 0.42, 0.15), -7.0),
    ((1.38, 1.00, 0.26), (0.10, 0.16, 0.20), 9.0),
)
TABLE_BACK_Y = 2.75
WALL_Y = 4.6
SEGMENTS = 128


def _link(name: str, mesh: Mesh, material: Material, pass_index: int = 0) -> Thing:
    """Put a mesh into the scene with one material and an object number."""
    thing = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(thing)
    if material is not None:
        mesh.materials.append(material)
    thing.pass_index = pass_index
    return thing


def _smooth(mesh: Mesh, degrees: float = 40.0) -> Mesh:
    """Shade a mesh smoothly except at edges sharper than ``degrees``."""
    mesh.polygons.foreach_set("use_smooth", [True] * len(mesh.polygons))
    mesh.use_auto_smooth = True
    mesh.auto_smooth_angle = math.radians(degrees)
    return mesh


def revolve(name: str, profile: Sequence[tuple[float, float]]) -> Mesh:
    """A surface of revolution about z through (radius, height) points."""
    angles = np.linspace(0.0, 2 * math.pi, SEGMENTS, endpoint=False)
    vertices = [(r * math.cos(a), r * math.sin(a), z) for r, z in profile for a in angles]
    faces = []
    for row in range(len(profile) - 1):
        for k in range(SEGMENTS):
            after = (k + 1) % SEGMENTS
            first, second = row * SEGMENTS, (row + 1) * SEGMENTS
            faces.append((first + k, first + after, second + after, second + k))
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(vertices, [], faces)
    mesh.validate()
    return _smooth(mesh)


def box(
    name: str, size: Sequence[float], material: Material, place: Sequence[float], turn: float = 0.0
) -> Thing:
    """A box with softly broken edges, standing with its underside at ``place``."""
    half = [0.5 * s for s in size]
    corners = [(x, y, z) for x in (-half[0], half[0]) for y in (-half[1], half[1]) for z in (0.0, size[2])]
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(corners, [], faces)
    thing = _link(name, mesh, material)
    thing.location, thing.rotation_euler = place, (0.0, 0.0, turn)
    bevel = thing.modifiers.new("edges", "BEVEL")
    bevel.width, bevel.segments = 0.018, 3
    _smooth(mesh)
    return thing


def build_room() -> None:
    """Table, wall and the picture rail on it."""
    box("table", (16.0, TABLE_BACK_Y + 9.0, 0.30), materials.wood(), (0.0, (TABLE_BACK_Y - 9.0) / 2, -0.30))
    box("wall", (30.0, 0.2, 14.0), materials.plaster(), (0.0, WALL_Y + 0.1, -6.0))
    panel = materials.plain("panel", (0.50, 0.47, 0.40), roughness=0.55, grain=6.0)
    box("panel", (30.0, 0.10, 6.30), panel, (0.0, WALL_Y, -6.0))
    box("rail", (30.0, 0.22, 0.16), panel, (0.0, WALL_Y, 0.30))


def build_books(x: float, y: float) -> None:
    """A pile of books on the table."""
    height = 0.0
    page = materials.paper()
    for number, (size, colour, degrees) in enumerate(BOOKS):
        cover = materials.plain(f"cover {number}", colour, roughness=0.55, grain=45.0)
        turn, board = math.radians(degrees), 0.035
        box("board", (size[0], size[1], board), cover, (x, y, height), turn)
        box("board", (size[0], size[1], board), cover, (x, y, height + size[2] - board), turn)
        inner = (size[0] - 0.10, size[1] - 0.10, size[2] - 2 * board)
        box("pages", inner, page, (x, y, height + board), turn)
        back = Vector((0.0, -(size[1] - board) / 2, 0.0))
        back.rotate(Matrix.Rotation(turn, 3, "Z"))
        box("spine", (size[0], board, size[2]), cover, (x + back.x, y + back.y, height), turn)
        height += size[2]


def _leaf(rng: np.random.Generator, turn: float, rise: float, length: float) -> Mesh:
    """A bent leaf that grows from the origin."""
    steps, vertices, faces = 9, [], []
    for k in range(steps + 1):
        t = k / steps
        width = 0.27 * length * math.sin(math.pi * t**0.8) ** 0.9 * (1.0 - 0.25 * t) + 0.012
        out, up = length * t * math.cos(rise * (1 - 0.55 * t)), length * t * math.sin(rise * (1 - 0.75 * t))
        vertices += [(out, -width, up + 0.35 * width), (out, 0.0, up), (out, width, up + 0.35 * width)]
        if k:
            a = 3 * (k - 1)
            faces += [(a, a + 1, a + 4, a + 3), (a + 1, a + 2, a + 5, a + 4)]
    mesh = bpy.data.meshes.new("leaf")
    mesh.from_pydata(vertices, [], faces)
    mesh.transform(Matrix.Rotation(turn, 4, "Z") @ Matrix.Rotation(float(rng.uniform(-0.4, 0.4)), 4, "X"))
    return _smooth(mesh, 60.0)


def build_plant(x: float, y: float, rng: np.random.Generator) -> None:
    """A potted plant."""
    clay = materials.plain("clay", (0.52, 0.20, 0.10), roughness=0.8, grain=14.0)
    outer = [
        (0.0, 0.0),
        (0.30, 0.0),
        (0.33, 0.02),
        (0.42, 0.56),
        (0.47, 0.57),
        (0.49, 0.60),
        (0.50, 0.74),
        (0.47, 0.77),
    ]
    pot = _link("pot", revolve("pot", [*outer, (0.43, 0.76), (0.42, 0.66), (0.0, 0.66)]), clay)
    pot.location = (x, y, 0.0)
    greens = [
        materials.plain(f"leaf {k}", (0.055 + 0.03 * k, 0.17 + 0.05 * k, 0.045), roughness=0.4)
        for k in range(3)
    ]
    for k in range(26):
        height = k / 26
        mesh = _leaf(rng, 2.4 * k, 0.25 + 1.1 * height + float(rng.uniform(-0.1, 0.1)), 1.05 - 0.25 * height)
        leaf = _link("leaf", mesh, greens[k % 3])
        leaf.location = (x, y, 0.64 + 0.16 * height)


def build_cups_and_ball() -> dict[int, Thing]:
    """The moving objects by number."""
    things: dict[int, Thing] = {}
    profile = [*reversed(choreography.OUTER_PROFILE), *choreography.INNER_PROFILE[1:]]
    for cup, colour in zip(choreography.CUPS, CUP_COLOURS, strict=True):
        things[cup] = _link(
            f"cup {cup}", revolve("cup", profile), materials.cup(f"enamel {cup}", colour), cup
        )
    arc = np.linspace(-math.pi / 2, math.pi / 2, 65)
    radius = choreography.BALL_RADIUS
    circle = [(max(radius * math.cos(a), 0.0), radius * math.sin(a)) for a in arc]
    things[choreography.BALL] = _link("ball", revolve("ball", circle), materials.ball(), choreography.BALL)
    return things


def _area_light(name: str, place: Sequence[float], aim: Sequence[float], size: float, watt: float) -> Lamp:
    """A square lamp at ``place`` that shines on ``aim``."""
    lamp = bpy.data.lights.new(name, "AREA")
    lamp.size, lamp.energy = size, watt
    thing = bpy.data.objects.new(name, lamp)
    bpy.context.scene.collection.objects.link(thing)
    thing.location = place
    thing.rotation_euler = (Vector(aim) - Vector(place)).to_track_quat("-Z", "Y").to_euler()
    return lamp


def build_lights() -> None:
    """A window on the left, a warm lamp behind on the right, a dim room, and the window's shape on the wall."""
    _area_light("window", (-5.0, -2.2, 5.2), (0.0, 0.2, 0.3), 1.6, 1350.0).color = (1.0, 0.94, 0.85)
    _area_light("lamp", (4.6, 1.9, 3.4), (0.2, 0.0, 0.5), 1.2, 170.0).color = (1.0, 0.78, 0.52)
    pane = bpy.data.lights.new("sun", "SPOT")
    pane.energy, pane.shadow_soft_size, pane.spot_size = 9000.0, 0.025, math.radians(40.0)
    pane.color = (1.0, 0.86, 0.64)
    sun = bpy.data.objects.new("sun", pane)
    bpy.context.scene.collection.objects.link(sun)
    place, aim = Vector((-6.4, -0.6, 4.9)), Vector((1.0, WALL_Y, 1.2))
    sun.location = place
    turn = (aim - place).to_track_quat("-Z", "Y")
    sun.rotation_euler = turn.to_euler()
    dark = materials.plain("frame", (0.02, 0.02, 0.02))
    parts = [((0.0, 0.0), (0.05, 1.2)), ((0.0, 0.16), (1.2, 0.04)), ((0.0, -0.22), (1.2, 0.04))]
    parts += [((s * 0.62, 0.0), (0.5, 2.0)) for s in (-1, 1)] + [
        ((0.0, s * 0.74), (2.0, 0.5)) for s in (-1, 1)
    ]
    for (u, v), (width, height) in parts:
        bar = box("frame", (width, height, 0.01), dark, (0.0, 0.0, 0.0))
        bar.matrix_world = (
            Matrix.Translation(place) @ turn.to_matrix().to_4x4() @ Matrix.Translation((u, v, -1.9))
        )
        bar.visible_camera = bar.visible_glossy = False
    world = bpy.data.worlds.new("room")
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.52, 0.60, 0.70, 1.0)
    world.node_tree.nodes["Background"].inputs["Strength"].default_value = 0.28
    bpy.context.scene.world = world


def pose(things: dict[int, Thing], camera: Thing, frame: float) -> None:
    """Put everything where it is on a story frame."""
    for cup in choreography.CUPS:
        there = choreography.cup_pose(cup, frame)
        tilt, spin = Matrix.Rotation(-there.tilt, 4, "X"), Matrix.Rotation(there.spin, 4, "Z")
        things[cup].matrix_world = Matrix.Translation(there.position) @ tilt @ spin
    there = choreography.ball_pose(frame)
    way = Vector((*there.roll_xy, 0.0))
    roll = Matrix.Rotation(
        way.length / choreography.BALL_RADIUS, 4, Vector((-way.y, way.x, 0.0)) if way.length else "X"
    )
    start = Matrix.Rotation(0.7, 4, "X") @ Matrix.Rotation(0.5, 4, "Y")
    things[choreography.BALL].matrix_world = Matrix.Translation(there.position) @ roll @ start
    place, target = choreography.camera_pose(frame)
    camera.location = place
    camera.rotation_euler = Vector(target - place).to_track_quat("-Z", "Y").to_euler()


def build_camera() -> Thing:
    """A pinhole camera: all is sharp, so that the masks are exact."""
    lens = bpy.data.cameras.new("camera")
    lens.lens, lens.sensor_width = choreography.LENS_MM, choreography.SENSOR_MM
    camera = bpy.data.objects.new("camera", lens)
    bpy.context.scene.collection.objects.link(camera)
    bpy.context.scene.camera = camera
    return camera


def set_renderer(options: argparse.Namespace) -> None:
    """Cycles on the processor, no motion blur, reproducible noise."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.render.resolution_x, scene.render.resolution_y = options.width, options.height
    scene.render.resolution_percentage = 100
    scene.render.use_motion_blur = False
    scene.render.threads_mode, scene.render.threads = "FIXED", options.threads
    scene.render.use_persistent_data = True
    scene.render.image_settings.file_format = "OPEN_EXR"
    cycles = scene.cycles
    cycles.device, cycles.samples, cycles.use_adaptive_sampling = "CPU", options.samples, False
    cycles.use_denoising, cycles.seed = False, 7
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 3, 2, 2
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_indirect, cycles.blur_glossy = 2.0, 1.0
    layer = bpy.context.view_layer
    layer.use_pass_diffuse_color = layer.use_pass_normal = layer.use_pass_object_index = True
    layer.use_pass_z = True


def add_outputs(folder: Path, sockets: dict[str, str]) -> Thing:
    """Write passes of the picture as EXR files.

    Args:
        folder: Where to.
        sockets: File name stem by the pass's name.
    """
    scene = bpy.context.scene
    scene.use_nodes = True
    tree = scene.node_tree
    tree.nodes.clear()
    layers = tree.nodes.new("CompositorNodeRLayers")
    writer = tree.nodes.new("CompositorNodeOutputFile")
    writer.base_path = str(folder)
    writer.format.file_format, writer.format.color_depth, writer.format.color_mode = "OPEN_EXR", "32", "RGB"
    writer.file_slots.clear()
    for source, stem in sockets.items():
        writer.file_slots.new(stem)
        tree.links.new(layers.outputs[source], writer.inputs[stem])
    return writer


def pack(folder: Path, stems: Sequence[str], index: int, target: Path) -> None:
    """Put the EXR files of one picture into one array file, top row first, and take them away.

    Args:
        folder: Where the EXR files are.
        stems: Their names without number.
        index: Number of the picture.
        target: The ``.npz`` file to write; it appears only when it is whole.
    """
    arrays: dict[str, np.ndarray] = {}
    for stem in stems:
        file = folder / f"{stem}{index:04d}.exr"
        picture = bpy.data.images.load(str(file))
        width, height = picture.size
        values = np.empty(width * height * picture.channels, np.float32)
        picture.pixels.foreach_get(values)
        bpy.data.images.remove(picture)
        arrays[stem.rstrip("_")] = (
            values.reshape(height, width, -1)[::-1, :, :3].clip(-6e4, 6e4).astype(np.float16)
        )
        file.unlink()
    partial = target.with_name(f"partial_{target.name}")
    np.savez(partial, **arrays)
    partial.replace(target)


def render_frames(
    options: argparse.Namespace, things: dict[int, Thing], camera: Thing, *, is_index: bool
) -> None:
    """Render every wanted picture that is not there yet, either the light or the object numbers."""
    scene = bpy.context.scene
    scene.cycles.pixel_filter_type = "BOX" if is_index else "BLACKMAN_HARRIS"
    scene.cycles.filter_width = 0.01 if is_index else 1.5
    scene.cycles.samples = 1 if is_index else options.samples
    light = {"Image": "light_", "DiffCol": "albedo_", "Normal": "normal_", "Depth": "depth_"}
    stems = {"IndexOB": "index_"} if is_index else light
    add_outputs(options.output, stems)
    for index in options.pictures or range(options.frames):
        target = options.output / f"{'index' if is_index else 'beauty'}_{index:04d}.npz"
        if target.exists():
            continue
        scene.frame_current = index
        scene.cycles.seed = 7 + index
        pose(things, camera, choreography.story_frame(index, options.frames))
        bpy.ops.render.render()
        pack(options.output, list(stems.values()), index, target)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Options after ``--``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--width", type=int, required=True)
    parser.add_argument("--height", type=int, required=True)
    parser.add_argument("--frames", type=int, required=True)
    parser.add_argument("--samples", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--pictures", type=int, nargs="*", default=[])
    return parser.parse_args(arguments)


def main() -> None:
    """Build the scene once, render twice."""
    options = parse(sys.argv[sys.argv.index("--") + 1 :])
    bpy.ops.wm.read_factory_settings(use_empty=True)
    set_renderer(options)
    build_room()
    build_books(-2.25, 1.95)
    build_plant(2.35, 1.75, np.random.default_rng(11))
    things = build_cups_and_ball()
    build_lights()
    camera = build_camera()
    for is_index in (True, False):
        render_frames(options, things, camera, is_index=is_index)


main()
