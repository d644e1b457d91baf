"""Surfaces of the scene as Cycles node graphs. Runs inside Blender only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import bpy

if TYPE_CHECKING:
    from collections.abc import Sequence

Colour: TypeAlias = tuple[float, float, float]
# Blender's types exist inside Blender only; these names say at least which of them is meant.
Material: TypeAlias = Any
Node: TypeAlias = Any
Socket: TypeAlias = Any


class Graph:
    """A new material and short verbs to wire its nodes."""

    def __init__(self, name: str) -> None:
        """Make a material with one principled surface."""
        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        self.tree = self.material.node_tree
        self.surface = self.tree.nodes["Principled BSDF"]
        self._coordinates = self.add("ShaderNodeTexCoord")

    def add(self, kind: str, **values: object) -> Node:
        """Add a node; values set its attributes, or its inputs where no attribute has the name."""
        node = self.tree.nodes.new(kind)
        for name, value in values.items():
            if hasattr(node, name):
                setattr(node, name, value)
            else:
                node.inputs[name.replace("_", " ").title()].default_value = value
        return node

    def link(self, source: Socket, target: Socket) -> None:
        """Wire an output socket to an input socket."""
        self.tree.links.new(source, target)

    def scaled_coordinates(self, scale: Sequence[float]) -> Socket:
        """Object coordinates times ``scale`` per axis."""
        mapping = self.add("ShaderNodeMapping", scale=tuple(scale))
        self.link(self._coordinates.outputs["Object"], mapping.inputs["Vector"])
        return mapping.outputs["Vector"]

    def noise(self, scale: Sequence[float], *, detail: float = 4.0, distortion: float = 0.0) -> Socket:
        """Fractal noise in [0, 1] over object coordinates."""
        node = self.add("ShaderNodeTexNoise", scale=1.0, detail=detail, distortion=distortion, roughness=0.6)
        self.link(self.scaled_coordinates(scale), node.inputs["Vector"])
        return node.outputs["Fac"]

    def ramp(self, factor: Socket, stops: Sequence[tuple[float, Colour]]) -> Socket:
        """Colours at positions in [0, 1]."""
        node = self.add("ShaderNodeValToRGB")
        elements = node.color_ramp.elements
        while len(elements) < len(stops):
            elements.new(0.5)
        for element, (position, colour) in zip(elements, stops, strict=True):
            element.position, element.color = position, (*colour, 1.0)
        self.link(factor, node.inputs["Fac"])
        return node.outputs["Color"]

    def mix(self, blend: str, factor: float, first: Socket | Colour, second: Socket | Colour) -> Socket:
        """Two colours blended as in a paint program, ``factor`` in [0, 1]."""
        node = self.add("ShaderNodeMixRGB", blend_type=blend)
        node.inputs["Fac"].default_value = factor
        for socket, value in ((node.inputs["Color1"], first), (node.inputs["Color2"], second)):
            if isinstance(value, tuple):
                socket.default_value = (*value, 1.0)
            else:
                self.link(value, socket)
        return node.outputs["Color"]

    def bump(self, height: Socket, strength: float, distance: float) -> None:
        """Raise the surface's normals by a height map."""
        node = self.add("ShaderNodeBump", strength=strength, distance=distance)
        self.link(height, node.inputs["Height"])
        self.link(node.outputs["Normal"], self.surface.inputs["Normal"])

    def finish(
        self, colour: Socket | Colour, *, roughness: float, specular: float = 0.5, coat: float = 0.0
    ) -> Material:
        """Set the surface and give back the material."""
        if isinstance(colour, tuple):
            self.surface.inputs["Base Color"].default_value = (*colour, 1.0)
        else:
            self.link(colour, self.surface.inputs["Base Color"])
        self.surface.inputs["Roughness"].default_value = roughness
        self.surface.inputs["Specular"].default_value = specular
        self.surface.inputs["Clearcoat"].default_value = coat
        self.surface.inputs["Clearcoat Roughness"].default_value = 0.18
        return self.material


