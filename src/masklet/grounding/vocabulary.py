"""A closed vocabulary: which class a phrase means, by name, plural and synonym."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from masklet.errors import PromptError

VOC_CLASSES = (
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "dining table",
    "dog",
    "horse",
    "motorbike",
    "person",
    "potted plant",
    "sheep",
    "sofa",
    "train",
    "tv monitor",
)
"""The twenty classes of Pascal VOC, in their order there; channel 0 of a map is the background."""

SYNONYMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "aeroplane": ("airplane", "plane", "aircraft", "jet", "airliner"),
        "bicycle": ("bike", "cycle", "push bike"),
        "bird": ("parrot", "duck", "mallard", "gull", "seagull", "swan", "goose", "pigeon", "eagle", "hen"),
        "boat": ("ship", "sailboat", "sailing boat", "yacht", "canoe", "kayak", "ferry", "vessel"),
        "bottle": ("wine bottle", "beer bottle", "water bottle", "flask"),
        "bus": ("coach", "autobus", "minibus", "omnibus"),
        "car": ("automobile", "auto", "taxi", "cab", "sedan", "suv", "hatchback", "jeep", "motor car", "van"),
        "cat": ("kitten", "kitty", "tomcat", "house cat"),
        "chair": ("armchair", "seat", "stool"),
        "cow": ("cattle", "calf", "bull", "ox"),
        "dining table": ("table", "desk", "diningtable"),
        "dog": ("puppy", "hound", "pup", "doggy", "terrier", "poodle", "labrador"),
        "horse": ("pony", "foal", "mare", "stallion"),
        "motorbike": ("motorcycle", "motor bike", "moped", "scooter"),
        "person": (
            "human",
            "human being",
            "man",
            "woman",
            "child",
            "kid",
            "boy",
            "girl",
            "guy",
            "lady",
            "adult",
            "baby",
            "pedestrian",
            "rider",
            "player",
            "dancer",
            "skater",
            "driver",
        ),
        "potted plant": ("plant", "pot plant", "house plant", "houseplant", "pottedplant", "flower pot"),
        "sheep": ("lamb", "ram", "ewe"),
        "sofa": ("couch", "settee", "loveseat"),
        "train": ("locomotive", "tram", "railway", "streetcar"),
        "tv monitor": (
            "tv",
            "television",
            "monitor",
            "screen",
            "display",
            "tvmonitor",
            "tv set",
            "computer screen",
        ),
    }
)
"""Other words for the classes. Kinds of a thing (puppy, taxi) find the whole class: the model cannot tell them apart."""

_IRREGULAR: Mapping[str, str] = MappingProxyType(
    {
        "people": "person",
        "persons": "person",
        "men": "man",
        "women": "woman",
        "children": "child",
        "ladies": "lady",
        "calves": "calf",
        "oxen": "ox",
        "geese": "goose",
        "buses": "bus",
        "busses": "bus",
        "puppies": "puppy",
        "shoes": "shoe",
    }
)
_ARTICLES = frozenset(
    ("a", "an", "the", "all", "every", "each", "any", "some", "my", "your", "his", "her", "their")
)
_NOT_LETTERS = re.compile(r"[^\w]+")
_SIBILANTS = ("ses", "xes", "zes", "ches", "shes")

OPEN_VOCABULARY_ADVICE = (
    "for any other words install masklet[text] and give --detector grounding-dino, --detector owlv2, or the folder of "
    "such a model"
)

Resembling = Callable[[str, Sequence[str]], str | None]
"""Given a phrase and known words, the word that means nearly the same, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Classes that can be asked for, and the words for each.

    Attributes:
        classes: Names, in the order of the model's channels.
        synonyms: Further words by class; singular, lower case.
        resembling: Finds a word of nearly the same meaning where none is equal; None leaves it at equal words.
    """

    classes: tuple[str, ...] = VOC_CLASSES
    synonyms: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: SYNONYMS)
    resembling: Resembling | None = None

    def class_of(self, phrase: str) -> str:
        """The class that a phrase means.

        Raises:
            PromptError: When it means none; says which words are known and how to find other things.
        """
        known = self.words()
        for form in _forms(phrase):
            if form in known:
                return known[form]
        alike = None if self.resembling is None else self.resembling(phrase, tuple(known))
        if alike is not None:
            return known[alike]
        raise PromptError(
            f"The embedded detector does not know {phrase!r}; it knows {', '.join(self.classes)} and common words for "
            f"them, and {OPEN_VOCABULARY_ADVICE}."
        )

    def words(self) -> dict[str, str]:
        """Every known word, and its class."""
        known = {name: name for name in self.classes}
        for name in self.classes:
            for word in self.synonyms.get(name, ()):
                known.setdefault(word, name)
        return known


def _forms(phrase: str) -> Iterator[str]:
    """A phrase as it is, then in the singular: lower case, without articles and signs."""
    words = [word for word in _NOT_LETTERS.split(phrase.lower()) if word]
    while len(words) > 1 and words[0] in _ARTICLES:
        words = words[1:]
    if not words:
        return
    for last in (words[-1], *_singulars(words[-1])):
        yield " ".join((*words[:-1], last))


def _singulars(word: str) -> Iterator[str]:
    """What a word may be the plural of."""
    if word in _IRREGULAR:
        yield _IRREGULAR[word]
    if word.endswith("ies"):
        yield word[:-3] + "y"
    if word.endswith(_SIBILANTS):
        yield word[:-2]
    if word.endswith("s") and not word.endswith("ss"):
        yield word[:-1]
