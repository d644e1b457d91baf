import re
import xml.etree.ElementTree as ElementTree

import pytest

from masklet.evaluation.page.charts import (
    Line,
    bar_chart,
    correction_chart,
    good_floor,
    line_chart,
    radar_chart,
    spark_line,
)


def test_curve_goes_from_corner_to_corner():
    chart = line_chart([Line(name="J", points=[(0, 0), (10, 1)])], x_label="x", y_label="y", ticks=(0, 5, 10))
    line = ElementTree.fromstring(chart).find("polyline")
    (x0, y0), (x1, y1) = [tuple(map(float, point.split(","))) for point in line.get("points").split()]
    ticks = [float(t.get("x")) for t in ElementTree.fromstring(chart).iter("text") if t.text in ("5", "10")]
    assert x0 < ticks[0] < x1 == ticks[1]
    assert y0 > y1


def test_bars_count_tenths():
    chart = ElementTree.fromstring(bar_chart([0.05, 0.95, 1.0, 0.91], label="J&F"))
    assert [text.text for text in chart.iter("text") if text.get("class") == "value"] == ["1", "3"]
    assert chart.get("aria-label") == "Number of objects by J&F"


@pytest.mark.parametrize("num_axes", [3, 12])
def test_radar_has_a_corner_per_domain(num_axes):
    names = [f"domain {i} <" for i in range(num_axes)]
    chart = radar_chart(names, {"1 click": [0.5] * num_axes, "box": [1.0] * num_axes})
    polygons = ElementTree.fromstring(chart).findall("polygon")
    assert len(polygons) == 4 + 2
    assert all(len(polygon.get("points").split()) == num_axes for polygon in polygons)
    # the box reaches the outermost ring
    assert polygons[5].get("points") == polygons[3].get("points")


def test_spark_line_of_one_value_is_whole():
    assert re.search(r'points="1\.0,13\.0"', spark_line([0.5]))


@pytest.mark.parametrize(("lowest", "floor"), [(0.1, 0.0), (0.23, 0.2), (0.62, 0.2), (0.7, 0.6), (0.84, 0.8)])
def test_the_axis_begins_below_the_lowest_value(lowest, floor):
    lines = [Line(name="J", points=[(1, 1.0), (2, lowest)])]
    assert good_floor(lines) == floor
    chart = line_chart(lines, x_label="x", y_label="y", ticks=(1, 2), floor=floor)
    assert next(text.text for text in ElementTree.fromstring(chart).iter("text")) == f"{floor:g}"


def test_dots_lie_on_the_curve_also_on_frames_without_a_score():
    chart = correction_chart((1, 2), before=(0.0, 0.0), after=(1.0, 0.5), marked=(0, 2))
    dots = [(dot.get("cx"), dot.get("cy")) for dot in ElementTree.fromstring(chart).findall("circle")]
    assert dots == [("4.0", "6.0"), ("236.0", "45.0")]
