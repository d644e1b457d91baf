"""Every error a user of masklet can meet.

MaskletError
├── PromptError            a click, box, mask or object id that cannot be used
├── MediaError             an image or video that cannot be read or written
│   ├── UnsupportedMediaError   not a format we open, or refused for safety
│   ├── DamagedMediaError       ends early, corrupt packets, zero frames
│   └── MediaLimitError         larger than a stated limit
├── ConfigError            a model or training configuration that cannot be built
├── WeightsError           a checkpoint that cannot be used
│   ├── UnknownModelError       no preset and no file of this name
│   ├── DamagedWeightsError     bytes are wrong
│   ├── MismatchedWeightsError  keys or shapes are wrong
│   └── DownloadError           could not be fetched
├── SessionError           a call that the session's state does not allow
├── FormatError            annotations that cannot be parsed or written
├── EffectError            an effect, variant or parameter that does not exist or is not allowed
├── TrainingError          a recipe, data folder or run that cannot go on
├── StudioError            a studio that cannot start, or a request it refuses
├── MissingExtraError      a part of masklet whose packages are not installed
└── CancelledError         the caller asked to stop

Every message is one sentence that says what came, what is allowed and what to do.
"""


class MaskletError(Exception):
    """Base class of every error raised on purpose by masklet."""


class PromptError(MaskletError, ValueError):
    """A prompt or object id that cannot be used."""


class MediaError(MaskletError):
    """An image or video that cannot be read or written."""


class UnsupportedMediaError(MediaError, ValueError):
    """Not a format that is opened, or refused for safety."""


class DamagedMediaError(MediaError):
    """Media that ends early, has corrupt packets or holds no frame."""


class MediaLimitError(MediaError, ValueError):
    """Media larger than a stated limit."""


class ConfigError(MaskletError, ValueError):
    """A model or training configuration that cannot be built."""


class WeightsError(MaskletError):
    """A checkpoint that cannot be used."""


class UnknownModelError(WeightsError, ValueError):
    """Neither a preset nor a file of this name."""


class DamagedWeightsError(WeightsError):
    """A checkpoint whose bytes are wrong."""


class MismatchedWeightsError(WeightsError, ValueError):
    """A checkpoint whose keys or shapes do not fit the model."""


class DownloadError(WeightsError):
    """A checkpoint that could not be fetched."""


class SessionError(MaskletError, RuntimeError):
    """A call that the state of the session does not allow."""


class FormatError(MaskletError, ValueError):
    """Annotations that cannot be parsed or written."""


class EffectError(MaskletError, ValueError):
    """An effect, variant or parameter that does not exist or is not allowed."""


class TrainingError(MaskletError):
    """A recipe, data folder or training run that cannot go on."""


class StudioError(MaskletError):
    """A studio that cannot start, or a request that it refuses."""


class MissingExtraError(MaskletError):
    """A part of masklet whose packages are not installed."""


class CancelledError(MaskletError):
    """The caller asked to stop."""
