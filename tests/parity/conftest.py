"""Makes ``reference``, the independent implementation, importable from the tests beside it."""

import importlib.util
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

# the implementation to compare with is not installed on the oldest Python
collect_ignore_glob = [] if importlib.util.find_spec("transformers") else ["test_*.py"]
