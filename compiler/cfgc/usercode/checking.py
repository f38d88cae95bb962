"""A call of the user's own code against what its source says."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cfgc.diagnostics import Diagnostic
from cfgc.nearest import nearest
from cfgc.usercode.annotations import fits
from cfgc.usercode.calls import GIVEN
from cfgc.usercode.signature import Absent, NotCallable, Parameter, Signature, find_signature
from cfgc.validate.places import key_label, value_label
from cfgc.validate.remedy import Remedy, one_fix
from cfgc.validate.values import found_text

if TYPE_CHECKING:
    from cfgc.diagnostics import Label
    from cfgc.resolve.resolved import Resolved
    from cfgc.source import SourceFile
    from cfgc.usercode.calls import NamedCall
    from cfgc.validate.remedy import Edits


def check_call(call: NamedCall, source: SourceFile, resolved: Resolved) -> Iterator[Diagnostic]:
    """What is certainly wrong with ``call``; where the source does not say, nothing is."""
    found = find_signature(source.text, call.attribute)
    target = value_label(resolved, (*call.location, "target"), "")
    if isinstance(found, Absent):
        close = nearest(call.attribute, found.others)
        defined = ", ".join(f"`{name}`" for name in found.others[:8]) or "no function and no class"
        yield Diagnostic(
            "CFG471",
            f"`{call.module}` has no `{call.attribute}`",
            _with(target, f"did you mean `{close}`?" if close else ""),
            notes=(f"{source.logical} defines {defined}",),
            helps=(f'write `target = "{call.module}:{close}"`',) if close else ("name a function that it defines",),
            fixes=one_fix(Remedy(resolved).set((*call.location, "target"), f"{call.module}:{close}") if close else ()),
        )
    elif isinstance(found, NotCallable):
        yield Diagnostic(
            "CFG472",
            f"`{call.attribute}` is no function",
            target,
            notes=(f"{source.logical}:{found.line}: `{call.attribute} = {found.value}`",),
            helps=("name a function or a class",),
        )
    elif found is not None:
        yield from _Call(call, source, resolved, found).problems()


def _with(label: Label | None, text: str) -> Label | None:
    return replace(label, text=text) if label and text else label


@dataclass(frozen=True)
class _Call:
    call: NamedCall
    source: SourceFile
    resolved: Resolved
    signature: Signature

    def problems(self) -> Iterator[Diagnostic]:
        given = GIVEN[self.call.role]
        taking = [one for one in self.signature.parameters if one.position]
        if len(taking) < len(given) and not self.signature.more_positions:
            handed = ", ".join(f"`{name}`" for name in given)
            yield self._problem(
                f"`{self.call.attribute}` takes no {handed}, which the runtime hands over",
                ("target",),
                "",
                f"let it begin with {handed}",
            )
            return
        handed_over = {one.name for one in taking[: len(given)]}
        open_ = [one for one in self.signature.parameters if one.name not in handed_over and one.keyword]
        for name, value in self.call.arguments.items():
            yield from self._argument(name, value, handed_over, open_)
        missing = [one for one in open_ if one.required and one.name not in self.call.arguments]
        missing += [one for one in taking[len(given) :] if one.required and not one.keyword]
        if missing:
            names = ", ".join(f"`{one.name}`" for one in missing)
            write = ", ".join(f"{one.name} = …" for one in missing)
            yield self._problem(
                f"`{self.call.attribute}` needs {names}", ("target",), "", f"add `{write}` to its `arguments`"
            )

    def _argument(
        self, name: str, value: object, handed_over: set[str], known: list[Parameter]
    ) -> Iterator[Diagnostic]:
        found = next((one for one in known if one.name == name), None)
        if name in handed_over:
            yield self._problem(
                f"`{name}` is handed over by the runtime",
                ("arguments", name),
                "a second value",
                f"drop `{name}`",
                edits=Remedy(self.resolved).drop((*self.call.location, "arguments", name)),
            )
        elif found is None and not self.signature.more_keywords:
            close = nearest(name, [one.name for one in known])
            yield self._problem(
                f"`{self.call.attribute}` takes no `{name}`",
                ("arguments", name),
                f"did you mean `{close}`?" if close else "",
                f"write `{close}`" if close else f"drop `{name}`",
                of_key=True,
                edits=self._renaming(name, close),
            )
        elif found is not None and fits(value, found.annotation) is False:
            wanted = _text(found.annotation)
            yield self._problem(
                f"`{self.call.attribute}` takes `{name}` as `{wanted}`",
                ("arguments", name),
                f"this is {found_text(value)}",
                f"write a value that is `{wanted}`, or change the annotation",
            )

    def _problem(
        self,
        message: str,
        inside: tuple[str, ...],
        text: str,
        help_: str,
        *,
        of_key: bool = False,
        edits: Edits = (),
    ) -> Diagnostic:
        label = key_label if of_key else value_label
        place = label(self.resolved, (*self.call.location, *inside), text)
        where = f"{self.source.logical}:{self.signature.line}: `{self.signature.written}`"
        return Diagnostic("CFG472", message, place, notes=(where,), helps=(help_,), fixes=one_fix(edits))

    def _renaming(self, name: str, close: str | None) -> Edits:
        """The argument under the name that was meant; else out."""
        place, remedy = (*self.call.location, "arguments"), Remedy(self.resolved)
        if close and close not in self.call.arguments:
            return remedy.move((*place, name), (*place, close))
        return remedy.drop((*place, name))


def _text(annotation: ast.expr | None) -> str:
    return ast.unparse(annotation) if annotation else ""
