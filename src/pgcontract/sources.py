"""A checkout: whether the releases run what is in ``sql/``, and how an edit is taken into them."""

import hashlib
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pgcontract.files import publish
from pgcontract.project import GRANTS, MANIFEST, ORDER, SourceError
from pgcontract.render import stale
from pgcontract.texts import Step, Texts, digest

_DECLARED = re.compile(r"`(\w+)` sha256:([0-9a-f]{64})")


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
    """A living file that the releases do not know: ``changed``, ``new`` or ``removed``."""

    kind: str
    path: str
    #: The newest release that reads the file; None for what is new.
    release: str | None = None

    @property
    def because(self) -> str:
        """What tells the file from the releases."""
        return {
            "changed": f"edited since {self.release} was measured",
            "removed": f"the living file is gone, and no release after {self.release} drops it",
            "new": "in no release",
        }[self.kind]


class Sources(Texts):
    """A checkout with CHANGELOG.md: what its releases read, what is ahead of them, and what declared ones keep."""

    def __init__(self, root: Path, commits: Path | None = None) -> None:
        """Read below ``root``, and older texts from the commits of ``commits``; of ``root`` unless said."""
        super().__init__(root)
        self.commits = commits or root

    @contextmanager
    def proposed(self) -> Iterator["Sources"]:
        """Yield a copy of the checkout. What was written into it by the end of the block goes into the checkout.

        An exception leaves the checkout as it was. So does a file that was edited meanwhile and would be overwritten:
        raises SourceError.
        """
        folders = ("sql", "migrations")
        with tempfile.TemporaryDirectory(prefix="pgcontract-") as directory:
            copy = Path(directory)
            for folder in folders:
                shutil.copytree(self.root / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
            if (changelog := self.root / "CHANGELOG.md").is_file():
                shutil.copy(changelog, copy)
            before = _contents(copy)
            yield Sources(copy, self.commits)
            written = {path: content for path, content in _contents(copy).items() if before.get(path) != content}
            for path, content in written.items():
                file = self.root / path
                there = file.read_bytes() if file.is_file() else None
                if path.startswith(folders) and there not in (before.get(path), content):
                    raise SourceError(f"{path} was edited meanwhile; nothing is written\n    send the command again")
            publish(self.root, written)

    def newest(self, path: str) -> str:
        """Return the newest release that reads the file: the one whose text is the living one."""
        return [release for release in self.releases if path in self.files(release)][-1]

    def gone(self, path: str) -> bool:
        """Return whether an earlier release made the object and the last one that names it drops it."""
        named = [step for steps in self.releases.values() for step in steps if step.object == path]
        return bool(named) and named[-1].drops

    def ahead(self) -> Iterator[Ahead]:
        """Yield each living file that differs from what a release was measured with, is in no release, or is gone.

        Raises SourceError where two files have one name.
        """
        living = [*self.living(), (GRANTS, self.sql / GRANTS)]
        if twice := [path for path, times in Counter(file.name for _, file in living).items() if times > 1]:
            raise SourceError(f"several files of sql/ have one name: {', '.join(twice)}\n    rename one")
        listed = {path for release in self.releases for path in self.files(release)}
        sums = {release: self.sums(release) for release in self.releases}
        there = dict(living)
        for path in sorted(listed):
            newest = self.newest(path)
            if self.gone(path):
                if path in there:
                    yield Ahead("new", path)
            elif path not in there:
                yield Ahead("removed", path, newest)
            elif sums[newest].get(path) not in (None, digest(there[path])):
                yield Ahead("changed", path, newest)
        yield from (Ahead("new", path) for path, _ in living if path not in listed)

    def declared(self) -> dict[str, str]:
        """Return the releases that CHANGELOG.md declares, as `` `stage1` sha256:… ``, with the digest of their sums."""
        changelog = self.root / "CHANGELOG.md"
        return dict(_DECLARED.findall(changelog.read_text(encoding="utf-8"))) if changelog.is_file() else {}

    def seal(self, release: str) -> str:
        """Return the digest of a release's sums: what declares it in CHANGELOG.md."""
        return digest(self.sums_file(release))

    def check(self) -> Iterator[Finding]:
        """Yield what is ahead of the releases, and what does not hold of them."""
        start, measure = self.project.start, self.project.measure
        repairs = {"changed": measure, "removed": start, "new": "list it in sql/order.txt"}
        # By what repairs it and what it is: one repair is for many files.
        found: dict[str, dict[str, list[str]]] = {}
        for one in self.ahead():
            declared = one.kind == "changed" and one.release in self.declared()
            repair = start if declared else repairs[one.kind]
            found.setdefault(repair, {}).setdefault(one.because, []).append(one.path)
        for file in stale(self.project):
            repair = f"{self.project.command} render, then {measure}"
            found.setdefault(repair, {}).setdefault("not what pgcontract writes", []).append(self._where(file))
        for repair, files in found.items():
            yield Finding("; ".join(f"{', '.join(paths)}: {because}" for because, paths in files.items()), repair)
        yield from self.check_releases()

    def check_releases(self) -> Iterator[Finding]:
        """Yield releases that are not what they were measured or declared to be, leaving living files aside."""
        declared = self.declared()
        for release in self.releases:
            if not self.recorded(release):
                yield Finding(f"{release}: was never measured", self.project.measure)
                continue
            for path in self.differs(release):
                file = self.manifest_file(release) if path == MANIFEST else self.read_file(release, path)
                if path == ORDER:
                    repair = "git checkout -- sql/order.txt" if release in declared else self.project.measure
                    yield Finding(f"{release}: its steps are not those that were measured", repair)
                elif file.is_relative_to(self.migrations):
                    where = self._where(file)
                    yield Finding(f"{release}: {where} is not what its sums say", f"git checkout -- {where}")
        for release, seal in declared.items():
            if release not in self.releases or not self.recorded(release) or self.seal(release) != seal:
                yield Finding(
                    f"{release}: CHANGELOG.md declares other sums", f"git checkout -- migrations/sums/{release}.sha256"
                )
        if [*self.releases][: len(declared)] != [release for release in self.releases if release in declared]:
            yield Finding("a release is declared, and one before it is not", "declare them in their order")
        yield from self.check_older()

    def check_older(self) -> Iterator[Finding]:
        """Yield releases that would run the text of a later one, because their own is nowhere."""
        for release in self.releases:
            for path in set(self.differs(release)) - {*self.project.common, MANIFEST, ORDER}:
                newest = self.newest(path)
                edited = newest == release or self.sums(newest).get(path) == self.sums(release).get(path)
                if self.read_file(release, path) == self.file(path) and (self.gone(path) or not edited):
                    names = list(self.releases)
                    later = names[names.index(release) + 1 :]
                    newer = next(one for one in later if any(step.object == path for step in self.releases[one]))
                    copy = self._where(self.copy(self.before(newer) or release, path))
                    yield Finding(f"{release}: {newer} has the newer text of {path}", f"write the older one to {copy}")

    def _where(self, file: Path) -> str:
        return file.relative_to(self.root).as_posix()

    def keep(self) -> None:
        """Keep the text of declared releases of what every release runs, where that was edited.

        Raises SourceError for what else was edited in a declared release, and where an older text is nowhere.
        """
        declared = [release for release in self.releases if release in self.declared()]
        for path in self.project.common if declared else ():
            if path in self.differs(declared[-1]):
                self.supersede(declared[-1], path, self.older(path, declared[-1]))
        for release in declared:
            if names := self.differs(release):
                raise SourceError(f"{release} is declared, and differs: {', '.join(names)}\n    {self.project.start}")
        if findings := list(self.check_older()):
            raise SourceError("\n".join(map(str, findings)))

    def supersede(self, release: str, path: str, text: bytes) -> None:
        """Keep a text that holds up to a release and not longer."""
        copy = self.copy(release, path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(text)

    def older(self, path: str, until: str) -> bytes:
        """Return the text that a file had up to a release, as it was measured; from the commits where it was edited.

        Raises SourceError when it is in none.
        """
        release = self.standing(path, self.until(until)) or until
        wanted = self.sums(release).get(path)
        file = self.read_file(release, path)
        texts = iter([file.read_bytes()]) if digest(file) == wanted else self._committed(PurePosixPath(path).name)
        for text in texts:
            if hashlib.sha256(text).hexdigest() == wanted:
                return text
        copy = self._where(self.copy(until, path))
        raise SourceError(f"{path}: the text that {release} was measured with is in no commit\n    write it to {copy}")

    def _committed(self, name: str) -> Iterator[bytes]:
        """Yield the contents that the commits have of files of a name, the newest first; none without git."""
        if shutil.which("git") is None:
            return

        def git(*arguments: str) -> bytes:
            return subprocess.run(["git", "-C", self.commits, *arguments], capture_output=True, check=False).stdout

        log = git("log", "--all", "--raw", "--no-abbrev", "--no-renames", "--format=", "--", f":(glob)**/{name}")
        blobs = [blob for line in log.decode().splitlines() for blob in reversed(line.split()[2:4])]
        for blob in dict.fromkeys(blobs):
            if blob.strip("0"):
                yield git("cat-file", "blob", blob)

    def sum(self, release: str) -> None:
        """Write the sums of what a release reads now."""
        self.sums_file(release).parent.mkdir(parents=True, exist_ok=True)
        self.sums_file(release).write_text("".join(f"{line}\n" for line in self.lines(release)), encoding="utf-8")

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


def _contents(root: Path) -> dict[str, bytes]:
    return {
        file.relative_to(root).as_posix(): file.read_bytes()
        for file in root.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
