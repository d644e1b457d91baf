"""Writes a model configuration as JSON and reads it back, checking every type: the header of a file is not trusted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Literal, TypeVar, get_args, get_origin, get_type_hints

from masklet.errors import ConfigError, MismatchedWeightsError
from masklet.models.config import (
    AffinityMemoryConfig,
    AttentionMemoryConfig,
    CompactEncoderConfig,
    DecoderConfig,
    HieraConfig,
    MemoryEncoderConfig,
    ModelConfig,
)

CONFIG_VERSION = 1
_KINDS: Mapping[str, type] = {
    "hiera": HieraConfig,
    "compact": CompactEncoderConfig,
    "attention": AttentionMemoryConfig,
    "affinity": AffinityMemoryConfig,
    "memory-encoder": MemoryEncoderConfig,
    "decoder": DecoderConfig,
}
_KIND_OF: Mapping[type, str] = {value: kind for kind, value in _KINDS.items()}
_LARGEST = 65_536
_T = TypeVar("_T")


def encode_config(config: ModelConfig) -> str:
    """The configuration as JSON, with the version of this form."""
    return json.dumps({"version": CONFIG_VERSION, **_encode_fields(config)}, sort_keys=True)


def _encode_fields(value: object) -> dict[str, object]:
    encoded: dict[str, object] = {}
    if type(value) in _KIND_OF:
        encoded["kind"] = _KIND_OF[type(value)]
    for item in fields(value):  # pyright: ignore[reportArgumentType] - only called with dataclasses
        inner = getattr(value, item.name)
        encoded[item.name] = _encode_fields(inner) if is_dataclass(inner) else inner
    return encoded


def decode_config(text: str, *, source: str) -> ModelConfig:
    """Read a configuration.

    Args:
        text: What encode_config wrote.
        source: Where the text stands, for messages.

    Raises:
        MismatchedWeightsError: When it is no configuration of this version; says which field is wrong.
    """
    try:
        content = json.loads(text)
    except ValueError as error:
        raise MismatchedWeightsError(
            f"The configuration in {source} is not JSON ({error}); save the weights again."
        ) from error
    version = content.pop("version", None) if isinstance(content, dict) else None
    if version != CONFIG_VERSION:
        raise MismatchedWeightsError(
            f"The configuration in {source} has version {version!r}, this masklet reads {CONFIG_VERSION}; "
            "update masklet or save the weights again."
        )
    try:
        return _decode_dataclass(ModelConfig, content)
    except (_BadFieldError, ConfigError) as error:
        raise MismatchedWeightsError(
            f"The configuration in {source} cannot be built: {error}; save the weights again."
        ) from error


class _BadFieldError(ValueError):
    """A field whose value is not of its type."""


def _decode_dataclass(kind: type[_T], content: object) -> _T:
    if not isinstance(content, dict):
        raise _BadFieldError(f"{kind.__name__} must be an object, got {content!r}")
    types = get_type_hints(kind)
    unknown = [name for name in content if name not in types and name != "kind"]
    if unknown:
        raise _BadFieldError(f"{kind.__name__} has no field {unknown[0]!r}")
    values = {name: _decode_value(types[name], content[name], name) for name in types if name in content}
    try:
        return kind(**values)
    except TypeError as error:
        raise _BadFieldError(f"{kind.__name__} lacks a field ({error})") from error


def _decode_value(expected: object, value: object, name: str) -> object:
    origin = get_origin(expected)
    if origin is UnionType or is_dataclass(expected):
        return _decode_kind(get_args(expected) or (expected,), value, name)
    if origin is tuple:
        return _decode_tuple(get_args(expected), value, name)
    if origin is Literal:
        if value not in get_args(expected):
            raise _BadFieldError(f"{name} must be one of {', '.join(get_args(expected))}, got {value!r}")
        return value
    if expected is float and type(value) is int:
        value = float(value)
    if type(value) is not expected:
        raise _BadFieldError(
            f"{name} must be of type {getattr(expected, '__name__', expected)}, got {value!r}"
        )
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise _BadFieldError(f"{name} must be at most {_LARGEST}, got {value}")
    return value


def _decode_kind(allowed: tuple[object, ...], value: object, name: str) -> object:
    kind = _KINDS.get(str(value.get("kind"))) if isinstance(value, dict) else None
    if kind is None or kind not in allowed:
        raise _BadFieldError(f"{name} is of no known kind: {value!r}")
    return _decode_dataclass(kind, value)


def _decode_tuple(items: tuple[object, ...], value: object, name: str) -> tuple[object, ...]:
    if not isinstance(value, list):
        raise _BadFieldError(f"{name} must be a list, got {value!r}")
    expected = [items[0]] * len(value) if items[-1] is Ellipsis else list(items)
    if len(expected) != len(value):
        raise _BadFieldError(f"{name} must have {len(expected)} numbers, got {len(value)}")
    return tuple(_decode_value(kind, item, name) for kind, item in zip(expected, value, strict=True))
