"""Code written for SAM 2 after its import lines were changed: one object of an image, then of a video.

Run it as: python examples/from_sam2.py VIDEO X Y
"""

import sys

import numpy as np

from masklet.compat.sam2.build_sam import build_sam2, build_sam2_video_predictor
from masklet.compat.sam2.sam2_image_predictor import SAM2ImagePredictor
from masklet.video import open_source

path, x, y = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
point, label = np.array([[x, y]], dtype=np.float32), np.array([1], dtype=np.int32)

# with a checkpoint: build_sam2("configs/sam2.1/sam2.1_hiera_t.yaml", "sam2.1_hiera_tiny.pt")
predictor = SAM2ImagePredictor(build_sam2("compact"))
with open_source(path) as source:
    predictor.set_image(source.read(0).image)
masks, scores, _ = predictor.predict(point_coords=point, point_labels=label)
print(f"image: {masks[scores.argmax()].sum():.0f} pixels")

video = build_sam2_video_predictor("compact")
state = video.init_state(path)
video.add_new_points_or_box(state, frame_idx=0, obj_id=1, points=point, labels=label)
for frame_idx, _obj_ids, mask_logits in video.propagate_in_video(state):
    print(f"frame {frame_idx}: {int((mask_logits[0] > 0).sum())} pixels")
