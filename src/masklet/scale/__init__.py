"""The same work on many files: shards, manifest and resume, on one machine or on a Ray cluster."""
