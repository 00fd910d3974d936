"""Build hopref/data/pictures.npz: fifteen photographs and nine drawings, 64 x 64, grey, uint8.

    python -m pip install numpy scikit-image==0.26.0
    python tools/pictures.py hopref/data/pictures.npz

The photographs ship with scikit-image and are in the public domain or under CC0; the drawings are
computed here.  hopref/data/LICENSES.txt names the source and the licence of each one.
The archive is stored, not compressed, with a fixed date, so equal pictures are equal bytes.
"""
import io
import sys
import zipfile

import numpy as np

SIZE = 64
PHOTOGRAPHS = ("astronaut brick camera cell chelsea clock coffee grass gravel horse "
               "hubble_deep_field microaneurysms retina rocket text").split()


# --- photographs: cut the middle square, shrink, stretch to 0..255 -------------------------------

def photograph(name):
    import skimage.color
    import skimage.data
    import skimage.transform
    image = np.asarray(getattr(skimage.data, name)())
    image = skimage.color.rgb2gray(image[..., :3]) if image.ndim == 3 else image.astype(float)
    side = min(image.shape)
    top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    square = image[top:top + side, left:left + side]
    return grey(skimage.transform.resize(square, (SIZE, SIZE), anti_aliasing=True))


def grey(image, black=None, white=None):
    black = image.min() if black is None else black
    white = image.max() if white is None else white
    return (255 * np.clip((image - black) / (white - black), 0, 1)).round().astype(np.uint8)


# --- drawings: drawn four times too large on [-1, 1]^2, then averaged down -----------------------

def plane(size=4 * SIZE):
    t = (np.arange(size) + 0.5) / size * 2 - 1
    return np.meshgrid(t, t)                                  # x to the right, y downwards


def shrink(image):
    k = image.shape[0] // SIZE
    return image.reshape(SIZE, k, SIZE, k).mean((1, 3))


def checkerboard():
    """A chessboard floor under a pale sky."""
    x, y = plane()
    depth = 1 / np.maximum(y + 0.25, 1e-3)
    tiles = (np.floor(2.5 * x * depth) + np.floor(2.5 * depth)) % 2
    fog = np.exp(-0.12 * depth)
    floor = 0.75 * (1 - fog) + fog * tiles
    sky = 0.75 + 0.25 * (-0.25 - y)
    return grey(shrink(np.where(y > -0.25, floor, sky)), 0, 1)


def face():
    """A round face."""
    x, y = plane()

    def disc(cx, cy, rx, ry):
        return ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1

    image = np.full_like(x, 0.12)
    image[disc(-0.78, 0.05, 0.12, 0.2) | disc(0.78, 0.05, 0.12, 0.2)] = 0.7
    image[disc(0, 0, 0.78, 0.9)] = 0.85
    image[disc(-0.3, -0.18, 0.23, 0.23) | disc(0.3, -0.18, 0.23, 0.23)] = 1.0
    image[disc(-0.25, -0.15, 0.09, 0.09) | disc(0.35, -0.15, 0.09, 0.09)] = 0.0
    image[disc(0.02, 0.14, 0.1, 0.14)] = 0.6
    image[disc(0, 0.38, 0.5, 0.34) & ~disc(0, 0.26, 0.56, 0.3)] = 0.15
    hat = (np.abs(x) < 0.5 + 0.1 * y) & (y < -0.62)
    brim = (np.abs(x) < 0.85) & (np.abs(y + 0.6) < 0.07)
    image[hat | brim] = 0.3
    return grey(shrink(image), 0, 1)


def julia():
    """The filled Julia set of z^2 - 0.8 + 0.156i, shaded by its time of escape."""
    x, y = plane()
    z = 1.55 * (x + 1j * y)
    escape = np.zeros(z.shape)
    inside = np.ones(z.shape, bool)
    for _ in range(120):
        z = np.where(inside, z * z - 0.8 + 0.156j, z)
        inside &= np.abs(z) < 4
        escape += inside
    return grey(np.log1p(shrink(escape)))


