"""Projects and masks as files, and whole projects back again."""
