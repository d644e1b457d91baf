"""Labels in the formats of other programs, in and out. A label set is one document per video or image."""

from masklet.formats.archives import ArchiveLimits
from masklet.formats.base import Exporter, Format, Importer
from masklet.formats.convert import Converted, convert, read_labels, renumbered, stripped, write_labels
from masklet.formats.label_set import Entry, Kept, LabelSet
from masklet.formats.losses import LOSSES, Loss
from masklet.formats.media import Media
from masklet.formats.records import records_to_json, with_records
from masklet.formats.source import Source
from masklet.formats.table import FORMATS

__all__ = [
    "FORMATS",
    "LOSSES",
    "ArchiveLimits",
    "Converted",
    "Entry",
    "Exporter",
    "Format",
    "Importer",
    "Kept",
    "LabelSet",
    "Loss",
    "Media",
    "Source",
    "convert",
    "read_labels",
    "records_to_json",
    "renumbered",
    "stripped",
    "with_records",
    "write_labels",
]
