"""JUnit XML, for services that show test results: a suite per model, a test per finding."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from rfcheck.linting.finding import at_least
from rfcheck.report.place import place_of
from rfcheck.report.wording import fix_of, model_of, reason_of, silenced_in
from rfcheck.report.xml_text import allowed

if TYPE_CHECKING:
    from rfcheck.linting.finding import Finding
    from rfcheck.report.result import Failure, Result, Run
    from rfcheck.report.view import View


def render(run: Run, view: View) -> str:
    """A suite per model and per target that failed.

    A finding is a test that fails. One that is too mild to make the run fail, suppressed, or in the baseline is a test that is
    skipped; a model without a finding that is reported has one test that passes. There are no times, as none are taken per finding.
    """
    del view
    suites = [_model(result) for result in run.results] + [_failed(failure) for failure in run.failures]
    root = ET.Element("testsuites", name="rfcheck")
    for count in ("tests", "failures", "errors"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in suites)))
    root.extend(suites)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _model(result: Result) -> ET.Element:
    suite = model_of(result)
    cases = [_reported(suite, result, finding) for finding in result.findings] or [_case(suite, "no findings")]
    cases += [_skipped(suite, one.finding, silenced_in(one)) for one in result.suppressed]
    cases += [_skipped(suite, finding, "in the baseline") for finding in result.known]
    return _suite(suite, cases)


def _failed(failure: Failure) -> ET.Element:
    case = _case(failure.target, "analysis")
    ET.SubElement(case, "error", {"type": "analysis", "message": allowed(reason_of(failure))})
    return _suite(failure.target, [case])


def _suite(name: str, cases: list[ET.Element]) -> ET.Element:
    suite = ET.Element("testsuite", name=allowed(name), tests=str(len(cases)))
    for count, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(count, str(sum(case.find(kind) is not None for case in cases)))
    suite.extend(cases)
    return suite


def _case(suite: str, name: str) -> ET.Element:
    return ET.Element("testcase", classname=allowed(suite), name=allowed(name))


def _reported(suite: str, result: Result, finding: Finding) -> ET.Element:
    fix = fix_of(result, finding)
    text = f"{place_of(result, finding)}: {finding.message}" + ("" if fix is None else f"\nFix: {fix}")
    if not at_least(finding.severity, result.fail_on):
        return _skipped(suite, finding, f"[{finding.severity}] {text}")
    case = _case(suite, _title(finding))
    failure = ET.SubElement(case, "failure", {"type": finding.severity, "message": allowed(finding.message)})
    failure.text = allowed(text)
    return case


def _skipped(suite: str, finding: Finding, why: str) -> ET.Element:
    case = _case(suite, _title(finding))
    ET.SubElement(case, "skipped", {"message": allowed(why)})
    return case


def _title(finding: Finding) -> str:
    return " ".join(part for part in (finding.code, finding.name, finding.layer) if part)
