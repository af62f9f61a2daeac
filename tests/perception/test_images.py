"""Every kind of file and array that load_image reads, and every kind that it refuses."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFile

from neurosym.errors import PerceptionError
from neurosym.perception.images import MAX_PIXELS, load_image

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def _quarters() -> np.ndarray:
    """[4, 6, 3]: red over blue on the left, green over white on the right."""
    pixels = np.full((4, 6, 3), 255, dtype=np.uint8)
    pixels[:2, :3], pixels[:2, 3:], pixels[2:, :3] = RED, GREEN, BLUE
    return pixels


def _saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


def _check(array: np.ndarray, height: int, width: int) -> None:
    assert array.dtype == np.uint8
    assert array.shape == (height, width, 3)
    assert array.flags.c_contiguous
    assert array.flags.owndata
    assert array.flags.writeable


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff", "webp", "ppm"])
def test_lossless_formats(tmp_path: Path, suffix: str) -> None:
    options = {"lossless": True} if suffix == "webp" else {}
    path = _saved(tmp_path / f"image.{suffix}", Image.fromarray(_quarters()), **options)
    array = load_image(path)
    _check(array, 4, 6)
    assert np.array_equal(array, _quarters())
    assert np.array_equal(load_image(str(path)), array)
    assert np.array_equal(load_image(path.read_bytes()), array)
    with Image.open(path) as image:
        assert np.array_equal(load_image(image), array)


def test_cmyk(tmp_path: Path) -> None:
    image = Image.new("RGB", (16, 8), RED).convert("CMYK")
    array = load_image(_saved(tmp_path / "image.jpg", image, quality=95))
    _check(array, 8, 16)
    assert np.abs(array[4, 8].astype(int) - RED).max() < 10


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_16_bit_grey_is_scaled_not_clipped(tmp_path: Path, suffix: str) -> None:
    values = np.array([[0, 256, 32768, 65535]], dtype=np.uint16)
    array = load_image(_saved(tmp_path / f"grey.{suffix}", Image.fromarray(values)))
    _check(array, 1, 4)
    assert array[0, :, 0].tolist() == [0, 1, 128, 255]
    assert (array[..., 0] == array[..., 2]).all()


def test_32_bit_grey_modes() -> None:
    whole = Image.fromarray(np.array([[0, 65535]], dtype=np.int32))
    assert load_image(whole)[0, :, 0].tolist() == [0, 255]
    fractions = Image.fromarray(np.array([[0.0, 0.5, 1.0]], dtype=np.float32))
    assert load_image(fractions)[0, :, 0].tolist() == [0, 128, 255]
    large = Image.fromarray(np.array([[0.0, 51.0, 255.0]], dtype=np.float32))
    assert load_image(large)[0, :, 0].tolist() == [0, 51, 255]


def test_one_bit_and_grey(tmp_path: Path) -> None:
    bits = Image.fromarray(np.array([[0, 255]], dtype=np.uint8)).convert("1")
    assert load_image(_saved(tmp_path / "bits.png", bits))[0, :, 0].tolist() == [0, 255]
    grey = Image.fromarray(np.array([[7, 200]], dtype=np.uint8))
    assert load_image(_saved(tmp_path / "grey.png", grey))[0, :, 1].tolist() == [7, 200]


def test_palette(tmp_path: Path) -> None:
    image = Image.fromarray(_quarters()).quantize(4)
    assert image.mode == "P"
    assert np.array_equal(load_image(_saved(tmp_path / "palette.png", image)), _quarters())


def test_palette_transparency_lies_over_white(tmp_path: Path) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([*RED, *BLUE])
    image.putdata([0, 1])
    array = load_image(_saved(tmp_path / "palette.png", image, transparency=1))
    assert array[0].tolist() == [[255, 0, 0], [255, 255, 255]]


def test_alpha_lies_over_white(tmp_path: Path) -> None:
    pixels = np.array([[[255, 0, 0, 255], [255, 0, 0, 128], [9, 9, 9, 0]]], dtype=np.uint8)
    array = load_image(_saved(tmp_path / "rgba.png", Image.fromarray(pixels)))
    assert array[0].tolist() == [[255, 0, 0], [255, 127, 127], [255, 255, 255]]
    assert np.abs(load_image(pixels).astype(int) - array).max() <= 1
    grey = Image.fromarray(pixels).convert("LA")
    array = load_image(_saved(tmp_path / "la.png", grey))
    assert array[0, 2].tolist() == [255, 255, 255]
    assert array[0, 0, 0] < 100


def test_rgb_with_a_transparent_colour(tmp_path: Path) -> None:
    image = Image.fromarray(_quarters())
    array = load_image(_saved(tmp_path / "key.png", image, transparency=RED))
    assert array[0, 0].tolist() == [255, 255, 255]
    assert array[3, 0].tolist() == [*BLUE]


def test_first_frame_of_an_animation(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (5, 3), colour) for colour in (RED, GREEN, BLUE)]
    path = _saved(tmp_path / "moving.gif", frames[0], save_all=True, append_images=frames[1:])
    assert (load_image(path) == RED).all()
    with Image.open(path) as image:
        image.seek(1)
        assert (load_image(image) == GREEN).all()
        assert image.tell() == 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    turned = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: a.transpose(1, 0, 2)[::-1, ::-1],
        8: lambda a: np.rot90(a, 1),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = _saved(tmp_path / "photo.png", Image.fromarray(_quarters()), exif=exif)
    assert np.array_equal(load_image(path), turned[orientation](_quarters()))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_broken_exif_does_not_cost_the_image(tmp_path: Path) -> None:
    image = Image.fromarray(_quarters())
    broken = b"Exif\x00\x00MM\x00*\x00\x00\xff\xff\x00"
    assert load_image(_saved(tmp_path / "photo.jpg", image, exif=broken)).shape == (4, 6, 3)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"])
def test_one_pixel(mode: str) -> None:
    _check(load_image(Image.new(mode, (1, 1))), 1, 1)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array([[0, 200]], dtype=np.uint8), [0, 200]),
        (np.array([[[0], [200]]], dtype=np.uint8), [0, 200]),
        (np.array([[False, True]]), [0, 255]),
        (np.array([[0.0, 0.5]]), [0, 128]),
        (np.array([[0.0, 0.5]], dtype=np.float16), [0, 128]),
        (np.array([[0, 65535]], dtype=np.uint16), [0, 255]),
        (np.array([[257, 32896]], dtype=np.uint16), [1, 128]),
        (np.array([[0, 200]], dtype=">u2") * 257, [0, 200]),
    ],
)
def test_arrays(array: np.ndarray, expected: list[int]) -> None:
    read = load_image(array)
    _check(read, 1, 2)
    assert read[0, :, 0].tolist() == expected


def test_an_array_is_copied_and_made_contiguous() -> None:
    pixels = _quarters()
    read = load_image(pixels[:, ::-1])
    _check(read, 4, 6)
    read[:] = 0
    assert np.array_equal(pixels, _quarters())


def test_tensors() -> None:
    pixels = _quarters()
    rows_first = torch.from_numpy(pixels)
    channels_first = rows_first.permute(2, 0, 1)
    for tensor in (
        rows_first,
        channels_first,
        channels_first.float() / 255,
        (channels_first.float() / 255).requires_grad_(),
        (channels_first.float() / 255).bfloat16(),
    ):
        assert np.array_equal(load_image(tensor), pixels)
    _check(load_image(torch.zeros(1, 4, 6)), 4, 6)
    _check(load_image(torch.zeros(4, 6)), 4, 6)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((2, 2, 2), dtype=np.uint8),
        np.zeros((1, 2, 2, 3), dtype=np.uint8),
        np.zeros(3, dtype=np.uint8),
        np.zeros((0, 4, 3), dtype=np.uint8),
        np.zeros((2, 2, 3), dtype=np.int64),
        np.full((2, 2, 3), 255.0),
        np.full((2, 2), -0.5),
        np.full((2, 2), np.nan),
        np.zeros((2, 2), dtype=complex),
        torch.zeros(2, 3, 4, 4),
        None,
        3,
    ],
)
def test_other_values_are_refused(array: object) -> None:
    with pytest.raises(PerceptionError) as caught:
        load_image(array)
    assert "\n" not in caught.value.message


def _refused(source: object, *words: str, **options: int) -> None:
    with pytest.raises(PerceptionError) as caught:
        load_image(source, **options)
    message = caught.value.message
    assert "\n" not in message
    for word in words:
        assert word in message


def test_missing_folder_and_empty(tmp_path: Path) -> None:
    _refused(tmp_path / "no.png", "no.png", "does not exist")
    _refused(tmp_path, "is a folder")
    empty = tmp_path / "empty.png"
    empty.touch()
    _refused(empty, "empty.png", "is empty")
    _refused(b"", "is empty")
    _refused("nul\0.png", "cannot be read")
    _refused("x" * 5000, "cannot be read")


def test_not_an_image(tmp_path: Path) -> None:
    page = tmp_path / "page.png"
    page.write_text("<html>no image</html>")
    _refused(page, "page.png", "not an image")
    _refused(b"\x00\x01\x02", "not an image")


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "bmp", "tiff", "webp"])
@pytest.mark.parametrize("kept", [0.9, 0.5, 0.1])
def test_truncated(tmp_path: Path, suffix: str, kept: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    whole = _saved(tmp_path / f"whole.{suffix}", Image.fromarray(noise)).read_bytes()
    cut = tmp_path / f"cut.{suffix}"
    cut.write_bytes(whole[: int(len(whole) * kept)])
    _refused(cut, f"cut.{suffix}")


def _png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data


@pytest.mark.filterwarnings("error")
def test_too_many_pixels_are_never_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(*_: object) -> None:
        raise AssertionError("pixels were decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", decode)
    path = tmp_path / "large.png"
    path.write_bytes(_png_header(10_000, 10_000))
    _refused(path, "large.png", "10000 x 10000", "100,000,000", f"{MAX_PIXELS:,}", "max_pixels")
    # More than Pillow itself takes: refused by its own check on the header.
    _refused(_png_header(60_000, 60_000), f"{MAX_PIXELS:,}")
    _refused(_png_header(60_000, 60_000), "MAX_IMAGE_PIXELS", max_pixels=10**10)


def test_the_bound_is_an_argument() -> None:
    pixels = np.zeros((10, 10, 3), dtype=np.uint8)
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, "png")
    for source in (pixels, torch.from_numpy(pixels), Image.fromarray(pixels), encoded.getvalue()):
        assert load_image(source, max_pixels=100).shape == (10, 10, 3)
        _refused(source, "10 x 10", "99", "max_pixels", max_pixels=99)


def test_pillow_switches_are_left_alone(tmp_path: Path) -> None:
    before = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)
    load_image(_saved(tmp_path / "image.png", Image.fromarray(_quarters())))
    _refused(tmp_path / "no.png")
    assert before == (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)
