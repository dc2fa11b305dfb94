"""Sphinx's configuration: `sphinx-build -W -c docs . build/docs`, from the root of the checkout.

The root of the checkout is the source folder, so that the files named in `include_patterns` are
pages where they stand: links between them work on the site as they do on a code host.
"""

from __future__ import annotations

import sys
from pathlib import Path

import fastrnn
from sphinx.application import Sphinx

project = "fastrnn"
author = "the authors of fastrnn"
release = fastrnn.__version__

root_doc = "README"
include_patterns = [
    "docs/**.md",
    "*.md",
    "bench/*.md",
    "cpp/README.md",
    "examples/README.md",
    "tests/*.md",
    "tests/fuzz/README.md",
]
exclude_patterns = ["docs/contents.md"]  # part of README, see below

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

# The docstrings put code between single backticks.
default_role = "code"
autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "alphabetical"
autodoc_inherit_docstrings = False
autodoc_mock_imports = ["sklearn", "torch"]  # only the fronts of these names need them
autodoc_typehints = "none"  # the text of each argument says more
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_custom_sections = [
    ("Call arguments", "params_style"),
    ("Hook arguments", "params_style"),
    ("Returns of a call", "returns_style"),
    ("Attributes", "params_style"),
]

html_theme = "furo"
html_title = "fastrnn"
html_show_copyright = False
html_extra_path = ["root"]  # its index.html leads to README.html
html_theme_options = {"top_of_page_buttons": []}


def _add_contents(app: Sphinx, document: str, source: list[str]) -> None:
    """Append the table of contents to README, which need not show it elsewhere."""
    if document == root_doc:
        source[0] += "\n" + (Path(__file__).parent / "contents.md").read_text(encoding="utf-8")


def _keep_equations(
    app: Sphinx, what: str, name: str, value: object, options: object, lines: list[str]
) -> None:
    """Make literal blocks of the equations in a docstring, so that their lines stay apart."""
    for line, (before, empty, first) in enumerate(zip(lines, lines[1:], lines[2:], strict=False)):
        indented = first.startswith(before[: len(before) - len(before.lstrip())] + "  ")
        if before.endswith(":") and not empty and indented:
            lines[line] = before + ":"


def _skip_overriding(
    app: Sphinx, what: str, name: str, value: object, skip: bool, options: object
) -> bool | None:
    """Leave out a method that a base class of the package documents."""
    function = getattr(value, "fget", None) or getattr(value, "__func__", value)
    owner = getattr(sys.modules.get(getattr(function, "__module__", "")), "__dict__", {}).get(
        getattr(function, "__qualname__", "").rpartition(".")[0]
    )
    bases = owner.__mro__[1:] if isinstance(owner, type) else ()
    inherited = any(name in vars(base) for base in bases if base.__module__.startswith("fastrnn"))
    return True if inherited else None


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _add_contents)
    app.connect("autodoc-process-docstring", _keep_equations, priority=100)  # before napoleon
    app.connect("autodoc-skip-member", _skip_overriding)
