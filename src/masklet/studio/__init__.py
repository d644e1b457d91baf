"""The studio's server: one local process behind one address; the page comes from ``static/`` when it is built."""

import importlib.util

from masklet.errors import MissingExtraError

_EXTRA_PACKAGES = ("fastapi", "uvicorn", "websockets")

_missing = [name for name in _EXTRA_PACKAGES if importlib.util.find_spec(name) is None]
if _missing:
    raise MissingExtraError(
        f"The studio needs {', '.join(_missing)}, which is not installed; run: pip install 'masklet[studio]'."
    )
