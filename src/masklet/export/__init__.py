"""Faster runtimes for the network on a CPU: ONNX Runtime and OpenVINO."""
