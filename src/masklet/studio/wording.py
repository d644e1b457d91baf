"""Sentences of the library for somebody at the page, who has no settings, options or arrays, but buttons and files."""

from __future__ import annotations

import re

_START_WITH = "stop the studio and start it with"

_REWORDED: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(found), said)
    for found, said in (
        # what cannot be set at the page
        (r"make it smaller or raise max_pixels if you trust the file", "make it smaller first"),
        (r"raise max_pixels if you trust the file", "make it smaller first"),
        (r"copy it again, or open it with allow_damaged=True to use .*?(?=\.$)", "copy it again"),
        (r"open it with allow_damaged=True to use .*?(?=\.$)", "copy it again"),
        (
            r"connect to the internet once, pass the path of a checkpoint, or use 'compact', which needs no download",
            f"connect to the internet and try again, or {_START_WITH} the model 'compact', which needs no download",
        ),
        (
            r"connect to the network once, or give the folder of a copy with --detector",
            f"connect to the internet and try again, or {_START_WITH} the detector 'embedded', which needs no download",
        ),
        (
            r"for any other words install masklet\[text\] and give --detector grounding-dino, --detector owlv2, or "
            r"the folder of such a model",
            "for any other words click the object, or ask whoever runs the studio for a detector that knows them",
        ),
        (r", or pass the path of a checkpoint", f"; {_START_WITH} one of these"),
        (r"check the path or pass a preset name", f"{_START_WITH} another model"),
        (r"(pass|give) (weights of SAM 2|a folder that|one that the grounder's|a folder that) .*", f"{_START_WITH} another model."),
        (
            r"number the objects anew \(--renumber\), or choose another format when there are more",
            "choose another format, such as COCO",
        ),
        (r"give one that tools/train_grounder\.py wrote", f"{_START_WITH} another detector"),
        (r"run masklet label --resume", "let masklet label end its run first"),
        (r"give the path of a ", "give a "),
        (r"; check --media", "; add it again"),
        (r"; (check|choose) (the|another) path", "; add it again"),
        (r"lower --threshold, say it in other words, or click on the object", "say it in other words, or click the object"),
        (r"raise --threshold or ask for less", "ask for less"),
        (r"save a session before you close it", "try again"),
        (r"; free space or choose a folder", "; free disk space"),
        (r" in this session; the objects are", "; the objects are"),
        (r" in this stream; the objects are", " on the picture; the objects are"),
        (r" is a stream, read once and forward; give a file or an array to track backward", " comes live and cannot be tracked backward"),
        # sizes as people say them
        (r"\((\d+), (\d+)\) \(h, w\)", r"\2 x \1"),
        (r"\((\d+), (\d+)\)(?= but | pixels|,|;|\.)", r"\2 x \1"),
        (r" \(h, w\)", ""),
    )
)  # fmt: skip


def for_page(message: str) -> str:
    """A message with the advice that helps a programmer put into what helps a person."""
    for found, said in _REWORDED:
        message = found.sub(said, message)
    return message
