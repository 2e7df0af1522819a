"""The functions of conditions: a documented list, and nothing else can be called."""

from symbolon.targeting.conditions.functions.function import Function, Parameter
from symbolon.targeting.conditions.functions.registry import FORMS, FUNCTIONS, NOT_OFFERED, mend

__all__ = ["FORMS", "FUNCTIONS", "NOT_OFFERED", "Function", "Parameter", "mend"]
