"""Diagnostics: the data, its renderers, and the long explanations."""

from cfgc.diagnostics.model import Diagnostic, Label, Rejected, Severity

__all__ = ["Diagnostic", "Label", "Rejected", "Severity"]
