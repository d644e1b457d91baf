"""Clicks and seconds that a document tells of."""

import json

import numpy as np
from typer.testing import CliRunner

from masklet.annotations import Edit, FrameMask, Project, Track, VideoFacts, save
from masklet.cli.main import build_app
from masklet.geometry import Box, Size
from masklet.masks import rle
from masklet.pipeline.recorded_effort import recorded_effort
from masklet.prompts import Click, PromptSet

SIZE = Size(20, 30)


def document(*edits):
    mask = rle.encode(np.ones(SIZE.hw, dtype=bool))
    frames = {index: FrameMask(frame=index, rle=mask if index < 4 else None) for index in range(5)}
    return Project(
        video=VideoFacts(name="clip.mp4", size=SIZE, num_frames=5),
        tracks={1: Track(object_id=1, frames=frames), 2: Track(object_id=2)},
        prompts={
            1: {
                0: PromptSet(clicks=[Click(3, 4), Click(5, 6, positive=False)]),
                3: PromptSet(clicks=[Click(7, 8)], box=Box(1, 1, 9, 9)),
            }
        },
        edits=edits,
    )


def edit(object_id, time_s):
    return Edit(action="set_prompts", object_id=object_id, frame=0, time_s=time_s)


def test_clicks_that_stand_are_counted():
    first, second = recorded_effort(document())
    assert (first.num_clicks, first.num_boxes, first.num_prompted, first.num_visible) == (3, 1, 2, 4)
    assert first.clicks_per_frame == 0.75
    assert first.seconds is None
    assert (second.num_clicks, second.clicks_per_frame) == (0, None)


def test_time_goes_to_the_object_of_the_later_edit_and_long_pauses_count_as_nothing():
    edits = (edit(1, 100), edit(1, 104), edit(2, 110), edit(2, 1000), edit(1, 1010), edit(None, 1020))
    first, second = recorded_effort(document(*edits))
    assert (first.seconds, second.seconds) == (4 + 10, 6)


def test_the_command_tells_of_both(tmp_path):
    path = tmp_path / "tracks.json"
    save(document(edit(1, 100), edit(1, 104)), path)
    told = CliRunner().invoke(build_app(), ["stats", str(path), "--json"])
    assert told.exit_code == 0, told.output
    values = json.loads(told.stdout)
    assert values["masks"] == 4
    assert values["work"][0]["clicks"] == 3
    assert values["work"][0]["seconds"] == 4
    shown = CliRunner().invoke(build_app(), ["stats", str(path)])
    assert "clip.mp4" in shown.stdout
    assert "0 images, 1 video, 2 objects, 4 masks" in shown.stdout
