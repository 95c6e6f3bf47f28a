"""Comments that silence nothing, as findings: rules of the scope "suppression" decide what to say about them."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace
from typing import Any

from rfcheck.config import Settings
from rfcheck.linting.engine import evaluate
from rfcheck.linting.rule import Rule
from rfcheck.linting.selection import is_selected
from rfcheck.linting.suppressing import Silenced, Use, merged, not_fully_used, silence
from rfcheck.linting.suppression import Suppression, names_rule
from rfcheck.linting.suppression_facts import facts_about


def unused_findings(suppressions: Sequence[Suppression], used: Set[Use], rules: Sequence[Rule], settings: Settings) -> Silenced:
    """Findings about comments that silence nothing, name rules that do not exist, or are written wrongly.

    Args:
        suppressions: of files that were linted whole.
        used: what silenced a finding, of all models and input sizes of the run together.
        rules: all rules.
        settings: which of them ran; a comment for a rule that did not is left alone.

    Returns:
        At most one finding per comment and rule, with the comment as its chain. Comments silence these findings too, except that
        one without brackets does not silence what is said about itself.

    Raises:
        RuleError: if a rule fails on the facts.
    """
    judges = [rule for rule in rules if rule.scope == "suppression" and is_selected(rule.code, settings)]
    parts: list[Silenced] = []
    for suppression in not_fully_used(suppressions, used) if judges else ():
        facts = {"suppression": _facts(suppression, used, rules, settings)}
        found = [replace(finding, chain=(suppression.span,)) for rule in judges for finding in evaluate(rule, facts, settings)]
        parts.append(silence(found, [other for other in suppressions if other is not suppression or other.codes]))
    return merged(parts)


def _facts(suppression: Suppression, used: Set[Use], rules: Sequence[Rule], settings: Settings) -> dict[str, Any]:
    named = {entry: [rule for rule in rules if names_rule(entry, rule.code, rule.name)] for entry in suppression.entries}
    idle = [entry for entry in named if (suppression, entry) not in used]
    return facts_about(
        suppression,
        unknown=[entry for entry in idle if not named[entry]],
        unused=[entry for entry in idle if _all_ran(named[entry], settings)],
    )


def _all_ran(named: Sequence[Rule], settings: Settings) -> bool:
    """Whether every rule that an entry stands for was judged, so that it had the chance to find something.

    Rules about comments are judged last, and those about measurements when a model is trained; a comment that silences only
    these is never said to be unused.
    """
    judged = [rule for rule in named if rule.scope in ("model", "layer")]
    return bool(judged) and all(is_selected(rule.code, settings) for rule in judged)
