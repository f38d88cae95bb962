"""Commands of commands: a word that is none of them is answered with the nearest ones."""

from __future__ import annotations

import click

from cfgc.nearest import nearest


class Commands(click.Group):
    """A group that says which of its commands a mistyped one is near to, whatever click's release does."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command of the first word. Raises ``UsageError`` where there is none."""
        word = args[0]
        if not (word in self.commands or word.startswith("-") or ctx.resilient_parsing):
            raise click.UsageError(f"there is no command `{word}`{self.meant_by(word)}", ctx)
        return super().resolve_command(ctx, args)

    def meant_by(self, word: str) -> str:
        """``; did you mean `check`?``; empty when no command is near."""
        known = [name for name, command in self.commands.items() if not command.hidden]
        close = nearest(word, known)
        begun = [name for name in known if len(word) > 1 and name.startswith(word.lower())]
        names = list(dict.fromkeys([*([close] if close else []), *begun]))
        return f"; did you mean {' or '.join(f'`{name}`' for name in names)}?" if names else ""
