"""What a release reads: the living files of ``sql/``, superseded texts, its manifest, and the sums of all of them.

``sql/order.txt`` lists the steps of every release. A text is the living file, unless a later release has another one:
then ``migrations/objects/<name>/<release>.sql`` keeps the text that held up to and including that release. A path is
``functions/fn_x.sql``, wherever the file lies below ``functions/``: it may move and leave no copy.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pgcontract.project import MANIFEST, ORDER, Project, SourceError

_DROPS = {"tables": "TABLE", "functions": "ROUTINE", "views": "VIEW"}
_FOLDED = ("claims", "objects")
_SECTION = re.compile(r"\[([a-z0-9_]+)\]")


@dataclass(frozen=True)
class Step:
    """A line of order.txt: a file to run, or (``drops``) an object of an earlier release to drop at this point.

    A file of ``release/`` may turn a table of an earlier release into what its living file says (``makes``): the file
    runs, the table's does not.
    """

    path: str
    drops: bool = False
    makes: str | None = None

    @classmethod
    def parse(cls, line: str) -> "Step":
        """Return the step of ``path``, ``drop path`` or ``release/name.sql makes tables/name.sql``.

        Raises ValueError for what is not ``folder/name.sql`` of a known folder.
        """
        drops = line.startswith("drop ")
        path, makes, made = line.removeprefix("drop ").strip().partition(" makes ")
        known = _DROPS.keys() if drops else {"release"} if makes else {*_DROPS, "release"}
        if path.rpartition("/")[0] not in known or not path.endswith(".sql"):
            raise ValueError(f"not a step: {line!r}; known folders: {', '.join(sorted(known))}")
        if makes and (drops or not re.fullmatch(r"tables/\w+\.sql", made.strip())):
            raise ValueError(f"not a step: {line!r}; a step of release/ makes a table, as tables/name.sql")
        return cls(path, drops, made.strip() or None)

    def __str__(self) -> str:
        """Return the line."""
        if self.makes:
            return f"{self.path} makes {self.makes}"
        return f"drop {self.path}" if self.drops else self.path

    @property
    def object(self) -> str:
        """The file that has the text of what there is after the step."""
        return self.makes or self.path

    @property
    def way_back(self) -> str:
        """The twin that undoes a file of ``release/``, which is no object that could be dropped."""
        return self.path.removesuffix(".sql") + ".down.sql"

    @property
    def undone_by_file(self) -> bool:
        """Whether the way back is a file and no DROP."""
        return self.path.startswith("release/")

    @property
    def files(self) -> list[str]:
        """The files that the release reads for the step."""
        if self.drops:
            return []
        return [*dict.fromkeys((self.path, self.object)), *([self.way_back] if self.undone_by_file else [])]

    def drop(self, schema: str) -> str:
        """Return the DROP of the object that the file makes: never CASCADE, so that what depends on it is reported."""
        path = PurePosixPath(self.path)
        return f"DROP {_DROPS[str(path.parent)]} {schema}.{path.stem};\n"


def body_of(text: str, routine: str) -> str | None:
    """Return the body of a routine's file, as ``pg_proc.prosrc`` has it; None where the file has none."""
    found = re.search(rf"AS \${routine}\$(.*?)\${routine}\$", text, re.DOTALL)
    return found[1] if found else None


