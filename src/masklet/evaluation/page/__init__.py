"""Results as one self-contained page: no script, no font, no picture is fetched from anywhere."""
