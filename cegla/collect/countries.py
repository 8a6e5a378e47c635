"""Telephone numbers of a list that says of which country they are: they get its prefix before the list is read."""

import pyarrow as pa

from cegla.collect.rules.mapping import Mapping
from cegla.vocabulary.identifier_rules import IdentifierRules
from cegla.vocabulary.identifiers import normalized


def with_prefixes(texts: pa.Table, mapping: Mapping) -> pa.Table:
    """The columns whose form names a country, with its numbers in international form; what is no number of it stays as it is."""
    for name, form in mapping.columns.items():
        if form.region and name in texts.column_names:
            encoded = texts[name].combine_chunks().dictionary_encode()
            rules = IdentifierRules(phone_region=form.region)
            known = pa.array([normalized("phone", text, rules) or text for text in encoded.dictionary.to_pylist()], pa.string())
            texts = texts.set_column(texts.column_names.index(name), name, known.take(encoded.indices))
    return texts
