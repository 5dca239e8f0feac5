"""The package as its users get it: installed from the wheel, without extras, away from any checkout."""

import json
import re
import shlex
import subprocess
import sys
import sysconfig
import tarfile
import venv
from collections.abc import Iterator
from datetime import date
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version
from support import RELEASER, Database

from birthdb import __version__, cli, paths, target

#: What a module says that needs more than the package, and whose that is.
NEEDS = {
    "birthdb.django": "No module named 'django'",
    "birthdb.pytest_plugin": "this plugin needs its extra: pip install 'birthdb[pytest]'",
    **dict.fromkeys(
        ["pgcontract.changes", "pgcontract.references", "pgcontract.scanner", "pgcontract.start"],
        "this needs pglast, which the extra 'release' brings",
    ),
}
IMPORT = """
import birthdb, importlib, json, pgcontract, pkgutil
found = {}
for package in birthdb, pgcontract:
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        try:
            found[module.name] = importlib.import_module(module.name) and None
        except ImportError as error:
            found[module.name] = str(error)
print(json.dumps(found))
"""


def page(name: str) -> str:
    return (paths.ROOT / name).read_text(encoding="utf-8")


def built(kind: str, directory: Path) -> Path:
    words = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(directory)]
    subprocess.run(words, cwd=paths.ROOT, check=True, stdout=subprocess.DEVNULL)
    (file,) = directory.iterdir()
    return file


def needed(requirement: Requirement) -> Iterator[Distribution]:
    """Yield what a distribution and the extras that are asked for need, itself first."""
    found = distribution(requirement.name)
    yield found
    for one in map(Requirement, found.requires or ()):
        if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in ("", *requirement.extras)):
            yield from needed(one)


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that has the wheel and what it needs, from this environment."""
    directory = tmp_path_factory.mktemp("installed")
    venv.create(directory)
    modules = Path(sysconfig.get_path("purelib", "venv", {"base": str(directory)}))
    _, *others = needed(Requirement("birthdb"))
    for one in others:
        for name in {file.parts[0] for file in one.files or ()} - {"..", "__pycache__"}:
            if not (modules / name).exists():
                (modules / name).symlink_to(Path(str(one.locate_file(name))))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(directory)]
    wheel = built("wheel", tmp_path_factory.mktemp("wheel"))
    subprocess.run([*pip, "install", "--quiet", "--no-index", wheel], check=True)
    subprocess.run([*pip, "check"], check=True)
    return directory / "bin"


def sent(programs: Path, where: Path, *words: str, url: str | None = None) -> subprocess.CompletedProcess[str]:
    """Send a command as somebody who has the package alone."""
    environment = {"PATH": f"{programs}:/usr/bin:/bin", "HOME": str(where), "LANG": "C.UTF-8"}
    environment |= {target.VARIABLE: url} if url else {}
    return subprocess.run(words, cwd=where, env=environment, capture_output=True, text=True, check=False)


def test_every_module_can_be_imported_or_says_what_it_needs(programs: Path, tmp_path: Path) -> None:
    ran = sent(programs, tmp_path, "python", "-c", IMPORT)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert {"birthdb.api", "birthdb.demo.story", "pgcontract.commands"} <= found.keys()
    assert {module: said for module, said in found.items() if said} == NEEDS


def test_a_program_whose_extra_is_missing_names_it_in_a_sentence(programs: Path, tmp_path: Path) -> None:
    demo = sent(programs, tmp_path, "birthdb", "demo")
    assert (demo.returncode, demo.stderr) == (
        cli.UNREACHABLE,
        "error: the demo needs its extra: pip install 'birthdb[demo]'\n",
    )


def test_what_the_page_of_the_command_line_lists_is_installed(programs: Path, tmp_path: Path) -> None:
    text = page("docs/reference/command-line.md")
    listed = re.findall(r"^birthdb ([a-z]+) ", text, re.MULTILINE)
    others = re.search(r"has a command too: (.*?)\.$", text, re.MULTILINE | re.DOTALL)
    assert others is not None
    commands = dict.fromkeys([*listed, *re.findall(r"`([a-z-]+)`", others[1])])
    assert len(commands) > 40
    send = f"""
import sys
from birthdb.__main__ import main
for command in {list(commands)}:
    sys.argv = ["birthdb", command, "--help"]
    try:
        main()
    except SystemExit as ended:
        assert not ended.code, command
"""
    ran = sent(programs, tmp_path, "python", "-c", send)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_package_alone_does_what_the_readme_says(programs: Path, tmp_path: Path, empty_db: Database) -> None:
    block = re.search(r"## Install it\n\n```sh\n(.*?)```", page("README.md"), re.DOTALL)
    assert block is not None
    pip, export, *commands = (shlex.split(line, comments=True) for line in block[1].splitlines())
    assert (pip, export[0]) == (["pip", "install", "birthdb"], "export")
    commands += [["birthdb", "collections", "init", "-o", "birthdb.toml"], ["birthdb", "--version"]]
    for command in commands:
        ran = sent(programs, tmp_path, *command, url=empty_db.url(RELEASER))
        assert ran.returncode == cli.FINE, (command, ran.stdout, ran.stderr)
    assert ran.stdout == f"birthdb {__version__}\n"


def test_the_wheel_has_what_pages_name_and_no_caches(programs: Path, tmp_path: Path) -> None:
    listing = "from birthdb import paths; print(*(f for f in paths.ROOT.rglob('*')), sep='\\n')"
    found = {Path(line) for line in sent(programs, tmp_path, "python", "-c", listing).stdout.splitlines()}
    (root,) = {file.parent for file in found if file.name == "alembic.ini"}
    assert root.parts[-2:] == ("birthdb", "_data")
    for folder in (paths.MIGRATIONS, paths.MONITORING, paths.SQL):
        there = {file for file in folder.rglob("*") if "__pycache__" not in file.parts}
        assert {root / file.relative_to(paths.ROOT) for file in there} <= found
    for command in re.findall(r"^python -c '(.*?)'", page("docs/guide/watching.md") + page("docs/guide/dba.md"), re.M):
        shown = sent(programs, tmp_path, "python", "-c", command)
        assert Path(shown.stdout.strip()).is_relative_to(root), shown
        assert any(Path(shown.stdout.strip()).iterdir())


def test_the_sdist_is_the_checkout(tmp_path: Path) -> None:
    git = ["git", "-C", str(paths.ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(git, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not in a clone")
    with tarfile.open(built("sdist", tmp_path)) as file:
        names = {name.partition("/")[2] for name in file.getnames()}
    assert names - {"PKG-INFO"} == {line for line in listed.stdout.splitlines() if (paths.ROOT / line).exists()}


def test_the_version_is_the_newest_of_the_changelog() -> None:
    headings = re.findall(r"^## \[(.+?)\](?: - (.+))?$", page("CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == ("Unreleased", "")
    versions = [version for version, _ in headings[1:]]
    assert versions[0] == __version__
    assert versions == sorted(versions, key=Version, reverse=True)
    assert all(date.fromisoformat(day) for _, day in headings[1:])


def test_a_tag_of_the_commit_is_the_version() -> None:
    git = ["git", "-C", str(paths.ROOT), "tag", "--points-at", "HEAD", "--list", "v*"]
    tags = subprocess.run(git, capture_output=True, text=True, check=False).stdout.split()
    assert set(tags) <= {f"v{__version__}"}