class Texts:
    """The releases of a directory with ``sql/`` and ``migrations/``: what each runs, reads and fixed."""

    def __init__(self, root: Path) -> None:
        """Read below ``root``. Raises SourceError for a contract.toml or an order.txt that cannot be read."""
        self.root = root
        self.project = Project.read(root)
        self.sql = root / "sql"
        self.migrations = root / "migrations"
        #: The steps of each release, oldest first.
        self.releases = self._order()
        self._places: dict[str, Path] = {}

    def _order(self) -> dict[str, list[Step]]:
        releases: dict[str, list[Step]] = {}
        steps: list[Step] | None = None
        for number, line in enumerate((self.sql / ORDER).read_text(encoding="utf-8").splitlines(), 1):
            entry = line.partition("#")[0].strip()
            if not entry:
                continue
            if section := _SECTION.fullmatch(entry):
                steps = releases.setdefault(section[1], [])
            elif steps is None:
                raise SourceError(f"order.txt, line {number}: name the release first, as [baseline]")
            else:
                try:
                    step = Step.parse(entry)
                except ValueError as error:
                    raise SourceError(f"order.txt, line {number}: {error}") from None
                if step in steps:
                    raise SourceError(f"order.txt, line {number}: {step} stands twice in one release")
                steps.append(step)
        return releases

    @property
    def head(self) -> str:
        """The newest release."""
        return list(self.releases)[-1]

    def until(self, release: str) -> list[str]:
        """Return the release and those before it, newest first. Raises SourceError for one that is not listed."""
        if release not in self.releases:
            raise SourceError(f"sql/order.txt has no [{release}]")
        names = list(self.releases)
        return names[names.index(release) :: -1]

    def before(self, release: str) -> str | None:
        """Return the release before, None for the first."""
        return next(iter(self.until(release)[1:]), None)

    def files(self, release: str) -> list[str]:
        """Return every file that a release reads: the common ones, those of its steps, the twins that undo them."""
        return [*self.project.common, *(path for step in self.releases[release] for path in step.files)]

    def living(self, folders: Iterable[str] = ("roles", "release", *_DROPS)) -> Iterator[tuple[str, Path]]:
        """Yield every living file of the folders, by its path as order.txt has it."""
        for folder in folders:
            for file in sorted((self.sql / folder).rglob("*.sql"), key=lambda file: file.name):
                yield f"{folder}/{file.name}", file

    def file(self, path: str) -> Path:
        """Return the living file of a path, there or not: ``functions/fn_x.sql`` may lie in a folder of its domain."""
        if path.partition("/")[0] in _DROPS and not (path in self._places and self._places[path].is_file()):
            self._places = dict(self.living(_DROPS))
        return self._places.get(path, self.sql / path)

    def standing(self, path: str, releases: Iterable[str]) -> str | None:
        """Return which of ``releases``, newest first, made what there is of a file; None for what is dropped or new."""
        for release in releases:
            if path in self.project.common:
                return release
            named = [step for step in self.releases[release] if step.object == path]
            if named:
                return None if named[-1].drops else release
        return None

    def copy(self, release: str, path: str) -> Path:
        """Return where the text of a file is kept that held up to a release and not longer."""
        return self.migrations / "objects" / PurePosixPath(path).stem / f"{release}.sql"

    def read_file(self, release: str, path: str) -> Path:
        """Return the file that has the text of ``path`` as a release has it, there or not."""
        for later in list(self.releases)[len(self.until(release)) - 1 :]:
            if (copy := self.copy(later, path)).is_file():
                return copy
        return self.file(path)

    def text(self, release: str, path: str) -> str:
        """Return the text that a file has after a release, whichever made it. Raises SourceError when there is none."""
        try:
            return self.read_file(release, path).read_bytes().decode()
        except FileNotFoundError as error:
            raise SourceError(f"{release} has no {path}: there is no {error.filename}") from None

    # ---- manifests

    def manifest_file(self, release: str) -> Path:
        """Return where it is kept what a release fixed otherwise than the one before."""
        return self.migrations / "manifests" / f"{release}.json"

    def manifest(self, release: str) -> dict[str, Any]:
        """Return what a release fixed, in whole; empty for one that was never measured.

        ``objects`` are as the newest major writes them down; what others write has its majors as ``on`` beside it.
        """
        whole: dict[str, Any] = {}
        for each in reversed(self.until(release)):
            if not self.manifest_file(each).is_file():
                return {}
            changes = json.loads(self.manifest_file(each).read_text(encoding="utf-8"))
            for part in _FOLDED:
                entries = whole.get(part, {}) | changes[part]
                changes[part] = {key: entry for key, entry in entries.items() if entry is not None}
            whole = changes
        return whole

    def write_manifest(self, release: str, whole: dict[str, Any]) -> None:
        """Write what a release fixed otherwise than the one before: a line for an object, null for one that is gone."""
        before = self.before(release)
        older = self.manifest(before) if before else {}
        lines = [f'"{part}": {_json(value)}' for part, value in whole.items() if part not in _FOLDED]
        for part in _FOLDED:
            was, now = older.get(part, {}), whole[part]
            changed = [key for key in sorted(was.keys() | now.keys()) if was.get(key) != now.get(key)]
            entries = ",\n".join(f"{_json(key)}: {_json(now.get(key))}" for key in changed)
            lines.append(f'"{part}": {{\n{entries}\n}}' if changed else f'"{part}": {{}}')
        file = self.manifest_file(release)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")

    # ---- sums

    def sums_file(self, release: str) -> Path:
        """Return where the sums of what a release reads are kept."""
        return self.migrations / "sums" / f"{release}.sha256"

    def lines(self, release: str) -> Iterator[str]:
        """Yield the sums of what a release reads now, in the order of its steps, as sha256sum writes them.

        What is no file to run is a comment: that a step drops, or makes a table.
        """

        def summed(path: str) -> str:
            return f"{digest(self.read_file(release, path))}  {path}"

        yield from map(summed, self.project.common)
        for step in self.releases[release]:
            if step.drops or step.makes:
                yield f"# {step}"
            yield from map(summed, step.files)
        if (manifest := self.manifest_file(release)).is_file():
            yield f"{digest(manifest)}  {MANIFEST}"

    def recorded(self, release: str) -> list[str]:
        """Return the sums that are kept of a release; none for one that was never summed."""
        file = self.sums_file(release)
        return file.read_text(encoding="utf-8").splitlines() if file.is_file() else []

    def sums(self, release: str) -> dict[str, str]:
        """Return the sums that are kept of a release, by path."""
        lines = (line.split("  ") for line in self.recorded(release) if not line.startswith("#"))
        return {path: found for found, path in lines}

    def differs(self, release: str) -> list[str]:
        """Return what a release reads otherwise than its sums say, by path; ORDER where its steps are others."""
        was, now = self.recorded(release), list(self.lines(release))
        steps = [line.partition("  ")[2] or line for line in was]
        if steps != [line.partition("  ")[2] or line for line in now]:
            return [ORDER]
        return [step for step, old, new in zip(steps, was, now, strict=True) if old != new]

    def hold(self, release: str, most: int | None = None) -> None:
        """Raise SourceError when a release or one before it would not run what it was measured with.

        Of ``most`` the newest ones only. One that was never measured is not held.
        """
        for each in self.until(release)[:most]:
            if self.recorded(each) and (names := self.differs(each)):
                raise SourceError(f"not what {each} was measured with: {', '.join(names)}\n    {self.project.check}")


def digest(file: Path) -> str:
    """Return the SHA-256 of a file, "missing" where there is none."""
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else "missing"


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
