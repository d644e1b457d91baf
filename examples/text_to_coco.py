"""Find what words name in images and videos, and write a COCO file with classes.

Run it as: python examples/text_to_coco.py SOURCE OUT "dog . person . bicycle"
"""

import json
import sys
from pathlib import Path

import masklet

if __name__ == "__main__":
    summary = masklet.label(sys.argv[1], sys.argv[2], ontology=sys.argv[3], format="coco")
    coco = json.loads(Path(summary.labels).read_text())
    names = {one["id"]: one["name"] for one in coco["categories"]}
    for annotation in coco["annotations"]:
        print(f"{names[annotation['category_id']]}: box {annotation['bbox']}")
    print(f"{len(coco['annotations'])} masks in {summary.labels}")
