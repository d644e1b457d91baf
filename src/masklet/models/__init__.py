"""The network: pure functions of tensors, no state between calls."""
