"""The 24 pictures are the licensed ones, and directories of pictures are read as documented."""
import hashlib
import importlib.util
import re
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from hopref.data import load_images, picture_names, pictures
from hopref.data.pictures import SUFFIXES, read_array, read_directory, read_pgm
from hopref.errors import DomainError, DTypeError, ShapeError

ROOT = Path(__file__).parents[2]
SHA256 = "537740d563aa25210d8e35317467278eaec4a755cbfc553abdc4d958ae4b78e4"
NAMES = ("astronaut", "brick", "camera", "cell", "checkerboard", "chelsea", "clock", "coffee",
         "face", "grass", "gravel", "horse", "hubble_deep_field", "julia", "maze",
         "microaneurysms", "mountains", "retina", "ripples", "rocket", "spiral", "text", "tree",
         "voronoi")


def test_the_file_is_the_licensed_one():
    content = (files("hopref.data") / "pictures.npz").read_bytes()
    assert hashlib.sha256(content).hexdigest() == SHA256


def test_there_are_24_grey_pictures_with_names():
    images = pictures()
    assert images.shape == (24, 64, 64) and images.dtype == np.uint8
    assert picture_names() == NAMES


def test_no_two_pictures_are_equal_and_each_has_contrast():
    images = pictures().reshape(24, -1)
    assert len(np.unique(images, axis=0)) == 24
    assert np.all(np.ptp(images, axis=1) > 128)


def test_each_picture_has_its_licence():
    text = (files("hopref.data") / "LICENSES.txt").read_text()
    for name in NAMES:
        entry = re.search(rf"^(?:.*, )?{name}\b.*?(?=^\w)", text + "\nend", re.M | re.S)
        assert entry and re.search(r"CC0|public domain", entry[0]), name


def test_the_first_n_pictures_are_taken():
    np.testing.assert_array_equal(pictures(3), pictures()[:3])
    assert picture_names(3) == NAMES[:3]


@pytest.mark.parametrize("n", [0, 25, -1, 2.0, True, "6"])
def test_an_invalid_number_of_pictures_is_refused(n):
    with pytest.raises(DomainError, match=r"hopref\.data\.pictures: n must be None or an integer "
                                          r"from 1 to 24; got n="):
        pictures(n)


