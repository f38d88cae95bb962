"""Diagnostics: the data, its renderers, and the long explanations."""

from cfgc.diagnostics.model import Diagnostic, Edit, Fix, Label, Rejected, Severity

__all__ = ["Diagnostic", "Edit", "Fix", "Label", "Rejected", "Severity"]
