"""The project keeps its own promises: documents agree with the code, and the house limits hold."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CODE = ("app.py", "engine", "pages")
VENDORED = ("engine/api/static/", "pages/static/")
LINES_PER_FILE = 400
LINES_PER_FUNCTION = 60
# Declared without an import of ours: Streamlit's login imports Authlib by itself.
USED_BY_OTHERS = {"authlib", "sniffio"}


@cache
def tracked() -> tuple[str, ...]:
    """Every file of the project that is not ignored, and not somebody else's."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return tuple(name for name in sorted(set(names)) if (ROOT / name).is_file() and not name.startswith(VENDORED))


def python_files() -> list[str]:
    return [name for name in tracked() if name.endswith(".py")]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@cache
def project() -> dict[str, object]:
    found = tomllib.loads(read("pyproject.toml"))["project"]
    assert isinstance(found, dict)
    return found


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def requirement(line: str) -> str:
    """The package a requirement or a pin names."""
    match = re.match(r"[A-Za-z0-9._-]+", line)
    assert match, f"not a requirement: {line}"
    return canonical(match.group())


def dependencies() -> set[str]:
    return {requirement(line) for line in project()["dependencies"]}  # type: ignore[attr-defined]


def extras() -> dict[str, set[str]]:
    optional: dict[str, list[str]] = project()["optional-dependencies"]  # type: ignore[assignment]
    return {extra: {requirement(line) for line in lines} for extra, lines in optional.items()}


def imported() -> dict[str, str]:
    """Top-level modules that our code imports from outside the standard library, each with a file that does."""
    found: dict[str, str] = {}
    for name, node in nodes():
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0]: name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found[node.module.partition(".")[0]] = name
    own = {"app", "engine", "pages"}
    return {module: name for module, name in found.items() if module not in own | set(sys.stdlib_module_names)}