def maze():
    """A perfect maze on 15 x 15 cells, walls dark, dug by a random depth-first walk."""
    rng = np.random.default_rng(7)
    cells, walls = 15, np.zeros((31, 31))
    path = [(0, 0)]
    walls[1, 1] = 1
    while path:
        r, c = path[-1]
        steps = [(dr, dc) for dr, dc in ((0, 1), (1, 0), (0, -1), (-1, 0))
                 if 0 <= r + dr < cells and 0 <= c + dc < cells
                 and not walls[2 * (r + dr) + 1, 2 * (c + dc) + 1]]
        if not steps:
            path.pop()
            continue
        dr, dc = steps[rng.integers(len(steps))]
        walls[2 * r + 1 + dr, 2 * c + 1 + dc] = walls[2 * (r + dr) + 1, 2 * (c + dc) + 1] = 1
        path.append((r + dr, c + dc))
    return grey(np.pad(walls, ((0, 1), (0, 1))).repeat(2, 0).repeat(2, 1), -0.1, 1.05)


def mountains():
    """Five ridges, paler with distance, and a low sun."""
    rng = np.random.default_rng(11)
    x, y = plane()
    image = 0.95 - 0.25 * (y + 1) / 2
    image[(x - 0.45) ** 2 + (y + 0.6) ** 2 < 0.04] = 1.0
    for k in range(5):
        ridge = sum(rng.normal() / f * np.sin(f * np.pi * x[0] + rng.uniform(0, 2 * np.pi))
                    for f in (1, 2, 4, 8, 16, 32))
        top = -0.35 + 0.3 * k + 0.14 * ridge
        image = np.where(y > top, 0.72 - 0.165 * k, image)
    return grey(shrink(image), 0, 1)


def ripples():
    """Waves from two sources on a water surface."""
    x, y = plane()
    near, far = np.hypot(x + 0.45, y - 0.3), np.hypot(x - 0.6, y + 0.5)
    waves = np.cos(22 * near) / (0.5 + near) + np.cos(22 * far) / (0.5 + far)
    return grey(shrink(waves + 0.4 * y))


def spiral():
    """A galaxy with two arms."""
    rng = np.random.default_rng(5)
    x, y = plane()
    y = 1.5 * y + 0.5 * x
    r, angle = np.hypot(x, y), np.arctan2(y, x)
    arms = np.cos(angle - 3.2 * np.log(r + 0.06)) ** 2
    glow = 1.6 * np.exp(-14 * r) + (0.15 + 0.85 * arms) * np.exp(-2.6 * r)
    stars = np.kron(rng.random((SIZE, SIZE)) > 0.985, np.ones((4, 4)))
    return grey(shrink(np.clip(glow, 0, 1) + 0.5 * stars), 0, 1)


def tree():
    """A bare tree on a hill against the evening sky."""
    rng = np.random.default_rng(3)
    x, y = plane()
    image = 0.55 + 0.4 * y
    image[y > 0.78 + 0.15 * (x + 0.2) ** 2] = 0.05
    branches = [(0.0, 0.85, -np.pi / 2, 0.5, 0.085)]
    while branches:
        bx, by, angle, length, width = branches.pop()
        ex, ey = bx + length * np.cos(angle), by + length * np.sin(angle)
        along = np.clip(((x - bx) * (ex - bx) + (y - by) * (ey - by)) / length ** 2, 0, 1)
        away = np.hypot(x - bx - along * (ex - bx), y - by - along * (ey - by))
        image[away < width * (1 - 0.3 * along)] = 0.05
        if length > 0.09:
            for turn in (-0.45, 0.4):
                branches.append((ex, ey, angle + turn + 0.15 * rng.normal(),
                                 length * rng.uniform(0.66, 0.8), width * 0.62))
    return grey(shrink(image), 0, 1)


def voronoi():
    """Stained glass: each pane has a shade, the lead between the panes is black."""
    rng = np.random.default_rng(2)
    x, y = plane()
    seeds, shade = rng.uniform(-1.1, 1.1, (26, 2)), rng.uniform(0.25, 1.0, 26)
    away = np.hypot(x[..., None] - seeds[:, 0], y[..., None] - seeds[:, 1])
    first, second = np.sort(away, -1)[..., :2].transpose(2, 0, 1)
    pane = shade[away.argmin(-1)] * (1 - 0.35 * first)
    return grey(shrink(np.where(second - first < 0.045, 0.0, pane)), 0, 1)


DRAWINGS = {drawing.__name__: drawing for drawing in
            (checkerboard, face, julia, maze, mountains, ripples, spiral, tree, voronoi)}


# --- the file ------------------------------------------------------------------------------------

def write(path, **arrays):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, member.getvalue())


def main(path):
    names = sorted([*PHOTOGRAPHS, *DRAWINGS])                # alphabetical
    images = [DRAWINGS[name]() if name in DRAWINGS else photograph(name) for name in names]
    write(path, images=np.stack(images), names=np.array(names))


if __name__ == "__main__":
    main(sys.argv[1])