def wood() -> Material:
    """Oiled oak planks that run along x."""
    graph = Graph("wood")
    planks = graph.add("ShaderNodeTexBrick", offset=0.37, squash=1.0)
    for name, value in (("Scale", 1.0), ("Mortar Size", 0.006), ("Mortar Smooth", 0.3), ("Brick Width", 7.0),
                        ("Row Height", 0.82), ("Bias", 0.0)):  # fmt: skip
        planks.inputs[name].default_value = value
    planks.inputs["Color1"].default_value = (0.72, 0.72, 0.72, 1.0)
    planks.inputs["Color2"].default_value = (1.0, 1.0, 1.0, 1.0)
    planks.inputs["Mortar"].default_value = (0.18, 0.15, 0.13, 1.0)
    place = graph.add("ShaderNodeVectorMath", operation="ADD")
    place.inputs[1].default_value = (1.7, 0.30, 0.0)
    graph.link(graph.scaled_coordinates((1.0, 1.0, 1.0)), place.inputs[0])
    graph.link(place.outputs["Vector"], planks.inputs["Vector"])
    grain = graph.noise((0.55, 9.0, 3.0), detail=6.0, distortion=0.9)
    fibre = graph.noise((2.4, 70.0, 3.0), detail=3.0)
    colour = graph.ramp(
        grain, ((0.30, (0.17, 0.085, 0.040)), (0.50, (0.36, 0.20, 0.10)), (0.70, (0.50, 0.31, 0.165)))
    )
    fibre_colour = graph.ramp(fibre, ((0.35, (0.66, 0.62, 0.58)), (0.60, (1.0, 1.0, 1.0))))
    colour = graph.mix("MULTIPLY", 0.75, colour, fibre_colour)
    colour = graph.mix("MULTIPLY", 1.0, colour, planks.outputs["Color"])
    graph.bump(colour, 0.35, 0.02)
    return graph.finish(colour, roughness=0.36, specular=0.45)


def cup(name: str, colour: Colour) -> Material:
    """Satin enamel with faint wear, one per cup: the cups are nearly, not quite, alike."""
    graph = Graph(name)
    mottle = graph.noise((2.6, 2.6, 2.6), detail=5.0)
    dark, light = tuple(0.86 * c for c in colour), tuple(min(1.12 * c, 1.0) for c in colour)
    tint = graph.ramp(mottle, ((0.35, (dark[0], dark[1], dark[2])), (0.65, (light[0], light[1], light[2]))))
    speckle = graph.noise((42.0, 42.0, 42.0), detail=2.0)
    spots = graph.ramp(speckle, ((0.28, (0.55, 0.55, 0.55)), (0.33, (1.0, 1.0, 1.0))))
    graph.bump(graph.noise((7.0, 7.0, 2.0), detail=3.0), 0.05, 0.05)
    return graph.finish(graph.mix("MULTIPLY", 0.8, tint, spots), roughness=0.34, specular=0.5, coat=0.35)


def ball() -> Material:
    """A soft rubber ball, orange with a pale band, so that its rolling is seen."""
    graph = Graph("ball")
    wave = graph.add("ShaderNodeSeparateXYZ")
    graph.link(graph.scaled_coordinates((1.0, 1.0, 1.0)), wave.inputs["Vector"])
    absolute = graph.add("ShaderNodeMath", operation="ABSOLUTE")
    graph.link(wave.outputs["Z"], absolute.inputs[0])
    band = graph.ramp(absolute.outputs[0], ((0.034, (1.0, 0.62, 0.22)), (0.042, (0.90, 0.13, 0.012))))
    graph.bump(graph.noise((60.0, 60.0, 60.0), detail=2.0), 0.12, 0.01)
    return graph.finish(band, roughness=0.42, specular=0.4)


def plaster() -> Material:
    """A sage-green wall with brush marks."""
    graph = Graph("plaster")
    brush = graph.noise((0.9, 0.9, 1.6), detail=7.0, distortion=0.5)
    colour = graph.ramp(brush, ((0.30, (0.205, 0.270, 0.235)), (0.70, (0.300, 0.370, 0.325))))
    graph.bump(graph.noise((9.0, 9.0, 16.0), detail=5.0), 0.25, 0.03)
    return graph.finish(colour, roughness=0.85, specular=0.2)


def plain(name: str, colour: Colour, *, roughness: float = 0.6, grain: float = 30.0) -> Material:
    """One colour with a fine grain: book cloth, paper, clay, leaf."""
    graph = Graph(name)
    grains = graph.noise((grain, grain, grain), detail=3.0)
    tone = graph.ramp(grains, ((0.3, (0.74, 0.74, 0.74)), (0.7, (1.0, 1.0, 1.0))))
    graph.bump(grains, 0.15, 0.02)
    return graph.finish(graph.mix("MULTIPLY", 1.0, colour, tone), roughness=roughness, specular=0.35)


def paper() -> Material:
    """The edges of a book's pages."""
    graph = Graph("paper")
    leaves = graph.noise((0.6, 0.6, 90.0), detail=2.0)
    colour = graph.ramp(leaves, ((0.35, (0.52, 0.46, 0.36)), (0.65, (0.83, 0.77, 0.66))))
    return graph.finish(colour, roughness=0.8, specular=0.2)