@pytest.mark.skipif(not (ROOT / "tools" / "pictures.py").exists(), reason="no source checkout")
def test_the_drawings_are_those_of_the_script():
    spec = importlib.util.spec_from_file_location("picture_tool", ROOT / "tools" / "pictures.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    shipped = dict(zip(picture_names(), pictures(), strict=True))
    assert sorted([*tool.PHOTOGRAPHS, *tool.DRAWINGS]) == list(NAMES)
    for name, draw in tool.DRAWINGS.items():
        gap = np.abs(draw().astype(int) - shipped[name])
        # libm differs by an ulp between machines, so that a grey level or a pixel may differ
        assert np.median(gap) == 0 and np.mean(gap > 1) < 0.01, name


# --- a directory of pictures ---------------------------------------------------------------------

def write_pgm(path, levels, magic=b"P5", comment=b""):
    rows, columns = levels.shape
    head = magic + b"\n" + comment + b"%d %d\n255\n" % (columns, rows)
    body = levels.tobytes() if magic == b"P5" else b" ".join(b"%d" % v for v in levels.ravel())
    path.write_bytes(head + body)


def test_a_directory_is_read_by_name_and_cropped_to_the_central_square(tmp_path):
    wide = np.zeros((2, 4), np.uint8)
    wide[:, 1:3] = [[10, 20], [30, 40]]
    np.save(tmp_path / "b.npy", wide)
    write_pgm(tmp_path / "a.pgm", np.array([[1, 2], [3, 4]], np.uint8))
    (tmp_path / "notes.txt").write_text("not a picture")
    images, names = load_images(tmp_path, size=2)
    assert names == ("a", "b") and images.dtype == np.uint8
    np.testing.assert_array_equal(images, [[[1, 2], [3, 4]], [[10, 20], [30, 40]]])


def test_shrinking_averages_areas_and_keeps_the_mean(tmp_path):
    levels = np.arange(36, dtype=np.uint8).reshape(6, 6)
    np.save(tmp_path / "a.npy", levels)
    images, _ = load_images(tmp_path, size=2)
    quarters = levels.reshape(2, 3, 2, 3).mean((1, 3))
    assert np.abs(images[0] - quarters).max() <= 0.5
    images, _ = load_images(tmp_path, size=4)                   # 6 -> 4: pixels are shared
    assert abs(images.mean() - levels.mean()) <= 0.5


def test_colour_becomes_luminance_and_floats_are_brightness(tmp_path):
    colour = np.zeros((4, 4, 3))
    colour[..., 1] = 1.0
    np.save(tmp_path / "a.npy", colour)
    np.save(tmp_path / "b.npy", np.full((4, 4, 1), 0.2))
    images, _ = load_images(tmp_path, size=4)
    assert set(images[0].ravel()) == {182} and set(images[1].ravel()) == {51}


@pytest.mark.parametrize("magic", [b"P2", b"P5"])
def test_both_greymaps_are_read_with_comments(tmp_path, magic):
    levels = np.array([[0, 51], [102, 255], [5, 35]], np.uint8)     # 35 is "#"
    write_pgm(tmp_path / "a.pgm", levels, magic, b"# drawn by hand\n")
    np.testing.assert_array_equal(read_pgm(tmp_path / "a.pgm"), levels / 255)


def test_png_and_jpg_are_read(tmp_path):
    image = pytest.importorskip("matplotlib.image", reason="png and jpg need hopref[plot]")
    image.imsave(tmp_path / "a.png", pictures(1)[0], cmap="gray", vmin=0, vmax=255)
    image.imsave(tmp_path / "b.jpg", pictures(1)[0], cmap="gray", vmin=0, vmax=255)
    images, names = load_images(tmp_path)
    assert names == ("a", "b")
    assert np.abs(images[0].astype(int) - pictures(1)[0]).max() <= 1      # colour map: 256 steps
    assert np.abs(images[1].astype(int) - pictures(1)[0]).mean() < 10     # lossy


def test_a_missing_directory_is_refused(tmp_path):
    with pytest.raises(NotADirectoryError, match="directory must exist; got"):
        load_images(tmp_path / "nowhere")


def test_a_directory_without_pictures_is_refused(tmp_path):
    with pytest.raises(DomainError, match=r"must hold pictures \(.*png.*\); got .* with none"):
        load_images(tmp_path)


@pytest.mark.parametrize("array, error, message", [
    (np.zeros(4, np.uint8), ShapeError, r"got \(4,\)"),
    (np.zeros((4, 4, 2), np.uint8), ShapeError, r"got \(4, 4, 2\)"),
    (np.zeros((0, 4), np.uint8), ShapeError, "at least one pixel"),
    (np.zeros((4, 4), complex), DTypeError, "grey levels; got complex128"),
    (np.zeros((4, 4), bool), DTypeError, "grey levels; got bool"),
    (np.full((4, 4), 256), DomainError, "got 256 to 256"),
    (np.full((4, 4), 1.5), DomainError, "got 1.5 to 1.5"),
    (np.full((4, 4), np.nan), DomainError, "got nan to nan"),
])
def test_an_array_that_is_not_a_picture_is_refused(tmp_path, array, error, message):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(error, match=rf"hopref\.data\.load_images: a\.npy must .*{message}"):
        load_images(tmp_path)


@pytest.mark.parametrize("content", [b"", b"P5", b"P5\n2 2\n255\n\x01", b"P6\n1 1\n255\n\x01",
                                     b"P2\n2 2\n255\n1 2 x 4", b"P2\n1 1\n0\n1", b"P5 # x"])
def test_a_broken_greymap_is_refused(tmp_path, content):
    (tmp_path / "a.pgm").write_bytes(content)
    with pytest.raises(DomainError, match="a.pgm must be a greymap"):
        load_images(tmp_path)


@pytest.mark.parametrize("name", ["a.npy", "a.png", "a.jpg"])
def test_a_broken_file_is_refused(tmp_path, name):
    if name != "a.npy":
        pytest.importorskip("matplotlib", reason="png and jpg need hopref[plot]")
    (tmp_path / name).write_bytes(b"not a picture at all")
    assert Path(name).suffix in SUFFIXES
    with pytest.raises(DomainError, match=rf"{name} must be an? (array|readable)"):
        load_images(tmp_path)


def test_numbers_in_names_are_ordered_by_size(tmp_path):
    for stem in ("img10", "IMG2", "img1", "a", "img02"):
        np.save(tmp_path / f"{stem}.npy", np.zeros((2, 2), np.uint8))
    assert load_images(tmp_path, size=2)[1] == ("a", "img1", "IMG2", "img02", "img10")


def test_equal_stems_keep_their_suffix_and_folders_are_no_pictures(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((2, 2), np.uint8))
    np.save(tmp_path / "b.npy", np.zeros((2, 2), np.uint8))
    write_pgm(tmp_path / "a.pgm", np.zeros((2, 2), np.uint8))
    (tmp_path / "folder.png").mkdir()
    assert load_images(tmp_path, size=2)[1] == ("a.npy", "a.pgm", "b")


def test_a_directory_reports_what_its_pictures_were(tmp_path):
    colour = np.zeros((4, 6, 3), np.uint8)
    np.save(tmp_path / "a.npy", colour)                     # three equal channels are grey
    colour[0, 0, 1] = 9
    np.save(tmp_path / "b.npy", colour)
    loaded = read_directory(tmp_path, 2)
    assert loaded.colour == (False, True) and loaded.shapes == ((4, 6), (4, 6))


@pytest.mark.parametrize("write, message", [
    (lambda f: np.savez(f, a=np.ones(2), b=np.ones(2)), "must hold one array.*archive of a, b"),
    (lambda f: np.savez(f), "must hold one array.*archive of no arrays"),
    (lambda f: np.save(f, np.array([{}]), allow_pickle=True), "numpy.save; got objects"),
    (lambda f: f.write(b"text"), "numpy.save; got other content"),
    (lambda f: f.write(b"PK\3\4 broken"), "numpy.save; got File is not a zip"),
    (lambda f: f.write(b""), "numpy.save; got No data left"),
])
def test_a_file_without_one_array_is_refused(tmp_path, write, message):
    with open(tmp_path / "a.npy", "wb") as file:
        write(file)
    with pytest.raises(DomainError, match=rf"a\.npy .*{message}"):
        read_array(tmp_path / "a.npy")
    with pytest.raises(DomainError, match=r"load_images: a\.npy must"):
        load_images(tmp_path)
