"""Configuration of Sphinx: python -m sphinx -W -b html docs docs/_build/html."""

import os
import sys
import warnings
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))         # the ledger reads tests/, which is not in the wheel

import hopref  # noqa: E402
from benchmarks import crossover, summary  # noqa: E402
from docs import certified, ledger, mathjax, mutation, paths, reference  # noqa: E402

project = "hopref"
author = "the hopref developers"
copyright = "2026, " + author
version = release = hopref.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["_build", "changes.d", "examples", "gallery/*.ipynb", "gallery/*.py*",
                    "benchmarks/crossover.md"]
suppress_warnings = ["config.cache"]         # the configuration of sphinx-gallery holds a function

myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
autodoc_typehints = "none"
numpydoc_show_class_members = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# MathJax: the address in HOPREF_MATHJAX, else a copy in the pages, else the default of Sphinx.
if "HOPREF_MATHJAX" in os.environ:
    mathjax_path = os.environ["HOPREF_MATHJAX"]
elif mathjax.source():
    mathjax_path = mathjax.FILE

html_theme = "pydata_sphinx_theme"
html_title = "hopref"
html_static_path = ["_static"]
html_css_files = ["hopref.css"]
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "hopref"},
    "navigation_with_keys": False,
    "header_links_before_dropdown": 6,
    "show_toc_level": 2,
    "secondary_sidebar_items": {"**": ["page-toc"], "equations": [], "index": []},
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {page: [] for page in (
    "tutorial", "judging", "scaling", "judging_practices", "atlas", "experiments", "reading",
    "errata", "performance", "paths", "certify", "proofs", "accuracy", "benchmarks/index",
    "equations", "changelog", "notation", "adding", "contributing")}


def gallery_style(gallery_conf, script):
    """Set the style of the figures before each script."""
    from matplotlib import pyplot

    pyplot.style.use(HERE / "hopref.mplstyle")


sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"plot_",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "backreferences_dir": None,
    "capture_repr": (),
    "show_memory": False,
    "show_signature": False,
    "download_all_examples": False,
    "min_reported_time": 1000,
    "reset_modules": ("matplotlib", gallery_style),
}
warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")


def write_if_new(path, text):
    """Write a file if its text has changed, so that Sphinx reads only changed files again."""
    path.parent.mkdir(exist_ok=True)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def changelog():
    """The text of CHANGELOG.md, with the sentences of changes.d as unreleased changes."""
    heading, _, released = (HERE.parent / "CHANGELOG.md").read_text().partition("\n\n")
    sentences = [f.read_text().strip() for f in sorted((HERE / "changes.d").glob("*.md"))]
    unreleased = "".join(f"* {sentence}\n" for sentence in sentences)
    return f"{heading}\n\n## Unreleased\n\n{unreleased}\n{released}"


def contributing():
    """The text of CONTRIBUTING.md, with links relative to the pages."""
    return (HERE.parent / "CONTRIBUTING.md").read_text().replace("](docs/", "](")


def write_measurements(measured, out):
    """Write the pages and figures of the measurements that are part of the source."""
    asv = measured / "asv"
    summary.write(summary.read(asv), summary.parameter_names(asv), out)
    attention = crossover.read(measured / "crossover.json")
    write_if_new(out / "crossover.md", crossover.page(attention))
    crossover.draw(attention["curves"], out / "crossover.png")


def write_generated_pages(app):
    write_if_new(HERE / "equations.md", ledger.page())
    write_if_new(HERE / "changelog.md", changelog())
    write_if_new(HERE / "contributing.md", contributing())
    write_if_new(HERE / "paths.md", paths.page())
    write_if_new(HERE / "accuracy.md", certified.page())
    write_if_new(HERE / "mutation.md", mutation.page())
    write_measurements(HERE / "measured", HERE / "benchmarks")
    for name, text in reference.pages().items():
        write_if_new(HERE / "api" / name, text)


def prepare_docstring(app, what, name, documented, options, lines):
    """Convert a docstring to the form that numpydoc reads."""
    if not hasattr(documented, "formula"):      # the docstrings of operations have it already
        lines[:] = reference.with_descriptions(lines)
    lines[:] = reference.with_bars(lines)


def setup(app):
    app.connect("config-inited", lambda app, config: write_generated_pages(app))
    app.connect("builder-inited", mathjax.copy)
    app.connect("autodoc-process-docstring", prepare_docstring, priority=100)
