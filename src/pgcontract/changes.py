"""What there is to release in a checkout, and what refuses it, as far as the files alone can say."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from alembic.script import ScriptDirectory
from alembic.util import CommandError

from pgcontract.databases import config
from pgcontract.project import GRANTS, SourceError
from pgcontract.references import KINDS, References, references
from pgcontract.scanner import ParseError
from pgcontract.semantic import tokens
from pgcontract.sources import Sources
from pgcontract.texts import Step

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_MEANT_OTHERWISE = {"head", "heads", "base", "current"}
_FILE = re.compile(r"\w+\.sql")


@dataclass
class Changes:
    """What is ahead, sorted by what has to be done for it."""

    changed: set[str] = field(default_factory=set)
    new: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    common: list[str] = field(default_factory=list)
    #: Changed tables and the step that alters each.
    altered: dict[str, Step] = field(default_factory=dict)
    #: Further steps of release/.
    further: list[Step] = field(default_factory=list)


def examine(sources: Sources, name: str, message: str) -> tuple[Changes, list[str]]:
    """Return what there is to release and what is worth a remark. Raises SourceError with every refusal."""
    refusals = [*_unfit(sources, name, message)]
    if refusals:
        raise SourceError("\n".join(refusals))
    changes = Changes()
    for ahead in sources.ahead():
        folder = ahead.path.partition("/")[0]
        if ahead.path in sources.project.common:
            changes.common.append(ahead.path)
            if ahead.kind == "removed":
                refusals.append(f"{ahead.path}: every release runs it\n    git checkout -- sql/{ahead.path}")
        elif folder in KINDS:
            getattr(changes, ahead.kind).add(ahead.path)
        elif ahead.kind == "new" and folder == "release":
            refusals += _step(sources, changes, ahead.path)
        elif ahead.kind == "new":
            refusals.append(f"{ahead.path}: no release runs it\n    roles belong in roles/roles.sql")
        else:
            refusals.append(
                f"{ahead.path}: it was a step of {ahead.release}, which a later release cannot change\n"
                f"    git checkout -- sql/{ahead.path}, and write another step"
            )
    if not refusals and not [*changes.changed, *changes.new, *changes.removed, *changes.common, *changes.further]:
        refusals.append("nothing is ahead of the releases\n    edit sql/ first")
    refusals += _tables(sources, changes, name)
    read: dict[str, References] = {}
    for path, file in sources.living((*KINDS, "release", "roles")):
        try:
            read[path] = references(file.read_text(encoding="utf-8"), sources.project.schema)
        except (ParseError, UnicodeDecodeError) as error:
            refusals.append(f"{path}: cannot be read: {error}\n    correct it")
    for path in sorted((changes.changed | changes.new) & read.keys()):
        refusals += _not_one_object(path, read[path])
    refusals += _still_used(changes, read)
    granted: set[str] = set()
    try:
        granted, unknown = _granted(sources)
    except (ParseError, UnicodeDecodeError) as error:
        refusals.append(f"{GRANTS}: cannot be read: {error}\n    correct it")
    else:
        refusals += [
            f"{GRANTS}: {one} is made by no file\n    take it out of {GRANTS}, or write the file"
            for one in sorted(unknown)
        ]
    if refusals:
        raise SourceError("\n".join(refusals))
    everywhere = granted.union(*(file.names for file in read.values()))
    return changes, [
        f"{path}: nobody is granted it and no file mentions it; list it in grants.sql, if anybody is to use it"
        for path in sorted(changes.new)
        if PurePosixPath(path).stem not in everywhere
    ]


def _unfit(sources: Sources, name: str, message: str) -> Iterator[str]:
    if not _NAME.fullmatch(name) or name in _MEANT_OTHERWISE:
        yield f"{name!r} names no release\n    use up to 32 of a-z, 0-9 and _, beginning with a letter"
    elif (
        name in sources.releases
        or sources.sums_file(name).exists()
        or (sources.root / "migrations" / "versions" / f"{name}.py").exists()
    ):
        yield f"{name} is there already\n    use another name"
    if not message.strip() or not message.isprintable() or '"' in message or "\\" in message:
        yield "the message is to be a line of text, without quotation marks and backslashes\n    use another one"
    for finding in sources.check_releases():
        yield str(finding)
    try:
        head = ScriptDirectory.from_config(config(sources)).get_current_head()
    except CommandError as error:
        yield f"{error}\n    releases are a single line"
    else:
        if head != sources.head:
            yield f"the newest revision is {head}, order.txt ends with {sources.head}\n    bring them together"


def _step(sources: Sources, changes: Changes, path: str) -> Iterator[str]:
    """Note a new file of release/; yield why it cannot be."""
    if path.endswith(".down.sql"):
        if not (sources.sql / (up := path.removesuffix(".down.sql") + ".sql")).is_file():
            yield f"{path}: undoes nothing\n    write sql/{up}"
    elif not _FILE.fullmatch(PurePosixPath(path).name):
        yield f"{path}: no name for a step\n    call it release/name.sql"
    elif not (sources.sql / Step(path).way_back).is_file():
        yield f"{path}: nothing undoes it\n    write sql/{Step(path).way_back}"
    else:
        changes.further.append(Step(path))


def _tables(sources: Sources, changes: Changes, name: str) -> Iterator[str]:
    """Match changed tables with the steps that alter them; yield what has none, and tables that are removed."""
    for path in sorted(changes.removed):
        if path.startswith("tables/"):
            yield (
                f"{path}: a release destroys no rows, so no table is removed\n"
                f"    git checkout -- sql/{path}, and close it for writing: a CHECK (false) NOT VALID refuses new rows"
            )
    for path in sorted(path for path in changes.changed if path.startswith("tables/")):
        up = f"release/{name}_{PurePosixPath(path).stem}.sql"
        step = next((step for step in changes.further if step.path == up), None)
        if step is not None:
            changes.altered[path] = Step(up, makes=path)
            changes.further.remove(step)
        elif not any((sources.sql / twin).is_file() for twin in (up, Step(up).way_back)):
            yield (
                f"{path}: a table cannot be replaced\n"
                f"    write sql/{up}, which alters it, and sql/{Step(up).way_back}, which undoes that"
            )


def living_texts(sources: Sources) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of every living file."""
    for path, file in sources.living((*KINDS, "release", "roles")):
        yield path, file.read_text(encoding="utf-8")


