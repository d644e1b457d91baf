"""Where weights come from, what their names mean, and how they get into the network."""
