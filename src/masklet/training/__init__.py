"""Training of the network from images and video."""
