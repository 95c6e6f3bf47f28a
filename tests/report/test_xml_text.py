from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from rfcheck.printable import printable
from rfcheck.report.xml_text import allowed, xml_text


@pytest.mark.parametrize("text", ["layer1.0", "<b>&\"'", "网络\U0001f600", "a\tb", "a b"])
def test_text_comes_back_from_a_document(text):
    root = ET.fromstring(f'<a b="{xml_text(text)}">{xml_text(text)}</a>')
    assert root.text == root.attrib["b"] == printable(text)


def test_control_characters_are_shown():
    assert xml_text("\x00\x1b\ud800\ufffe\n\u202e<") == r"\x00\x1b\ud800\ufffe\n\u202e&lt;"


def test_only_what_xml_does_not_have_is_replaced():
    assert allowed("a\x00b\x1bc\ud800\uffff") == "a\ufffdb\ufffdc\ufffd\ufffd"
    assert allowed("a\t\n\r ~é网\U0001f600") == "a\t\n\r ~é网\U0001f600"
