"""The readers of the documentation are compiled and run, and they reject wrong versions."""
import shutil
import subprocess

import pytest

from docs import pages
from hopref import vectors
from hopref.vectors.export import json_lines

READERS = pages.HERE / "readers"
COMPILER = shutil.which("cc") or shutil.which("gcc")
NODE, RUST = shutil.which("node"), shutil.which("rustc")
needs_compiler = pytest.mark.skipif(not COMPILER, reason="NO C COMPILER: the reader is not tested")
needs_node = pytest.mark.skipif(not NODE, reason="NO NODE: the JavaScript reader is not tested")
needs_rust = pytest.mark.skipif(not RUST, reason="NO RUST COMPILER: the reader is not tested")
LANGUAGES = [pytest.param("modern_update.c", "modern.update", marks=needs_compiler),
             pytest.param("softmax_attention.mjs", "attention.softmax_attention", marks=needs_node),
             pytest.param("sparsemax.rs", "maps.sparsemax", marks=needs_rust)]


def command(source, folder):
    """The command that runs a reader, which is compiled if it is in C or Rust."""
    if source.suffix == ".mjs":
        return [NODE, source]
    compiler = [RUST, "--deny", "warnings", source] if source.suffix == ".rs" else \
        [COMPILER, "-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", source, "-lm"]
    subprocess.run([*compiler, "-o", folder / "reader"], check=True)
    return [folder / "reader"]


def run(source, op, folder):
    (folder / "rows.jsonl").write_text(json_lines(vectors.rows(op)))
    return subprocess.run([*command(source, folder), folder / "rows.jsonl"], capture_output=True,
                          text=True)


@pytest.mark.parametrize("name, op", LANGUAGES)
def test_a_reader_judges_its_implementation_by_every_row_that_it_can(name, op, tmp_path):
    done = run(READERS / name, op, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = int(done.stdout.split(": ")[1].split(" rows")[0])
    valid = [row for row in vectors.rows(op) if not row.error and not row.limit
             and "empty_row" not in row.params]
    assert rows == len(valid) > 50 and ", 0 fail" in done.stdout


@pytest.mark.parametrize("name, op, right, wrong", [
    pytest.param(*LANGUAGES[0].values, "scores[i] - top", "scores[i]", marks=needs_compiler),
    pytest.param(*LANGUAGES[0].values, "beta * (", "beta * beta * (", marks=needs_compiler),
    pytest.param(*LANGUAGES[1].values, "j <= i + from", "j < i + from", marks=needs_node),
    pytest.param(*LANGUAGES[1].values, "scale * k.", "k.", marks=needs_node),
    pytest.param(*LANGUAGES[2].values, "> sum", ">= 2.0 * sum", marks=needs_rust)])
def test_a_wrong_implementation_fails(name, op, right, wrong, tmp_path):
    text = (READERS / name).read_text()
    assert right in text
    (tmp_path / name).write_text(text.replace(right, wrong))
    done = run(tmp_path / name, op, tmp_path)
    assert done.returncode == 1 and "fails: " in done.stderr


def test_readers_are_short():
    files = sorted(READERS.iterdir())
    assert [file.name for file in files] == ["modern_update.c", "softmax_attention.mjs",
                                             "sparsemax.rs"]
    assert all(len(file.read_text().splitlines()) < 100 for file in files)
