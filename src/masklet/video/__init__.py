"""Frames in and out: files, folders, arrays, cameras, still images, overlays and written videos."""

from masklet.video.camera import CameraSource, open_camera
from masklet.video.folder import FolderSource, open_folder
from masklet.video.frames import ArraySource, IterableSource, open_source
from masklet.video.image import read_image, read_indexed_png, write_indexed_png
from masklet.video.overlay import OverlayStyle, draw_overlay, object_color
from masklet.video.probe import VideoFacts, probe
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
