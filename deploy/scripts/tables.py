"""Tables of results, for the eye and as Markdown."""

import dataclasses
import os
import pathlib


@dataclasses.dataclass(frozen=True)
class Table:
    title: str
    heads: list[str]
    rows: list[list[str]]
    remark: str
    # Words stand at the left, numbers at the right.
    left: set[int]

    def for_the_eye(self) -> str:
        widths = [max(len(one[index]) for one in [self.heads, *self.rows]) for index in range(len(self.heads))]
        lines = []
        for one in [self.heads, *self.rows]:
            cells = [cell.ljust(width) if index in self.left else cell.rjust(width)
                     for index, (cell, width) in enumerate(zip(one, widths))]
            lines.append("  ".join(cells).rstrip())
        return "\n".join([*lines, "", self.remark]) + "\n"

    def markdown(self) -> str:
        ruler = ["---" if index in self.left else "---:" for index in range(len(self.heads))]
        lines = ["| " + " | ".join(one) + " |" for one in [self.heads, ruler, *self.rows]]
        return "\n".join([f"## {self.title}", "", *lines, "", self.remark]) + "\n"


def publish(table: Table, summary: pathlib.Path) -> None:
    """Prints it, and writes it into the summary and after what is in $GITHUB_STEP_SUMMARY."""
    print(table.for_the_eye(), end="")
    summary.parent.mkdir(parents=True, exist_ok=True)
    summary.write_text(table.markdown())
    print(f"as Markdown in {summary}")
    if workflow := os.environ.get("GITHUB_STEP_SUMMARY"):
        with open(workflow, "a", encoding="utf-8") as file:
            file.write(table.markdown())
