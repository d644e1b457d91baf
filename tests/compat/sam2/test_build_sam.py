"""Models by SAM 2's names of configurations, checkpoints and repositories."""

import importlib

import pytest
import torch

import masklet.compat.sam2 as sam2
from masklet.compat.sam2.model import preset_of
from masklet.errors import ConfigError, MismatchedWeightsError, UnknownModelError
from masklet.models.config import PRESETS


@pytest.mark.parametrize(
    ("name", "preset"),
    [
        ("configs/sam2.1/sam2.1_hiera_t.yaml", "sam2.1-tiny"),
        ("configs/sam2.1/sam2.1_hiera_s.yaml", "sam2.1-small"),
        ("configs/sam2.1/sam2.1_hiera_b+.yaml", "sam2.1-base-plus"),
        ("configs/sam2.1/sam2.1_hiera_l.yaml", "sam2.1-large"),
        ("configs/sam2/sam2_hiera_t.yaml", "sam2-tiny"),
        ("sam2_hiera_l.yaml", "sam2-large"),
        ("sam2_hiera_b+", "sam2-base-plus"),
        ("facebook/sam2-hiera-small", "sam2-small"),
        ("facebook/sam2.1-hiera-base-plus", "sam2.1-base-plus"),
        ("compact", "compact"),
    ],
)
def test_names_of_configurations_stand_for_presets(name, preset):
    assert preset_of(name) == preset
    assert preset in PRESETS


@pytest.mark.parametrize("name", ["configs/sam2.1/sam2.1_hiera_x.yaml", "sam_vit_h", "sam3_hiera_t.yaml", ""])
def test_other_names_are_refused(name):
    with pytest.raises(ConfigError, match="not a configuration known here"):
        preset_of(name)


@pytest.mark.parametrize(
    ("module", "names"),
    [
        (
            "build_sam",
            ["build_sam2", "build_sam2_hf", "build_sam2_video_predictor", "build_sam2_video_predictor_hf"],
        ),
        ("sam2_image_predictor", ["SAM2ImagePredictor"]),
        ("automatic_mask_generator", ["SAM2AutomaticMaskGenerator"]),
        ("sam2_video_predictor", ["SAM2VideoPredictor"]),
    ],
)
def test_every_name_lies_in_the_module_it_is_imported_from(module, names):
    found = importlib.import_module(f"masklet.compat.sam2.{module}")
    assert [getattr(found, name) for name in names] == [getattr(sam2, name) for name in names]


def test_a_checkpoint_is_loaded_and_moved(checkpoint):
    model = sam2.build_sam2("debug", checkpoint("debug"), device="cpu")
    assert model.device == torch.device("cpu")
    assert model.to(torch.device("cpu")).eval() is model
    assert model.image_size == 64


def test_the_embedded_model_works_too():
    assert sam2.build_sam2("compact").image_size == 384


def test_the_names_of_the_hub_build_both():
    assert sam2.build_sam2_hf("debug", device="cpu").image_size == 64
    assert sam2.build_sam2_video_predictor_hf("debug", device="cpu").image_size == 64


def test_a_checkpoint_of_another_configuration_is_refused(checkpoint):
    with pytest.raises(MismatchedWeightsError, match="debug-compact"):
        sam2.build_sam2("debug", checkpoint("debug-compact"), device="cpu")


def test_a_missing_checkpoint_is_told():
    with pytest.raises(UnknownModelError, match=r"nowhere\.pt"):
        sam2.build_sam2("debug", "nowhere.pt", device="cpu")


def test_overrides_change_size_and_tidying():
    overrides = ["++model.image_size=96", "++model.fill_hole_area=3", "++model.non_overlap_masks=true"]
    predictor = sam2.build_sam2_video_predictor("debug", device="cpu", hydra_overrides_extra=overrides)
    assert predictor.image_size == 96
    assert predictor.tidying.hole_area == 3
    assert predictor.tidying.is_exclusive


@pytest.mark.parametrize(("wanted", "area", "stability"), [(True, 8, 0.98), (False, 0, 0.0)])
def test_post_processing_is_on_unless_it_is_switched_off(wanted, area, stability):
    predictor = sam2.build_sam2_video_predictor("debug", device="cpu", apply_postprocessing=wanted)
    assert predictor.tidying.hole_area == area
    assert predictor.model.loaded.model.config.least_stability == stability


@pytest.mark.parametrize(
    "options", [{"mode": "train"}, {"hydra_overrides_extra": ["++model.memory_attention.layer=9"]}]
)
def test_what_cannot_be_done_is_refused(options):
    with pytest.raises(ConfigError):
        sam2.build_sam2("debug", device="cpu", **options)
