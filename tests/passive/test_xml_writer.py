"""The XML writer writes what xmltodict writes, and never what no parser reads."""

from __future__ import annotations

from typing import Any

import pytest
import xmltodict
from hypothesis import given, settings
from hypothesis import strategies as st

from groundschool.cloud.passive.xml_writer import xml_text

names = st.sampled_from(["a", "b", "member"])
values = st.one_of(st.integers(), st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])))
documents = st.recursive(
    values,
    lambda inner: st.one_of(
        st.dictionaries(names, st.one_of(inner, st.none()), max_size=3), st.lists(values, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.dictionaries(names, documents, max_size=3))
def test_every_document_reads_back_as_xmltodict_would_have_written_it(document: dict[str, Any]) -> None:
    theirs = xmltodict.unparse({"root": document}, full_document=False)
    assert xmltodict.parse(xml_text({"root": document})) == xmltodict.parse(theirs)


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"a": {"@xmlns": 'u"', "b": ["1", "2"]}}, "<a xmlns='u\"'><b>1</b><b>2</b></a>"),
        ({"a": None}, "<a/>"),
        ({"a": True}, "<a>true</a>"),
        ({"a": "<&>"}, "<a>&lt;&amp;&gt;</a>"),
        ({"a": "bell\x07"}, "<a>bell?</a>"),
        ({"a": {"@x": "1", "#text": "t"}}, '<a x="1">t</a>'),
    ],
)
def test_the_forms(document: dict[str, Any], text: str) -> None:
    assert xml_text(document) == text
