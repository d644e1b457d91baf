"""Which weights there are by name: where they come from, how large they are and under which licence.

Every published file is held to a SHA-256 that stands here, so a commit of the hub says only where to look. The checksums
and commits are those that many independent projects pin for the same files (at least four each for a checksum). The
embedded weights carry their checksum in the card that lies beside them.
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
        revision: Commit of the repository, or a branch where no commit is known.
        sha256: Checksum the file on the hub must have; None for the others.
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
_COMMITS = {
    "sam2.1-tiny": "de431c4043854a71d8101e17995dfe596bf101a5",
    "sam2.1-small": "ee5bba1d82bb8749febdf90f45e84b687142ba03",
    "sam2.1-base-plus": "b7320756a13354e7530a63935656d35b2f91a290",
    "sam2.1-large": "665f8e2ad61cf5f53d65644ff27c8ee525124610",
    "sam2-tiny": "7c218beaf0bb87874785f32b582f640134fc1c09",
    "sam2-small": "e080ada8afd19df5e165abe71b006edc7f4c3d4e",
    "sam2-base-plus": "main",
    "sam2-large": "e6a8e8809b8f1bfa2238b6d080f3d05cc76bd251",
}
_SHA256 = {
    "sam2.1-tiny": "7402e0d864fa82708a20fbd15bc84245c2f26dff0eb43a4b5b93452deb34be69",
    "sam2.1-small": "6d1aa6f30de5c92224f8172114de081d104bbd23dd9dc5c58996f0cad5dc4d38",
    "sam2.1-base-plus": "a2345aede8715ab1d5d31b4a509fb160c5a4af1970f199d9054ccfb746c004c5",
    "sam2.1-large": "2647878d5dfa5098f2f8649825738a9345572bae2d4350a2468587ece47dd318",
    "sam2-tiny": "65b50056e05bcb13694174f51bb6da89c894b57b75ccdf0ba6352c597c5d1125",
    "sam2-small": "95949964d4e548409021d47b22712d5f1abf2564cc0c3c765ba599a24ac7dce3",
    "sam2-base-plus": "d0bb7f236400a49669ffdd1be617959a8b1d1065081789d7bbff88eded3a8071",
    "sam2-large": "7442e4e9b732a508f80e141e7c2913437a3610ee0c77381a66658c3a445df87b",
}


def _published(version: str, size: str) -> WeightsSource:
    name = f"{version}-{size}"
    return WeightsSource(
        name=name,
        kind="hub",
        repo=f"facebook/{version}-hiera-{size}",
        file=f"{version}_hiera_{size.replace('-', '_')}.pt",
        revision=_COMMITS[name],
        sha256=_SHA256[name],
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
