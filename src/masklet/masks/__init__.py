"""Binary masks: run lengths, polygons, cleaning and scores. Pure functions on bool (h, w), free of torch."""
