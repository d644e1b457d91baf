"""Image features and masks equal those of an independent implementation with the same random weights."""

import pytest
import torch
from reference import our_model, random_pixels, random_state, reference_model

from masklet.models.config import preset

pytestmark = pytest.mark.parity
SIZES = [
    "sam2.1-tiny",
    "sam2.1-small",
    "sam2-tiny",
    pytest.param("sam2.1-base-plus", marks=pytest.mark.slow),
    pytest.param("sam2.1-large", marks=pytest.mark.slow),
]
CLICKS = ([[[50.0, 60.0], [100.0, 20.0]], [[5.0, 6.0], [200.0, 220.0]]], [[1, 0], [1, 1]])
BOXES = ([[[20.0, 30.0], [120.0, 200.0]], [[0.0, 0.0], [255.0, 255.0]]], [[2, 3], [2, 3]])
BOX_AND_CLICK = (
    [[[20.0, 30.0], [120.0, 200.0], [70.5, 90.25]], [[0.0, 9.0], [99.0, 88.0], [7.0, 8.0]]],
    [[2, 3, 1], [2, 3, 0]],
)
PROMPTS = {"clicks": CLICKS, "box": BOXES, "box and click": BOX_AND_CLICK}
LIMIT = 1e-4


def difference(ours, theirs):
    """Largest difference, relative to the largest value."""
    assert ours.shape == theirs.shape
    return float((ours - theirs).abs().max() / theirs.abs().max())


class Pair:
    """Both implementations with one state, and the features of two frames."""

    def __init__(self, config, num_frames=2):
        state = random_state(config, seed=3)
        self.ours, self.theirs = our_model(config, state), reference_model(config, state)
        self.theirs.mask_decoder.dynamic_multimask_via_stability = False
        self.pixels = random_pixels(num_frames, config.image_size, seed=0)
        with torch.inference_mode():
            self.image = self.ours.encode_image(self.pixels)
            flat = self.theirs.get_image_features(self.pixels, return_dict=True).fpn_hidden_states
        sides = [config.image_size // stride for stride in (4, 8, 16)]
        self.maps = [
            m.permute(1, 2, 0).unflatten(2, (side, side)) for m, side in zip(flat, sides, strict=True)
        ]

    def our_masks(self, points, labels, mask):
        end = torch.zeros(len(points), 1, 2)
        prompts = self.ours.encode_prompts(
            torch.cat([points, end], dim=1), torch.cat([labels, end[..., 0].long() - 1], dim=1), mask
        )
        return self.ours.decode(self.ours.no_memory(self.image.features), self.image.skips, prompts)

    def their_masks(self, points, labels, mask, *, several):
        *skips, features = self.maps
        sparse, dense = self.theirs.prompt_encoder(points[:, None], labels[:, None], None, mask)
        position = self.theirs.get_image_wide_positional_embeddings().expand(len(points), -1, -1, -1)
        features = features + self.theirs.no_memory_embedding.flatten()[:, None, None]
        masks, iou, tokens, presence = self.theirs.mask_decoder(
            features, position, sparse, dense, multimask_output=several, high_resolution_features=skips
        )
        return masks[:, 0], iou[:, 0], tokens[:, 0], presence.flatten()


@pytest.fixture(scope="module", params=SIZES)
def pair(request):
    return Pair(preset(request.param).resized(256))


def test_image_features(pair):
    skip4, skip8, features = pair.maps
    assert difference(pair.image.features, features) < LIMIT
    assert difference(pair.image.skip4, skip4) < LIMIT
    assert difference(pair.image.skip8, skip8) < LIMIT


@pytest.mark.parametrize("several", [True, False])
@pytest.mark.parametrize("with_mask", [True, False])
@pytest.mark.parametrize("kind", PROMPTS)
def test_masks_scores_and_presence(pair, kind, with_mask, several):
    points, labels = torch.tensor(PROMPTS[kind][0]), torch.tensor(PROMPTS[kind][1])
    mask = 5 * torch.randn(2, 1, 64, 64, generator=torch.Generator().manual_seed(7)) if with_mask else None
    with torch.inference_mode():
        ours = pair.our_masks(points, labels, mask)
        logits, iou, tokens, presence = pair.their_masks(points, labels, mask, several=several)
    chosen = slice(1, None) if several else slice(0, 1)
    assert difference(ours.logits[:, chosen], logits) < LIMIT
    assert difference(ours.iou[:, chosen], iou) < LIMIT
    assert difference(ours.tokens[:, chosen], tokens) < LIMIT
    assert difference(ours.presence, presence) < LIMIT


def test_the_comparison_sees_every_tensor_of_the_image_path():
    """A change in any one tensor that takes part in an image moves the result, so nothing was hidden by a zero."""
    config = preset("debug")
    state = random_state(config, seed=3)
    pixels = random_pixels(1, 64, seed=0)
    points, labels = (
        torch.tensor([[[9.0, 9.0], [3.0, 3.0], [20.0, 30.0], [50.0, 50.0], [0.0, 0.0]]]),
        torch.tensor([[2, 3, 1, 0, -1]]),
    )
    model = our_model(config, state)

    @torch.inference_mode()
    def outputs():
        image = model.encode_image(pixels)
        features = model.no_memory(image.features)
        results = []
        for mask in (None, 3 * torch.ones(1, 1, 16, 16)):
            decoded = model.decode(features, image.skips, model.encode_prompts(points, labels, mask))
            results += [decoded.logits.flatten(), decoded.iou.flatten(), decoded.presence]
        return torch.cat(results)

    before = outputs()
    parameters = dict(model.named_parameters())
    outside = ("memory", "pointer", "no_memory_position", "no_object_pointer", "absent", "mask_pointer")
    unmoved = []
    for name, parameter in parameters.items():
        # a key's bias shifts all scores of a query alike, which softmax cancels
        if name.startswith(outside) or name.endswith("key.bias"):
            continue
        with torch.no_grad():
            parameter.add_(0.5 * torch.sign(parameter))
            if torch.equal(outputs(), before):
                unmoved.append(name)
            parameter.copy_(state[name])
    assert unmoved == []
    assert torch.equal(outputs(), before)


@pytest.mark.slow
def test_full_resolution():
    pair = Pair(preset("sam2.1-tiny"), num_frames=1)
    points, labels = torch.tensor([[[500.0, 600.0], [100.0, 20.0]]]), torch.tensor([[1, 0]])
    with torch.inference_mode():
        ours = pair.our_masks(points, labels, None)
        logits, iou, _, presence = pair.their_masks(points, labels, None, several=True)
    assert difference(pair.image.features, pair.maps[2]) < LIMIT
    assert difference(ours.logits[:, 1:], logits) < LIMIT
    assert difference(ours.iou[:, 1:], iou) < LIMIT
    assert difference(ours.presence, presence) < LIMIT


def test_published_versions_differ_only_in_memory():
    """2.0 and 2.1 share the image path; 2.1 adds the age of pointers and the mark on absent memories."""
    newer = random_state(preset("sam2.1-tiny"), seed=3)
    older = random_state(preset("sam2-tiny"), seed=3)
    assert set(newer) - set(older) == {"absent_embedding", "pointer_time.weight", "pointer_time.bias"}
    assert set(older) <= set(newer)
