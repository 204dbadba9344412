"""Products and stores as people type them: a code, a name, a part of one. A wrong one gets a way on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from registry.autocomplete import MAX_SIMILAR, find_elsewhere, find_misspelled, match_codes
from registry.datasets.addresses import address_prefix, dataset_prefix
from registry.datasets.models import Dataset, DatasetVersion, list_codes
from registry.datasets.names import load_names
from registry.labels import with_name
from registry.templatetags.pages import forecast_url

MAX_CHOICES = 5  # codes among which a part of a name leaves the choice


class UnknownCode(ValueError):
    """The typed text names no store or product. The sentence holds links."""


@dataclass(frozen=True)
class TypedCode:
    """A text typed for a store or a product, the other values of its form, and its address with values."""

    sales: DatasetVersion
    kind: str
    text: str
    question: Mapping[str, str]
    address: Callable[..., str] = forecast_url

    def resolve(self) -> str:
        """The one code it can mean; raises UnknownCode with what to choose instead."""
        found = match_codes(self.sales, self.kind, self.text)
        if len(found) == 1:
            return found[0]
        if found:
            sentence = _("“%(typed)s” fits several:") % {"typed": self.text}
            more = [_("and others")] if len(found) > MAX_CHOICES else []
            raise UnknownCode(self.say(sentence, found[:MAX_CHOICES], *more))
        raise UnknownCode(self.point_elsewhere() or self.propose_similar())

    def point_elsewhere(self) -> SafeString | None:
        """That another dataset has it, with the link that forecasts it there."""
        item = find_elsewhere(self.sales.dataset, self.kind, self.text)
        if item is None:
            return None
        sentence = _("“%(typed)s” is not in %(dataset)s; %(label)s is in %(other)s:") % {
            "typed": self.text,
            "dataset": self.sales.dataset,
            "label": with_name(item.code, item.name),
            "other": item.dataset,
        }
        return format_html("{} {}", sentence, self.link(item.code, _("use it"), item.dataset))

    def propose_similar(self) -> SafeString:
        """Codes written alike; without any, the first ones as examples."""
        codes = list_codes(self.sales, self.kind)
        words = {"typed": self.text, "dataset": self.sales.dataset}
        if alike := find_misspelled(self.sales, self.kind, self.text, codes):
            return self.say(_("“%(typed)s” is not in %(dataset)s. Did you mean:") % words, alike)
        sentence = _("“%(typed)s” is not in %(dataset)s. Choose one from the list, such as:") % words
        return self.say(sentence, codes[:MAX_SIMILAR])

    def say(self, sentence: str, codes: list[str], *more: str) -> SafeString:
        """The sentence, followed by a link for each code."""
        names = load_names(self.sales)
        links = [
            self.link(code, names.format_series(**{"store": "", "product": "", self.kind: code}))
            for code in codes
        ]
        return format_html(
            "{} {}", sentence, format_html_join(" · ", "{}", [(one,) for one in (*links, *more)])
        )

    def link(self, code: str, label: str, dataset: Dataset | None = None) -> SafeString:
        """A link that forecasts that code instead; another dataset knows nothing of the other values."""
        if dataset is None:
            return anchor(self.address(**{**self.question, self.kind: code}), label)
        with address_prefix(dataset_prefix(dataset.pk)):
            return anchor(self.address(**{self.kind: code, "horizon": self.question.get("horizon")}), label)


def anchor(address: str, label: str) -> SafeString:
    """A link."""
    return format_html('<a href="{}">{}</a>', address, label)
