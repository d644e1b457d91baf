"""Cut one object out of an image.

Run it as: python examples/image.py IMAGE X Y OUT.png
"""

import sys

from PIL import Image

import masklet

path, x, y, out = sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
predictor = masklet.ImagePredictor(masklet.load_model("compact"))
embedding = predictor.embed(path)
answer = predictor.predict(embedding, masklet.PromptSet(clicks=[masklet.Click(x, y)]))
Image.fromarray(answer.masks[0]).save(out)
print(f"predicted IoU {answer.scores[0]:.2f}, {answer.masks[0].sum()} pixels")
