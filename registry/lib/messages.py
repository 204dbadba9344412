"""Sentences of code that knows no languages (the numerics, files), said in the reader's language.

Such code raises plain English with the values already in it; here is each sentence with places for them.
A test holds this list against the sources.
"""

from __future__ import annotations

import re
from functools import cache

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

SENTENCES = [
    gettext_noop(
        "There are {have} days of sales, but forecasting {days} days ahead needs {need}: add older days or "
        "forecast fewer days."
    ),
    gettext_noop("No series has enough days to learn from: add older days or forecast fewer days."),
    gettext_noop("There are no sales in this scope: choose another store or product."),
    gettext_noop("{day} is outside the sales: use {first} to {last}."),
    gettext_noop("Country {country} is not known: use a two-letter code such as CN, DE or US."),
    gettext_noop("{days} days ahead cannot be forecast: use 1 or more."),
    gettext_noop("The model file has schema {found}, not {wanted}: train the model again."),
    gettext_noop("The model file lacks {part}: train the model again."),
    gettext_noop("The model file is damaged: delete this version and train it again."),
    gettext_noop("The model file does not fit its algorithm ({part}): train it again."),
    gettext_noop("The weights {part} have the wrong shape: delete this version and train it again."),
    gettext_noop("The weights {part} are not finite: delete this version and train it again."),
    gettext_noop("There is no algorithm {name}: use one of {known}."),
    gettext_noop("{name} has no setting {key}: use one of {known}."),
    gettext_noop("{key} is {given}: use a {whole}number."),
    gettext_noop("{key} is {given}: use a value from {low} to {high}."),
    gettext_noop("width {width} is not a multiple of heads {heads}: change one of them."),
    gettext_noop("The file of {name} is missing: delete it and make it again."),
    gettext_noop("The file of {name} was changed after it was saved: delete it and make it again."),
    gettext_noop("{dataset} has no {kind} {code}: it has {near}, …"),
    gettext_noop(
        "The training needed more memory than {limit} GB: choose a smaller scope or a smaller network, "
        "or raise TRAINING_MEMORY_MB."
    ),
    gettext_noop("The training was broken off by its worker ({error}). Start it again."),
    gettext_noop("The training was broken off ({error}). Start it again."),
]


@cache
def compile_patterns() -> list[tuple[str, re.Pattern[str]]]:
    """Each sentence with the pattern that finds its values."""
    found = []
    for sentence in SENTENCES:
        parts = re.split(r"\{(\w+)\}", sentence)
        texts = [f"(?P<{part}>.*?)" if at % 2 else re.escape(part) for at, part in enumerate(parts)]
        found.append((sentence, re.compile("".join(texts), re.DOTALL)))
    return found


def translate_message(text: str) -> str:
    """The sentence in the reader's language; as it is when it is not one of ours.

    >>> translate_message("0 days ahead cannot be forecast: use 1 or more.")
    '0 days ahead cannot be forecast: use 1 or more.'
    """
    if not text:
        return ""
    for sentence, pattern in compile_patterns():
        if found := pattern.fullmatch(text):
            return _(sentence).format(**found.groupdict())
    return _(text)
