"""The living files of ``sql/``, which release lists them, and their frozen copies."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from birthdb.release import COMMON, MANIFEST, NO_MANIFEST, ORDER, Frozen, Step

SUMS = "SHA256SUMS"

#: What starts the next release.
START = "python -m birthdb.release start NAME -m 'what it brings'"
_FREEZE = "python -m birthdb.release freeze"
_FOLDERS = ("roles", "release", "tables", "functions", "views")
#: What lies in a folder of its domain, which is no part of its name: a file moves, and its object does not.
_OBJECTS = ("tables", "functions", "views")
_SECTION = re.compile(r"\[([a-z0-9_]+)\]")
_DECLARED = re.compile(r"`(\w+)` sha256:([0-9a-f]{64})")


class SourceError(Exception):
    """The sources contradict each other; the message ends with what to do."""


@dataclass(frozen=True)
class Finding:
    """A guard that does not hold."""

    what: str
    repair: str

    def __str__(self) -> str:
        """Return both in a line."""
        return f"{self.what}\n    {self.repair}"


@dataclass(frozen=True)
class Ahead:
    """A living file that the migrations do not know: ``changed``, ``new`` or ``removed``."""

    kind: str
    path: str
    #: The release whose frozen copy is the newest; None for what is new.
    release: str | None = None

    @property
    def because(self) -> str:
        """What tells the file from the migrations."""
        return {
            "changed": f"the living file is not the one frozen in {self.release}",
            "removed": f"the living file is gone, and no release after {self.release} drops it",
            "new": "in no release",
        }[self.kind]


class Sources:
    """A checkout: ``sql/`` with ``order.txt``, ``migrations/frozen/`` and CHANGELOG.md."""

    def __init__(self, root: Path) -> None:
        """Read below ``root``. Raises SourceError for an order.txt that cannot be read."""
        self.root = root
        self.sql = root / "sql"
        self.frozen = Frozen(root / "migrations" / "frozen")
        self.releases = self._order()

    def _order(self) -> dict[str, list[Step]]:
        releases: dict[str, list[Step]] = {}
        steps: list[Step] | None = None
        for number, line in enumerate((self.sql / "order.txt").read_text(encoding="utf-8").splitlines(), 1):
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

    def file(self, path: str) -> Path:
        """Return where the living file of a step lies: ``functions/fn_x.sql`` is ``functions/<domain>/…/fn_x.sql``."""
        folder, _, name = path.partition("/")
        return next((self.sql / folder).rglob(name), self.sql / path) if folder in _OBJECTS else self.sql / path

    def living(self, folders: Iterable[str] = _FOLDERS) -> Iterator[tuple[str, Path]]:
        """Yield every living file of the folders, by the name that ``order.txt`` has for it."""
        for folder in folders:
            for file in sorted((self.sql / folder).rglob("*.sql"), key=lambda file: file.name):
                yield f"{folder}/{file.name}", file

    @property
    def head(self) -> str:
        """The newest release of order.txt."""
        return list(self.releases)[-1]

    def newest(self, path: str) -> str:
        """Return the newest release that makes the file: the one whose frozen copy is the living text."""
        if path in COMMON:
            return self.head
        return [name for name in self.releases if path in self.files(name)][-1]

    def gone(self, path: str) -> bool:
        """Return whether an earlier release made the object and the last one that names it drops it."""
        named = [step for steps in self.releases.values() for step in steps if step.object == path]
        return bool(named) and named[-1].drops

    def files(self, release: str) -> list[str]:
        """Return every file a release freezes: the common ones, its own, the twins that undo them, tables altered."""
        own = [path for step in self.releases[release] if not step.drops for path in {step.path: 0, step.object: 0}]
        twins = [step.way_back for step in self.releases[release] if step.undone_by_file]
        return [*COMMON, *own, *twins]

    def declared(self) -> dict[str, str]:
        """Return the releases that CHANGELOG.md declares, as `` `stage1` sha256:… ``, with the digest of their sums."""
        changelog = self.root / "CHANGELOG.md"
        return dict(_DECLARED.findall(changelog.read_text(encoding="utf-8"))) if changelog.is_file() else {}

    def seal(self, release: str) -> str:
        """Return the digest of a release's sums: what declares it in CHANGELOG.md."""
        return hashlib.sha256(self.frozen.text(release, SUMS).encode()).hexdigest()

    def freeze(self, release: str) -> None:
        """Copy what a release lists; a file that a newer release lists too stays as it was frozen.

        Raises SourceError for a declared release that would change, and for an older text that was never frozen.
        """
        folder = self.frozen.root / release
        wanted: dict[str, bytes] = {}
        for path in self.files(release):
            living, copy = self.file(path), folder / path
            common = path in COMMON
            source = living if common or (self.newest(path) == release and not self.gone(path)) else copy
            if not source.is_file():
                raise SourceError(
                    f"{release}: there is no {source.relative_to(self.root)}\n    "
                    + (
                        "write it"
                        if source == living
                        else f"{self.newest(path)} has the newer text; write the older one there"
                    )
                )
            wanted[path] = source.read_bytes()
        wanted[ORDER] = "".join(f"{step}\n" for step in self.releases[release]).encode()
        if release in self.declared():
            for path, content in wanted.items():
                # What every release runs has moved on with the newest one; sums guard the copies of before.
                if path in COMMON and release != self.head:
                    continue
                if not self.frozen.has(release, path) or (folder / path).read_bytes() != content:
                    raise SourceError(
                        f"{release} is declared, and {path} differs\n    list the file under the next release"
                    )
            return
        unlisted = set(self._frozen_files(folder)) - wanted.keys() - {MANIFEST, SUMS, "manifest.json"}
        # An older text may live there only: what is nowhere else is not removed unasked.
        copies = {path for path in unlisted if self._is_copy(folder / path, self.file(path))}
        if lost := sorted(unlisted - copies):
            raise SourceError(
                f"{release}: frozen but not listed: {', '.join(lost)}\n"
                f"    list it in sql/order.txt under [{release}], or remove it from migrations/frozen/{release}"
            )
        for path in copies:
            (folder / path).unlink()
        for path, content in wanted.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        if not self.frozen.has(release, MANIFEST):
            (folder / MANIFEST).write_text(NO_MANIFEST, encoding="utf-8")
        self.sum(release)

    def sum(self, release: str) -> None:
        """Write the sums of a release's folder, as sha256sum does."""
        folder = self.frozen.root / release
        (folder / SUMS).write_text("".join(f"{line}\n" for line in self._sums(folder)), encoding="utf-8")

    def _sums(self, folder: Path) -> Iterator[str]:
        for path in self._frozen_files(folder):
            if path != SUMS:
                yield f"{hashlib.sha256((folder / path).read_bytes()).hexdigest()}  {path}"

    @staticmethod
    def _frozen_files(folder: Path) -> list[str]:
        return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())

    @staticmethod
    def _is_copy(copy: Path, living: Path) -> bool:
        return living.is_file() and living.read_bytes() == copy.read_bytes()

    def check_copies(self) -> Iterator[Finding]:
        """Yield what differs between the living files and the newest frozen ones; every living file is listed."""
        repairs = {"changed": _FREEZE, "removed": START, "new": "list it in sql/order.txt"}
        yield from self.check_listed()
        for one in self.ahead():
            yield Finding(f"{one.path}: {one.because}", repairs[one.kind])

    def check_listed(self) -> Iterator[Finding]:
        """Yield releases whose steps or files are listed in order.txt otherwise than they are frozen."""
        for release in self.releases:
            order = "".join(f"{step}\n" for step in self.releases[release])
            if not self.frozen.has(release, ORDER) or self.frozen.text(release, ORDER) != order:
                yield Finding(f"{release}: its ORDER is not that of order.txt", _FREEZE)
            for path in self.files(release):
                if not self.frozen.has(release, path):
                    yield Finding(f"{path}: listed under {release}, not frozen there", _FREEZE)

    def ahead(self) -> Iterator[Ahead]:
        """Yield each living file that differs from its newest frozen copy, is in no release, or is gone."""
        listed = list(dict.fromkeys(path for release in self.releases for path in self.files(release)))
        for path in sorted(listed):
            newest = self.newest(path)
            living, copy = self.file(path), self.frozen.root / newest / path
            if self.gone(path):
                if living.is_file():
                    yield Ahead("new", path)
            elif not living.is_file():
                yield Ahead("removed", path, newest)
            elif copy.is_file() and not self._is_copy(copy, living):
                yield Ahead("changed", path, newest)
        yield from (Ahead("new", path) for path, _ in self.living() if path not in listed)

    def check_sums(self) -> Iterator[Finding]:
        """Yield frozen folders whose files are not what their sums say, and declared ones whose sums changed."""
        for release in self.releases:
            folder = self.frozen.root / release
            sums = (folder / SUMS).read_text(encoding="utf-8").splitlines() if (folder / SUMS).is_file() else []
            for line in sorted(set(sums) ^ set(self._sums(folder))):
                yield Finding(
                    f"{release}: {line[66:]} is not what {SUMS} says", f"git checkout -- migrations/frozen/{release}"
                )
        for release, seal in self.declared().items():
            if release not in self.releases or self.seal(release) != seal:
                yield Finding(
                    f"{release}: CHANGELOG.md declares other sums", f"git checkout -- migrations/frozen/{release}"
                )

    def loading(self) -> Iterator[tuple[Step, str]]:
        """Yield what loads ``sql/`` into an empty database, in the order of the releases.

        A file that several releases list comes at each mention: its living text may need what only comes later, and so
        may what uses it. What alters a table does not come: the table's living text is what it makes.
        """
        for step in (step for steps in self.releases.values() for step in steps):
            path = step.object
            # What was dropped for good has no living text, what is made again has one only: nothing to drop.
            if not step.drops and (living := self.file(path)).is_file():
                yield Step(path), living.read_text(encoding="utf-8")
