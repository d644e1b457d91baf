"""From words to boxes: detectors behind one protocol, one of them inside the package."""
