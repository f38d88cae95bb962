"""Plans of small specs."""

from __future__ import annotations

from typing import Any

from cfgc.lower.lowering import lower_spec
from cfgc.lower.plan import Plan
from cfgc.validate.checker import check_resolved
from tests.unit.rules.building import SMALL, merged, resolved_of


def plan_of(*changes: dict[str, Any]) -> Plan:
    """The plan of the small CPU spec with ``changes`` over it."""
    plan = lower_spec(check_resolved(resolved_of(merged(SMALL, *changes))))
    assert isinstance(plan, Plan)
    return plan
