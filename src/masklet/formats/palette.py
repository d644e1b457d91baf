"""Colours of classes whose file gives none: those of VOC's palette, which any number has."""

from __future__ import annotations


def palette_color(number: int) -> str:
    """Color "#rrggbb" of a class number; the bits of the number are dealt to red, green and blue in turn.

    Source: the colour map of PASCAL VOC.
    """
    channels = [0, 0, 0]
    for level in range(8):
        for channel in range(3):
            channels[channel] |= ((number >> (3 * level + channel)) & 1) << (7 - level)
    return "#" + "".join(f"{value:02x}" for value in channels)
