"""How the story is told: headed steps, the statement a person types, and what came back."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import IO, Literal
from uuid import UUID

from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

#: Cells up to this length are never broken; from this width on, the first column is not either.
_SHORT, _WIDE = 12, 120


class Teller:
    """Prints to the terminal, or to a file, or nothing where ``quiet``."""

    def __init__(self, *, quiet: bool, file: IO[str] | None = None) -> None:
        """Tell nothing yet."""
        self._console = Console(quiet=quiet, file=file)
        if not self._console.is_terminal:
            self._console.width = _WIDE
        self._hushed = True
        self._steps = 0

    def step(self, title: str, why: str = "") -> None:
        """Begin a numbered step."""
        self._steps += 1
        self._console.print()
        self._console.print(Text(f"{self._steps}. {title}", style="bold"))
        if why:
            self.say(why)

    def say(self, sentence: str, style: str = "dim") -> None:
        """Say a sentence."""
        self._print(Text(sentence, style=style), 3)

    def heard(self, who: str, statement: str) -> None:
        """Show a statement that is being sent, unless statements are not spelled out just now."""
        if not self._hushed:
            self.typed(f"{who}=> ", statement.strip().rstrip(";") + ";")

    @property
    def spelled_out(self) -> bool:
        """Whether statements are shown just now."""
        return not self._hushed

    def typed(self, prompt: str, line: str, language: str = "sql") -> None:
        """Show what somebody types."""
        # The wrappers quote the names of arguments and write a UUID without hyphens; a person does neither.
        line = re.sub(r'"(p_\w+)" =>', r"\1 =>", line)
        line = re.sub(r"'([0-9a-f]{32})'::uuid", lambda found: f"'{UUID(found[1])}'", line)
        code = Syntax("", language, theme="ansi_dark", background_color="default").highlight(line)
        code.rstrip()
        self._print(Text(prompt, style="cyan") + code, 3)

    def answer(self, text: str) -> None:
        """Show what came back."""
        self._print(Text(text, style="green"), 5)

    def refusal(self, code: str, message: str, detail: str | None, hint: str | None) -> None:
        """Show an error of the database."""
        self._print(Text(f"ERROR {code}: {message}", style="bold red"), 5)
        for name, fact in (("DETAIL", detail), ("HINT", hint)):
            if fact:
                self._print(Text(f"{name}: {fact}", style="red"), 5)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]], indent: int = 5) -> None:
        """Show rows; numbers to the right."""
        shown = [["" if cell is None else cell for cell in row] for row in rows]
        table = Table(show_edge=False, pad_edge=False, header_style="bold")
        roomy = self._console.width >= _WIDE
        for position, name in enumerate(columns):
            number = any(isinstance(row[position], int) for row in shown)
            short = all(len(str(row[position])) <= _SHORT for row in shown)
            justify: Literal["left", "right"] = "right" if number else "left"
            table.add_column(
                name, justify=justify, overflow="fold", min_width=len(name), no_wrap=short or (position == 0 and roomy)
            )
        for row in shown:
            table.add_row(*(Text(f"{cell:,}" if type(cell) is int else str(cell)) for cell in row))
        self._print(table, indent)

    @contextmanager
    def aloud(self) -> Iterator[None]:
        """Spell out every statement that is sent inside."""
        before, self._hushed = self._hushed, False
        try:
            yield
        finally:
            self._hushed = before

    @contextmanager
    def hushed(self) -> Iterator[None]:
        """Spell out none of the statements that are sent inside."""
        before, self._hushed = self._hushed, True
        try:
            yield
        finally:
            self._hushed = before

    def busy(self, what: str) -> AbstractContextManager[object]:
        """Show on a terminal that something takes its time."""
        shown = self._console.is_terminal and not self._console.quiet
        return self._console.status(what) if shown else nullcontext()

    def bar(self) -> Progress:
        """Return a progress bar with the time that remains; it is gone when it is done."""
        return Progress(
            TextColumn("   {task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal or self._console.quiet,
        )

    def _print(self, what: Text | Table, indent: int) -> None:
        self._console.print(Padding(what, (0, 0, 0, indent), expand=False))
