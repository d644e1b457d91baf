"""The names and signatures that existing code imports from other projects, over our engine."""
