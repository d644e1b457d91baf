"""Scoring: data sets with true masks, runners that know no model, and tables of results."""
