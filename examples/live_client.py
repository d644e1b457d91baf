"""Send frames to a running studio and get masks back, as a camera on another machine would.

Run `masklet studio --no-browser`, then: python examples/live_client.py URL VIDEO X Y
URL is the address that the studio printed, with its token.
"""

import io
import json
import sys
from urllib.parse import parse_qs, urlsplit

import numpy as np
from PIL import Image
from websockets.sync.client import connect

from masklet.studio.wire import unpack_mask
from masklet.video import open_source

address, path, x, y = urlsplit(sys.argv[1]), sys.argv[2], float(sys.argv[3]), float(sys.argv[4])
token = parse_qs(address.query)["token"][0]


def as_jpeg(image: np.ndarray) -> bytes:
    """A picture as it goes over the wire."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


with (
    connect(
        f"ws://{address.netloc}/ws/live", additional_headers={"Authorization": f"Bearer {token}"}, proxy=None
    ) as studio,
    open_source(path) as video,
):
    studio.send(json.dumps({"type": "prompt", "object_id": 1, "clicks": [[x, y, True]]}))
    for frame in video:
        studio.send(as_jpeg(frame.image))
        while isinstance(message := studio.recv(), bytes):  # one mask per object, then a summary
            mask = unpack_mask(message)
            print(f"frame {mask.frame}: object {mask.object_id} visible {mask.presence:.0%}")
        if json.loads(message)["type"] == "error":
            sys.exit(json.loads(message)["message"])
