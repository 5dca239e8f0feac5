"""Write ``docs/reference/python.md``, the functions of ``birthdb.api`` and what they return: ``make generate``."""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator

from birthdb import answers, api, paths
from pgcontract.files import publish

PAGE = "docs/reference/python.md"

_HEAD = """\
<!-- Generated from src/birthdb/api.py and answers.py by `make generate`: edit those. -->

# Functions for Python

How to use them: [From Python](../guide/python.md). `conn` is a `psycopg.Connection`, or a `psycopg.AsyncConnection`:
then the answer is awaited. What a routine does and who may call it is in [objects.md](objects.md).
"""


def text() -> str:
    """Return the page."""
    tree = ast.parse(inspect.getsource(api))
    functions = [one for one in tree.body if isinstance(one, ast.FunctionDef) and one.decorator_list]
    dictionaries = ast.parse(inspect.getsource(answers)).body
    parts = [_HEAD, "## birthdb.api\n", *map(_function, functions)]
    parts += ["## birthdb.answers\n", *(part for one in dictionaries for part in _answer(one))]
    return "\n".join(parts)


def _function(one: ast.FunctionDef) -> str:
    returns = one.returns.slice if isinstance(one.returns, ast.Subscript) else None
    assert returns is not None, f"{one.name} returns no Query"
    given, _, named = ast.unparse(one.args).partition("*, ")
    parts = [part for part in ("conn, /", given.rstrip(", "), f"*, {named}" if named else "") if part]
    signature = f"{one.name}({', '.join(parts)}) -> {ast.unparse(returns)}"
    if len(signature) > 110:
        signature = f"{one.name}(\n    {(',' + chr(10) + '    ').join(parts)},\n) -> {ast.unparse(returns)}"
    spaced = re.sub(r"(?<=[\w\]'])=(?=\S)", " = ", _wrapped(signature))
    return f"### {one.name}\n\n```python\n{spaced}\n```\n\n{_doc(one)}\n"


def _wrapped(signature: str) -> str:
    lines = (
        textwrap.wrap(line, 110, subsequent_indent="    ", break_long_words=False) for line in signature.splitlines()
    )
    return "\n".join(part for line in lines for part in line)


def _doc(one: ast.FunctionDef | ast.ClassDef) -> str:
    said = (ast.get_docstring(one) or "").replace("``", "`")
    return "\n\n".join(textwrap.fill(part, 118, break_on_hyphens=False) for part in said.split("\n\n"))


def _answer(one: ast.stmt) -> Iterator[str]:
    if isinstance(one, ast.ClassDef):
        fields = [(ast.unparse(f.target), ast.unparse(f.annotation)) for f in one.body if isinstance(f, ast.AnnAssign)]
        name, said = one.name, _doc(one) + "\n"
    elif isinstance(one, ast.Assign) and isinstance(one.value, ast.Call):
        table = one.value.args[1]
        assert isinstance(table, ast.Dict)
        keys = [str(ast.literal_eval(key)) for key in table.keys if key is not None]
        fields = list(zip(keys, map(ast.unparse, table.values), strict=True))
        name, said = ast.unparse(one.targets[0]), ""
    elif isinstance(one, ast.Assign):
        yield f"`{ast.unparse(one)}`\n"
        return
    else:
        return
    rows = "\n".join(f"| `{field}` | {hint.replace('|', 'or')} |" for field, hint in fields)
    yield "\n".join(part for part in (f"### {name}\n", said, "| key | type |", "| --- | --- |", rows) if part) + "\n"


def main() -> None:
    """Write the page and name it when it changed."""
    for path in publish(paths.ROOT, {PAGE: text().encode()}):
        print(f"written: {path.relative_to(paths.ROOT)}")


if __name__ == "__main__":
    main()