def mentioned() -> set[str]:
    """Modules that our code names in a string: those whose data is read, or that are imported only where they are needed."""
    texts = {node.value for _, node in nodes() if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {text.partition(".")[0] for text in texts if re.fullmatch(r"[a-z_0-9]+(\.[a-z_0-9]+)*\.?", text)}


def nodes() -> Iterator[tuple[str, ast.AST]]:
    for name in python_files():
        if name.startswith(CODE):
            yield from ((name, node) for node in ast.walk(ast.parse(read(name))))


@cache
def providers() -> dict[str, set[str]]:
    """The distributions behind each importable module."""
    return {module: {canonical(name) for name in names} for module, names in metadata.packages_distributions().items()}


@pytest.mark.parametrize("name", python_files())
def test_a_module_keeps_the_house_limits(name: str) -> None:
    text = read(name)
    tree = ast.parse(text)
    assert not text.strip() or ast.get_docstring(tree), f"{name} has no docstring"
    lines = text.count("\n")
    assert lines <= LINES_PER_FILE, f"{name} has {lines} lines; a file of more than {LINES_PER_FILE} wants to be two"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            assert size <= LINES_PER_FUNCTION, f"{name}:{node.lineno} {node.name} has {size} lines (limit {LINES_PER_FUNCTION})"


def test_no_file_names_a_machine_path_or_a_package_registry() -> None:
    paths = r"/(?:work|farm)/\w", r"/tmp/bash[_]jobs", r"/root/\."
    sources = r"pypi\.org", r"python[h]osted", r"registry\.npmjs", r"deb\.debian\.org", r"--(?:extra-)?index-url"
    traces = re.compile("|".join([*paths, *sources]))
    found = []
    for name in tracked():
        try:
            text = read(name)
        except UnicodeDecodeError:
            continue
        found += [f"{name} names {hit.group()!r}" for hit in traces.finditer(text)]
    assert not found, "\n".join(found)


def test_every_import_is_a_declared_dependency() -> None:
    optional = extras()
    allowed = dependencies() | optional["postgres"] | optional["dask"] | optional["local"] | {"dask"}
    missing = [
        f"{name} imports {module}, which pyproject.toml does not declare"
        for module, name in imported().items()
        if module in providers() and not providers()[module] & allowed
    ]
    assert not missing, "\n".join(missing)


def test_every_dependency_is_used() -> None:
    used = set().union(*(providers().get(module, {canonical(module)}) for module in imported().keys() | mentioned()))
    unused = dependencies() - used - USED_BY_OTHERS
    assert not unused, f"declared in pyproject.toml, imported nowhere: {', '.join(sorted(unused))}"


def test_constraints_pin_every_direct_dependency_and_name_no_source() -> None:
    lines = read("constraints.txt").splitlines()
    for line in lines:
        assert re.fullmatch(r"[a-z0-9.-]+==[^\s;@]+( ; .+)?", line), f"constraints.txt: not an exact pin: {line}"
    pinned = {requirement(line) for line in lines}
    direct = dependencies().union(*extras().values())
    assert direct <= pinned, f"constraints.txt lacks {', '.join(sorted(direct - pinned))}"


def test_contributing_gives_a_reason_for_every_dependency_and_for_nothing_else() -> None:
    table = read("CONTRIBUTING.md").partition("## Dependencies")[2]
    named = set(re.findall(r"^\| ([a-z0-9-]+) \| [^|]+ \| [^|]+ \|$", table, re.MULTILINE)) - {"package"}
    direct = dependencies().union(*extras().values())
    assert named == direct, f"only in CONTRIBUTING: {sorted(named - direct)}; only in pyproject.toml: {sorted(direct - named)}"


def settings_table() -> str:
    from engine.settings import PREFIX, Settings

    rows = ["| variable | meaning | default |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = f"`{field.default}`" if field.default not in (None, "") else "none"
        rows.append(f"| `{PREFIX}{name.upper()}` | {field.description} | {default} |")
    return "\n".join(rows)


def test_the_readme_lists_every_setting_as_it_is() -> None:
    between = re.search(r"<!-- settings -->\n(.*?)\n?<!-- /settings -->", read("README.md"), re.DOTALL)
    assert between, "README.md has lost its <!-- settings --> section"
    wanted = settings_table()
    assert between.group(1).strip() == wanted, f"the settings section of README.md should be:\n{wanted}"


def test_the_readme_has_one_start_and_one_test_command_and_ci_runs_the_test_command() -> None:
    install = "python3 -m venv .venv && .venv/bin/pip install -q -c constraints.txt -e"
    commands = [line for line in read("README.md").splitlines() if line.startswith("python3 -m venv")]
    assert commands == [f"{install} . && .venv/bin/python app.py", f"{install} '.[test]' && .venv/bin/python -m pytest"]
    pattern = re.search(r"grep -E '(\S.*)' README\.md", read(".ci/run"))
    assert pattern, ".ci/run does not take the test command from the README"
    assert [line for line in commands if re.search(pattern.group(1), line)] == commands[1:]


def test_the_readme_stays_short() -> None:
    assert read("README.md").count("\n") < 200


def test_the_changelog_knows_this_version() -> None:
    from engine.version import VERSION

    assert re.search(rf"^## \[{re.escape(VERSION)}\]", read("CHANGELOG.md"), re.MULTILINE)


def test_links_between_documents_lead_somewhere() -> None:
    for name in (name for name in tracked() if name.endswith(".md")):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", read(name)):
            assert (ROOT / name).parent.joinpath(target).exists(), f"{name} links to {target}, which is not there"


def test_the_theme_loads_its_fonts_from_this_application_only() -> None:
    config = tomllib.loads(read(".streamlit/config.toml"))
    assert config["browser"]["gatherUsageStats"] is False
    assert config["server"]["enableStaticServing"] is True
    for face in config["theme"]["fontFaces"]:
        assert face["url"].startswith("app/static/"), f"{face['family']} comes from {face['url']}"
        assert (ROOT / "pages/static" / face["url"].removeprefix("app/static/")).is_file(), f"{face['url']} is not there"


@pytest.mark.parametrize("folder", ["engine/api/static", "pages/static"])
def test_files_of_others_keep_their_licence_beside_them(folder: str) -> None:
    assert any("LICENSE" in path.name for path in (ROOT / folder).iterdir())
