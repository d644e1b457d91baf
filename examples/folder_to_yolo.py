"""Turn a folder of images and videos into a YOLO segmentation data set.

Run it as: python examples/folder_to_yolo.py FOLDER OUT
"""

import sys

import masklet
from masklet.scale.jobs import ItemDone, ItemFailed


def report(event: object) -> None:
    """Say how far it is."""
    if isinstance(event, ItemDone):
        print(
            f"{event.num_done} of {event.num_items}: {event.record.name}, {event.record.numbers['objects']} objects"
        )
    elif isinstance(event, ItemFailed):
        print(f"given up: {event.record.name}: {event.record.error}")


if __name__ == "__main__":
    summary = masklet.label(sys.argv[1], sys.argv[2], format="yolo", on_event=report)
    print(f"{summary.num_objects} objects in {summary.labels}; look first at {summary.review}")
