"""Reading images: whatever a caller has becomes one uint8 [H, W, 3] RGB array."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neurosym.errors import PerceptionError

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 50_000_000

ImageArray: TypeAlias = NDArray[np.uint8]
# A path, encoded bytes, a PIL image, an array, or a torch tensor (known by its methods: a caller
# without torch must not need it).
ImageSource: TypeAlias = Any

_RAISE_BOUND = "raise max_pixels (--max-pixels on the command line) to take it"
# What Pillow's several plugins raise on damaged files; MemoryError is for sizes that lie.
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    MemoryError,
    RuntimeError,  # the AVIF decoder
    struct.error,
)


def load_image(source: ImageSource, *, max_pixels: int = MAX_PIXELS) -> ImageArray:
    """Reads an image into one form.

    Files are read as people see them: turned as their EXIF orientation says, transparent parts over
    white, 16-bit greys scaled (not clipped), the first frame of an animation.

    Args:
        source: a path (str or PathLike), the bytes of an image file, a PIL image, a numpy array
            [H, W], [H, W, 1], [H, W, 3] or [H, W, 4] (uint8; bool; uint16; or floats in [0, 1]), or
            a torch tensor of the same kinds, [3, H, W] or [H, W, 3]. A PIL animation is read at
            the frame where it stands.
        max_pixels: the most pixels an image may have; known from a file's header, so that nothing
            larger is ever decoded.

    Returns:
        uint8 [H, W, 3] RGB, C-contiguous, own memory.

    Raises:
        PerceptionError: there is no such file, it is no image or a damaged one, an array has
            another shape, type or range, or the image has more pixels than ``max_pixels``.
    """
    if isinstance(source, str | os.PathLike):
        return _from_file(Path(source), max_pixels)
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
        if not data:
            raise PerceptionError("the image is empty: 0 bytes")
        return _decode(io.BytesIO(data), "the image's bytes", max_pixels)
    if isinstance(source, np.ndarray):
        return _from_array(source, "array", max_pixels)
    if _is_tensor(source):
        return _from_tensor(source, max_pixels)
    if _is_pil(source):
        _check_pixels(source.height, source.width, "the image", max_pixels)
        return _guarded(lambda: _to_rgb(source), "the image")
    raise PerceptionError(
        f"an image is a path, bytes, a PIL image, a numpy array or a torch tensor, "
        f"got {type(source).__name__}"
    )


def _from_file(path: Path, max_pixels: int) -> ImageArray:
    name = f'the image "{path}"'
    try:
        if path.is_dir():
            raise PerceptionError(f"{name} is a folder")
        with path.open("rb") as stream:
            if not stream.read(1):
                raise PerceptionError(f"{name} is empty: 0 bytes")
            stream.seek(0)
            return _decode(stream, name, max_pixels)
    except FileNotFoundError:
        raise PerceptionError(f"{name} does not exist") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise PerceptionError(f"{name} cannot be read: {_reason(error)}") from error


def _decode(stream: Any, name: str, max_pixels: int) -> ImageArray:
    from PIL import Image, UnidentifiedImageError

    def read() -> ImageArray:
        with warnings.catch_warnings():
            # The header's size is held against max_pixels below, so Pillow's own warning is noise.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(stream) as image:
                _check_pixels(image.height, image.width, name, max_pixels)
                return _to_rgb(image)

    try:
        return _guarded(read, name)
    except Image.DecompressionBombError as error:
        # Pillow refuses while it opens a file, so this too is known before any pixel is decoded.
        own = 2 * (Image.MAX_IMAGE_PIXELS or 0)
        if max_pixels < own:
            raise PerceptionError(
                f"{name} has more than {own:,} pixels, the bound is {max_pixels:,}; "
                "make it smaller, or decode it yourself and pass an array"
            ) from error
        raise PerceptionError(
            f"{name} has more than {own:,} pixels, which Pillow itself refuses; make it smaller, "
            "or raise PIL.Image.MAX_IMAGE_PIXELS"
        ) from error
    except UnidentifiedImageError:
        raise PerceptionError(f"{name} is not an image in a format that Pillow reads") from None


def _guarded(read: Callable[[], ImageArray], name: str) -> ImageArray:
    from PIL import UnidentifiedImageError

    try:
        return read()
    except UnidentifiedImageError:
        raise
    except _DAMAGE as error:
        raise PerceptionError(
            f"{name} cannot be decoded, it is damaged or cut short: {_reason(error)}"
        ) from error


def _check_pixels(height: int, width: int, name: str, max_pixels: int) -> None:
    if height * width > max_pixels:
        raise PerceptionError(
            f"{name} is {width} x {height} = {height * width:,} pixels, more than the bound of "
            f"{max_pixels:,}; make it smaller, or {_RAISE_BOUND}"
        )
    if height == 0 or width == 0:
        raise PerceptionError(f"{name} has no pixels: it is {width} x {height}")


def _to_rgb(image: Image) -> ImageArray:
    from PIL import Image as pillow  # noqa: N813
    from PIL import ImageOps

    image.load()
    turned = image
    # The pixels are whole by now, so what fails here is a broken EXIF block: not worth an image.
    with contextlib.suppress(*_DAMAGE):
        turned = ImageOps.exif_transpose(image)
    if turned.mode.startswith("I") or turned.mode == "F":
        return _from_deep_grey(turned)
    if turned.mode == "RGB" and "transparency" not in turned.info:
        return np.array(turned, dtype=np.uint8)
    if turned.has_transparency_data:
        over = turned.convert("RGBA")
        white = pillow.new("RGBA", over.size, (255, 255, 255, 255))
        turned = pillow.alpha_composite(white, over)
    return np.array(turned.convert("RGB"), dtype=np.uint8)


def _from_deep_grey(image: Image) -> ImageArray:
    # Pillow's own conversion to 8 bits clips at 255, which turns a 16-bit picture white.
    values = np.array(image)
    if image.mode == "F":
        top = 1.0 if values.size and values.max() <= 1.0 else 255.0
        scaled = np.clip(np.nan_to_num(values.astype(np.float64)) / top, 0.0, 1.0)
    else:
        # Mode "I" carries 16-bit files as 32-bit integers; larger values are scaled to their top.
        top = max(65535.0, float(values.max()))
        scaled = np.clip(values.astype(np.float64) / top, 0.0, 1.0)
    return _grey_to_rgb(np.rint(scaled * 255.0).astype(np.uint8))


def _from_tensor(tensor: Any, max_pixels: int) -> ImageArray:
    values = tensor.detach().cpu()
    if not _is_numpy_type(str(values.dtype)):  # bfloat16 has no numpy type
        values = values.float()
    array = np.asarray(values.numpy())
    # Torch keeps channels first; that reading wins for [3, H, 3], which both would fit.
    if array.ndim == 3 and (
        array.shape[0] == 3 or (array.shape[0] in (1, 4) and array.shape[2] not in (1, 3, 4))
    ):
        array = array.transpose(1, 2, 0)
    return _from_array(array, "tensor", max_pixels)


def _is_numpy_type(dtype: str) -> bool:
    return "bfloat16" not in dtype and "float8" not in dtype


def _from_array(array: NDArray[Any], what: str, max_pixels: int) -> ImageArray:
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        accepted = "[H, W, 3] or [3, H, W]" if what == "tensor" else "[H, W] or [H, W, 1, 3 or 4]"
        raise PerceptionError(
            f"an image {what} has the shape {accepted}, got {list(array.shape)}; "
            "pass one image, not a batch"
        )
    _check_pixels(array.shape[0], array.shape[1], f"the image {what}", max_pixels)
    values = _to_bytes(array, what)
    if values.ndim == 2 or values.shape[2] == 1:
        return _grey_to_rgb(values.reshape(values.shape[:2]))
    if values.shape[2] == 4:
        alpha = values[..., 3:].astype(np.float32) / 255.0
        over_white = values[..., :3] * alpha + 255.0 * (1.0 - alpha)
        return np.ascontiguousarray(np.rint(over_white).astype(np.uint8))
    return np.array(values, dtype=np.uint8, order="C")


def _to_bytes(array: NDArray[Any], what: str) -> ImageArray:
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype == np.uint16:
        return np.asarray((array.astype(np.uint32) * 255 + 32767) // 65535, dtype=np.uint8)
    if np.issubdtype(array.dtype, np.floating):
        low, high = float(array.min()), float(array.max())
        if not (low >= 0.0 and high <= 1.0):  # NaN fails this too
            raise PerceptionError(
                f"an image {what} of floats has values in [0, 1], got [{low:g}, {high:g}]; "
                "divide by 255 or convert to uint8 first"
            )
        return np.asarray(np.rint(array.astype(np.float64) * 255.0), dtype=np.uint8)
    raise PerceptionError(
        f"an image {what} is uint8, uint16, bool or float in [0, 1], got {array.dtype}"
    )


def _grey_to_rgb(grey: ImageArray) -> ImageArray:
    return np.repeat(grey[:, :, None], 3, axis=2)


def _is_tensor(source: object) -> bool:
    return any(
        base.__name__ == "Tensor" and base.__module__ == "torch" for base in type(source).__mro__
    )


def _is_pil(source: object) -> bool:
    from PIL.Image import Image

    return isinstance(source, Image)


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error) or type(error).__name__).splitlines()[0]
