"""Which weights there are by name: where they come from, how large they are and under which licence.

The checksums of the published files are not written here, because they could not be read from the publisher when this
table was made. The first download of each file pins its commit and checksum beside the cache, and every later use is
held to them: trust on first use. The embedded weights carry their checksum in the card that lies beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from masklet.models.config import PRESETS, SAM2_SIZES


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsSource:
    """Where the weights of a preset come from.

    Attributes:
        name: The preset.
        kind: In the package, on the Hugging Face hub, or seeded random numbers for tests.
        repo: The hub's repository, "owner/name"; empty unless on the hub.
        file: The file in the repository, or in the package's embedded folder.
        revision: Commit or branch; a branch is pinned to the commit it stood at when first fetched.
        sha256: Checksum of the file when it is known beforehand.
        num_megabytes: About how much is downloaded, 10^6 bytes.
        licence: Of the weights.
    """

    name: str
    kind: Literal["embedded", "hub", "random"]
    repo: str = ""
    file: str = ""
    revision: str = ""
    sha256: str | None = None
    num_megabytes: int = 0
    licence: str = "Apache-2.0"


_MEGABYTES = {"tiny": 156, "small": 184, "base-plus": 324, "large": 898}


def _published(version: str, size: str) -> WeightsSource:
    return WeightsSource(
        name=f"{version}-{size}",
        kind="hub",
        repo=f"facebook/{version}-hiera-{size}",
        file=f"{version}_hiera_{size.replace('-', '_')}.pt",
        revision="main",
        num_megabytes=_MEGABYTES[size],
    )


SOURCES: Mapping[str, WeightsSource] = {
    "compact": WeightsSource(
        name="compact",
        kind="embedded",
        file="compact.safetensors",
        licence="Apache-2.0; trained in part on research-only data, see the model card",
    ),
    **{
        f"{version}-{size}": _published(version, size)
        for version in ("sam2.1", "sam2")
        for size in SAM2_SIZES
    },
    **{name: WeightsSource(name=name, kind="random") for name in PRESETS if name.startswith("debug")},
}
