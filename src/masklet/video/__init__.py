"""Frames in and out: files, folders, arrays, cameras, still images, overlays and written videos.

Names are imported when they are first used: who reads a still image does not wait for the decoders of videos.
"""

from typing import TYPE_CHECKING

from masklet.lazy import names_on_first_use

if TYPE_CHECKING:
    from masklet.video.camera import CameraSource, open_camera
    from masklet.video.facts import VideoFacts, probe
    from masklet.video.folder import FolderSource, open_folder
    from masklet.video.frames import ArraySource, IterableSource, open_source
    from masklet.video.image import read_image, read_indexed_png, write_indexed_png
    from masklet.video.overlay import OverlayStyle, draw_overlay, object_color
    from masklet.video.reader import VideoReader, open_video
    from masklet.video.source import Frame, FrameSource
    from masklet.video.writer import Mp4Writer, OverlayWriter

__all__ = [
    "ArraySource",
    "CameraSource",
    "FolderSource",
    "Frame",
    "FrameSource",
    "IterableSource",
    "Mp4Writer",
    "OverlayStyle",
    "OverlayWriter",
    "VideoFacts",
    "VideoReader",
    "draw_overlay",
    "object_color",
    "open_camera",
    "open_folder",
    "open_source",
    "open_video",
    "probe",
    "read_image",
    "read_indexed_png",
    "write_indexed_png",
]

_HOME_OF_NAME = {
    "ArraySource": "masklet.video.frames",
    "CameraSource": "masklet.video.camera",
    "FolderSource": "masklet.video.folder",
    "Frame": "masklet.video.source",
    "FrameSource": "masklet.video.source",
    "IterableSource": "masklet.video.frames",
    "Mp4Writer": "masklet.video.writer",
    "OverlayStyle": "masklet.video.overlay",
    "OverlayWriter": "masklet.video.writer",
    "VideoFacts": "masklet.video.facts",
    "VideoReader": "masklet.video.reader",
    "draw_overlay": "masklet.video.overlay",
    "object_color": "masklet.video.overlay",
    "open_camera": "masklet.video.camera",
    "open_folder": "masklet.video.folder",
    "open_source": "masklet.video.frames",
    "open_video": "masklet.video.reader",
    "probe": "masklet.video.facts",
    "read_image": "masklet.video.image",
    "read_indexed_png": "masklet.video.image",
    "write_indexed_png": "masklet.video.image",
}

__getattr__, __dir__ = names_on_first_use(__name__, _HOME_OF_NAME)