def _not_one_object(path: str, file: References) -> Iterator[str]:
    folder, _, stem = path.removesuffix(".sql").partition("/")
    if not _FILE.fullmatch(PurePosixPath(path).name):
        yield f"{path}: no name for a file of sql/\n    call it {folder}/name.sql"
    elif len(file.makes) > 1 and {made for _, made in file.makes} == {stem} and folder == "functions":
        yield (
            f"{path}: makes {stem} {len(file.makes)} times; an overload has no file, no grant and no DROP of its own, "
            "because a routine's name is enough for each\n    give the other routine another name and file"
        )
    elif [made for made in file.makes if made[0] in KINDS[folder]] != list(file.makes) or [
        made for _, made in file.makes
    ] != [stem]:
        found = ", ".join(f"{kind} {made}" for kind, made in file.makes) or "nothing"
        yield (
            f"{path}: makes {found}; a file makes one object, named after it\n"
            f"    let it make {KINDS[folder][0]} {stem}, and nothing else"
        )


def _still_used(changes: Changes, read: Mapping[str, References]) -> Iterator[str]:
    made = {name for file in read.values() for _, name in file.makes}
    for path in sorted(changes.removed):
        name = PurePosixPath(path).stem
        users = [] if name in made else [other for other, file in read.items() if name in file.names]
        if users:
            yield (
                f"{path}: removed, and still used by {', '.join(users)}\n"
                f"    edit or remove {'it' if len(users) == 1 else 'them'} too, or git checkout -- sql/{path}"
            )


def _granted(sources: Sources) -> tuple[set[str], set[str]]:
    """Return the objects that grants.sql names, and those of them that no file makes."""
    named: set[tuple[str, str]] = set()
    for kind, body in tokens((sources.sql / GRANTS).read_text(encoding="utf-8")):
        words = list(tokens(body)) if kind == "string" else []
        for (_, what), comma, (third, name) in zip(words, words[1:], words[2:], strict=False):
            if what in ("TABLE", "ROUTINE") and comma == ("word", ",") and third == "string":
                named.add((what, name))
    folders = {"TABLE": ("tables", "views"), "ROUTINE": ("functions",)}
    unknown = {
        name
        for what, name in named
        # Alembic's table is no file's: enter.sql makes it as Alembic would.
        if name != sources.project.version_table
        and not any(sources.file(f"{folder}/{name}.sql").is_file() for folder in folders[what])
    }
    return {name for _, name in named}, unknown
