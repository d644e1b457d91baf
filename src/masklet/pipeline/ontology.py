"""Which words are searched for, and which class what they find belongs to.

    person: person            # words: class
    bike . bicycle: vehicle   # several phrases of one class
    classes: {dog: [puppy, dog], cat: cat}  # or the other way round, class: words

Source: the caption ontology of Autodistill, in our own form.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from masklet.annotations import Label
from masklet.errors import FormatError, PromptError
from masklet.grounding.base import split_phrases
from masklet.video.overlay import object_color

_MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Ontology:
    """Words to classes.

    Args:
        classes: Name of the class by phrase, in the order in which classes are numbered.

    Raises:
        PromptError: When there is none, or a phrase or name is empty.
    """

    classes: Mapping[str, str]

    def __post_init__(self) -> None:
        """Check the words."""
        if not self.classes:
            raise PromptError("An ontology needs at least one line, such as dog: dog (words: class).")
        for phrase, name in self.classes.items():
            if not name.strip():
                raise PromptError(f"The words {phrase!r} have no class; write {phrase}: {phrase}.")
            if split_phrases(phrase) != (phrase,):
                raise PromptError(f"{phrase!r} must be one phrase without full stops and commas.")

    @property
    def phrases(self) -> tuple[str, ...]:
        """The words that are searched for."""
        return tuple(self.classes)

    @property
    def names(self) -> tuple[str, ...]:
        """The classes, each once, in order."""
        return tuple(dict.fromkeys(self.classes.values()))

    def labels(self) -> dict[int, Label]:
        """The classes as labels of a document, numbered from 1."""
        return labels_named(self.names)

    def describe(self) -> str:
        """The same text for the same ontology."""
        return json.dumps(list(self.classes.items()), ensure_ascii=True)


def labels_named(names: Iterable[str]) -> dict[int, Label]:
    """Labels with these names, numbered from 1, each in a colour of its own."""
    return {
        number: Label(id=number, name=name, color="#{:02x}{:02x}{:02x}".format(*object_color(number)))
        for number, name in enumerate(names, start=1)
    }


def as_ontology(value: object) -> Ontology:
    """An ontology from what a person wrote: a mapping of words to classes, a list of words, or one text.

    Args:
        value: ``{"dog": "animal"}``; ``["dog", "cat"]``; ``"dog . cat"``; ``{"classes": {"animal": ["dog"]}}`` or
            ``{"classes": ["dog", "cat"]}``.

    Raises:
        PromptError: When it is something else, or empty.
    """
    if isinstance(value, Ontology):
        return value
    if isinstance(value, str):
        return Ontology({phrase: phrase for phrase in split_phrases(value)})
    if isinstance(value, list):
        words = [_word(one) for one in cast("list[object]", value)]
        return Ontology({phrase: phrase for word in words for phrase in split_phrases(word)})
    if not isinstance(value, dict):
        raise PromptError(f"An ontology maps words to classes (dog: animal), got {value!r}.")
    lines = cast("dict[object, object]", value)
    if set(lines) == {"classes"} and isinstance(lines["classes"], list):
        return as_ontology(cast("list[object]", lines["classes"]))
    if set(lines) == {"classes"} and isinstance(lines["classes"], dict):
        return Ontology(_turned(cast("dict[object, object]", lines["classes"])))
    return Ontology(
        {
            phrase: _word(name) if name is not None else phrase
            for words, name in lines.items()
            for phrase in split_phrases(_word(words))
        }
    )


def read_ontology(path: Path) -> Ontology:
    """An ontology from a YAML or JSON file.

    Raises:
        FormatError: When the file cannot be read or is no YAML.
        PromptError: When it holds something else than an ontology.
    """
    import yaml

    try:
        if path.stat().st_size > _MAX_BYTES:
            raise FormatError(f"{path} is larger than {_MAX_BYTES} bytes, too large for an ontology.")
        value: object = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FormatError(f"{path} cannot be read ({error.strerror}); check the path.") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        short = " ".join(str(error).split())
        raise FormatError(f"{path} is no YAML: {short}; write one line for each class, dog: dog.") from error
    return as_ontology(value)


def _turned(classes: dict[object, object]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, words in classes.items():
        listed = cast("list[object]", words) if isinstance(words, list) else [words]
        for one in listed:
            for phrase in split_phrases(_word(name if one is None else one)):
                found[phrase] = _word(name)
    return found


def _word(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        advice = (
            "put quotation marks around it"
            if isinstance(value, bool)
            else "write one line for each class, dog: dog"
        )
        raise PromptError(f"Words and classes are texts, got {value!r}; {advice}.")
    return str(value)
