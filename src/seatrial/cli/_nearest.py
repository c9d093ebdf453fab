"""A group of commands that tells the nearest one when a word is none of them."""

from __future__ import annotations

import click

from seatrial.errors import Mistake, UsageError, nearest


class Nearest(click.Group):
    """Refuses an unknown word in our own form."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first word names; UsageError when there is none."""
        known = self.list_commands(ctx)
        if args[0] in known or args[0].startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        raise UsageError(
            Mistake(
                f"there is no command {args[0]!r}",
                where=ctx.command_path if ctx.parent else "",
                nearest=nearest(args[0], known),
                fix=f"`{ctx.command_path} --help` lists them",
            )
        )
