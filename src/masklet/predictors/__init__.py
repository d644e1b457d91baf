"""Segmenting images, videos and whole scenes with a loaded model."""
