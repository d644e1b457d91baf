"""What the page is told: no settings, options or types of the library, but what a person there can do."""

import ast
import re
from pathlib import Path

import pytest

import masklet
from masklet.errors import DownloadError, MediaLimitError, PromptError
from masklet.studio.http_errors import describe
from masklet.studio.refusals import in_words, too_large
from masklet.studio.wording import for_page

SOURCE = Path(masklet.__file__).parent
FOREIGN = re.compile(
    r"\b[a-z]+_[a-z_]+\b|--[a-z]|=(True|False|None)|\barrays?\b|\bdtype\b|\buint8\b|\(h, w\)|\bpreset\b|\bcheckpoint\b"
    r"|MASKLET_|\bpath\b|\bFrameSource\b|\bopen_source\b"
)
# what no request leads to: other programs of the package, and what is told in the terminal before there is a page
ELSEWHERE = (
    *("training", "evaluation", "cli", "scale", "export", "compat", "simulate.py", "video/camera.py"),
    *(
        "pipeline/ontology.py",
        "pipeline/run.py",
        "pipeline/text.py",
        "pipeline/track.py",
        "pipeline/effects.py",
    ),
    *("studio/security.py", "studio/serve.py", "studio/studio.py", "weights/save.py", "weights/convert.py"),
    *("formats/convert.py", "grounding/head_file.py"),
)
# what only a wrong program sends or sets, never a page
PROGRAMS = re.compile(
    r"\barrays?\b|uint8|must be bool|is no source of frames|_(size|dim|layers|overlap|alpha)\b|has_target|frames_at_once|by_object|step, or open"
    r"|There is no (model )?preset|of FrameSource|is not a path|a MobileNetV2 fits"
)


def text_of(node):
    """The text of a message, with something likely in place of what is filled in."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(map(text_of, parts))
        case ast.FormattedValue(value=value):
            return "(480, 854)" if re.search(r"\.hw|shape|\.size", ast.unparse(value)) else "X"
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return text_of(left) + text_of(right)
    return ""


def messages():
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        if name.startswith(ELSEWHERE):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not getattr(node.func, "id", "").endswith("Error"):
                continue
            for text in map(text_of, node.args):
                if text.count(" ") > 3 and not PROGRAMS.search(text):
                    yield f"{name}: {text}"


def test_no_message_speaks_the_language_of_the_library():
    found = list(messages())
    assert len(found) > 200
    spoken = [for_page(one.partition(": ")[2]) for one in found]
    assert [one for one in spoken if FOREIGN.search(one)] == []


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            MediaLimitError("'a.png' has 9 x 9 pixels, more than the limit of 4; make it smaller or raise max_pixels if you trust the file."),
            "'a.png' has 9 x 9 pixels, more than the limit of 4; make it smaller first.",
        ),
        (
            PromptError("The mask must be (480, 854) (h, w) like the frame, got [1, 2]."),
            "The mask must be 854 x 480 like the frame, got [1, 2].",
        ),
        (
            DownloadError("It is not here; connect to the internet once, pass the path of a checkpoint, or use 'compact', which needs no download."),
            "It is not here; connect to the internet and try again, or stop the studio and start it with the model 'compact', which needs no download.",
        ),
        (too_large("The file", 3 * 2**30 + 5), "The file is larger than 3 GiB, the most that the studio takes; make it smaller."),
    ],
)  # fmt: skip
def test_the_page_is_told_what_a_person_can_do(error, said):
    assert describe(error)[2] == said


def test_bytes_in_words_are_never_more_than_there_are():
    assert [in_words(one) for one in (0, 5, 1023, 1024, 2047, 2**20, 5 * 2**30)] == [
        *("0 bytes", "5 bytes", "1023 bytes", "1 KiB", "1 KiB", "1 MiB", "5 GiB")
    ]
