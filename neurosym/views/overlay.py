"""Pictures: the answer on the photograph, and beside it where each word looks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from torch import Tensor

from neurosym.alignment import Alignment, landmarks_of, part_of, steps_by_node
from neurosym.errors import DataError
from neurosym.files import make_folder, write_atomically
from neurosym.program import PORTIONS, Kind, Op, Part
from neurosym.scene import Scene
from neurosym.views import palette
from neurosym.views.explain import blame, counted_set, summary
from neurosym.views.palette import Colour
from neurosym.views.text import (
    answer_lead,
    answer_things,
    answer_word,
    aside_texts,
    is_guess,
    object_name,
    object_text,
    top_things,
)

if TYPE_CHECKING:
    from neurosym.result import Result

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
Pixels = NDArray[np.uint8]
Box = tuple[float, float, float, float]

_PHOTO_SIDE = 820
"""Longest side at which the photograph is drawn: small ones are enlarged, large ones reduced."""
_TILE_SIDE = 300
_GAP = 14
_MAX_TILES = 24
_MAX_OTHERS = 6
_MAX_CANDIDATES = 12
_LIKELY = 0.5
_DIMMED = 0.55
"""What is left of the light outside of the answer; the colours there are half as strong."""


@dataclass(frozen=True)
class Mark:
    """One object as it is drawn on the photograph.

    Attributes:
        index: the object's number.
        label: what stands at its box.
        role: how it is drawn.
        box: what is boxed, xyxy in pixels of the image: the object, or the part of it that is
            the answer.
    """

    index: int
    label: str
    role: Literal["answer", "landmark", "candidate"]
    box: Box

    @property
    def colour(self) -> Colour:
        """The colour of the role."""
        return {
            "answer": palette.ANSWER,
            "landmark": palette.LANDMARK,
            "candidate": palette.CANDIDATE,
        }[self.role]


def picture(result: Result) -> Image.Image:
    """The answer on the photograph, and the map of every content word.

    Left, the photograph (a grey canvas when the scene has none): the answer, or the things that
    were counted, outlined and boxed with their probabilities, in their own colours, while the rest
    is dimmed; other things that the text refers to in a second colour with the words that name
    them; the candidates dashed when there are several. Right, a tile per word: the photograph in
    dark grey under the word's map. Above, the text, the status and the answer, and the words that
    were not used. The status is amber when the answer is less likely than not.

    Args:
        result: of any status.

    Returns:
        An RGB picture; the photograph's longer side is drawn 820 pixels long.
    """
    photo = photograph_of(result.scene)
    scale = _PHOTO_SIDE / max(photo.size)
    drawn = photo.resize(_scaled(photo.size, scale), Image.Resampling.LANCZOS)
    marks = marks_of(result)
    shown = [mark for mark in marks if mark.role != "candidate"]
    areas = [_area(mask, drawn.size) for mask in masks_of(result, shown)]
    if any(mark.role == "answer" for mark in shown):
        drawn = _dimmed(drawn, areas)
    for mark, area in zip(shown, areas, strict=True):
        drawn = _rimmed(drawn, area, mark.colour, 7 if mark.role == "answer" else 5)
    _draw_boxes(drawn, marks, scale)
    tiles = _tiles(result.alignment, photo)
    return _composed(drawn, tiles, result)


def save_picture(image: Image.Image, path: str | Path) -> Path:
    """Write a picture, atomically; the suffix names the format.

    Args:
        image: the picture.
        path: for example ``out/plate.png``; the folder must exist.

    Returns:
        The path.

    Raises:
        DataError: the suffix names no image format, or the file cannot be written.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    formats = Image.registered_extensions()
    written = {end for end, name in formats.items() if name in Image.SAVE}
    if suffix not in written:
        raise DataError(
            f'cannot tell the image format of "{path}" from the suffix "{path.suffix}": '
            "use .png, .jpg or .webp"
        )
    whole = BytesIO()
    try:
        image.save(whole, format=formats[suffix])
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f'cannot write "{path}" as {formats[suffix]}: {error}') from error
    return write_atomically(path, whole.getvalue())


def save_alignment(alignment: Alignment, folder: str | Path) -> list[Path]:
    """Write one heat map per content word, over the photograph, and the numbers behind them.

    Args:
        alignment: the maps.
        folder: where to; made when it does not exist. The pictures are named by the words'
            numbers and words (``01-person.png``), with what file names cannot hold replaced.
            ``alignment.npz`` holds ``maps`` ([T, height, width] float16), ``words``, ``starts``
            and ``ends`` (the words' spans in the text), ``text`` and ``scale``.

    Returns:
        The paths: the words' pictures in the order of the text, then the numbers.

    Raises:
        DataError: the folder or a file cannot be written.
    """
    folder = make_folder(Path(folder))
    numbers_file = folder / "alignment.npz"
    names = _map_names(alignment.words)
    stale = set(_names_of_earlier(numbers_file)) - set(names)
    size = (alignment.size.width, alignment.size.height)
    photo = photograph_of(alignment.scene)
    ground = np.asarray(photo.resize(size, Image.Resampling.LANCZOS).convert("L"))
    seen = alignment.scene.pixels is not None and alignment.scene.pixels.image() is not None
    written = [
        save_picture(
            _under(ground, plane.numpy()) if seen else Image.fromarray(_heated(plane)),
            folder / name,
        )
        for name, plane in zip(names, alignment.maps, strict=True)
    ]
    numbers = BytesIO()
    np.savez_compressed(
        numbers,
        maps=alignment.maps.numpy().astype(np.float16),
        words=np.array(alignment.words, dtype=np.str_),
        starts=np.array([token.span.start for token in alignment.tokens], dtype=np.int64),
        ends=np.array([token.span.end for token in alignment.tokens], dtype=np.int64),
        text=np.array(alignment.text),
        scale=np.array(alignment.scale),
    )
    written.append(write_atomically(numbers_file, numbers.getvalue()))
    for name in stale:
        (folder / name).unlink(missing_ok=True)
    return written


def _map_names(words: Sequence[str]) -> list[str]:
    digits = max(2, len(str(len(words))))
    return [f"{n:0{digits}d}-{_file_name(word)}.png" for n, word in enumerate(words, 1)]


def _names_of_earlier(numbers_file: Path) -> list[str]:
    """The pictures that an earlier call wrote beside its numbers: of another text, they mislead."""
    try:
        with np.load(numbers_file) as earlier:
            return _map_names([str(word) for word in earlier["words"]])
    except (OSError, ValueError, KeyError):
        return []


def _file_name(word: str) -> str:
    return re.sub(r"[^\w\-]+", "_", word).strip("_")[:60] or "word"


def photograph_of(scene: Scene) -> Image.Image:
    """The picture behind a scene in RGB; a grey canvas of its size when there is none."""
    pixels = scene.pixels.image() if scene.pixels is not None else None
    if pixels is None:
        return Image.new("RGB", (scene.size.width, scene.size.height), palette.CANVAS)
    return Image.fromarray(pixels.cpu().numpy()).convert("RGB")


def marks_of(result: Result) -> list[Mark]:
    """What is drawn on the photograph, the answer last, so that it lies on top.

    Args:
        result: of any status.

    Returns:
        One mark for each object: landmarks, candidates when several fit, and the answer, or the
        things that were counted, numbered from left to right.
    """
    scene = result.scene
    marks: dict[int, Mark] = {}

    def mark(index: int, label: str, role: Literal["answer", "landmark", "candidate"]) -> None:
        x1, y1, x2, y2 = scene.boxes[index].tolist()
        marks.pop(index, None)
        marks[index] = Mark(index, label, role, (x1, y1, x2, y2))

    for index, label in _others(result):
        mark(index, label, "landmark")
    for index, probability in _candidates(result):
        mark(index, object_text(scene, index, probability), "candidate")
    for index, probability in answer_things(result):
        mark(index, object_text(scene, index, probability), "answer")
        if isinstance(result.program, Part):
            marks[index] = _part_mark(marks[index], result.program)
    # Of many things only the numbers fit beside each other.
    counted = _counted(result)
    for number, (index, probability) in enumerate(counted, 1):
        label = f"{number}  {object_name(scene, index)} {probability:.2f}"
        mark(index, label if len(counted) <= 8 else str(number), "answer")
    return list(marks.values())


def _part_mark(whole: Mark, program: Part) -> Mark:
    left, top, right, bottom = PORTIONS[program.portion]
    x1, y1, x2, y2 = whole.box
    wide, high = x2 - x1, y2 - y1
    box = (x1 + left * wide, y1 + top * high, x1 + right * wide, y1 + bottom * high)
    return replace(whole, label=f"{answer_lead(program)}{whole.label}", box=box)


def masks_of(result: Result, marks: Sequence[Mark]) -> list[Tensor]:
    """The masks of what is marked: the answer's are its own, of a part that part alone.

    Args:
        result: of any status.
        marks: some of :func:`marks_of` the result.

    Returns:
        A mask [height, width] bool for each mark.
    """
    answered = {index: row for row, index in enumerate(result.objects)}
    others = [mark.index for mark in marks if mark.index not in answered]
    planes = dict(zip(others, result.scene.masks(others), strict=True)) if others else {}
    return [
        result.masks[answered[mark.index]] if mark.index in answered else planes[mark.index]
        for mark in marks
    ]


def _counted(result: Result) -> list[tuple[int, float]]:
    """The things that a question counts or asks for, from left to right."""
    node = counted_set(result.program) if result.answer is not None else None
    step = steps_by_node(result)(node) if node is not None else None
    if step is None or step.objects is None:
        return []
    things = top_things(step.objects, result.scene, len(result.scene))
    likely = [(index, share) for index, share in things if share >= _LIKELY]
    return sorted(likely, key=lambda thing: float(result.scene.boxes[thing[0], ::2].sum()))


def _others(result: Result) -> list[tuple[int, str]]:
    """Landmarks and other referents below the root, with the words that name them.

    Where there is an answer, they are shown as far as they are likely given that there is one.
    """
    step_of = steps_by_node(result)
    found: dict[int, str] = {}
    for node in result.program.walk():
        if part_of(node) != "relation" and node.returns is not Kind.REFERENT:
            continue
        spoken_of = (node,) if node.returns is Kind.REFERENT else landmarks_of(node)
        for other in spoken_of:
            step = step_of(other)
            if other == result.program or step is None or step.objects is None:
                continue
            held = 1.0 - step.none - step.many if result.status == "ok" else 1.0
            for index, probability in top_things(step.objects, result.scene, _MAX_OTHERS):
                if probability >= _LIKELY * held:
                    words = _phrase(other, result) or object_name(result.scene, index)
                    found.setdefault(index, f"{words} {probability:.2f}")
    return list(found.items())


def _phrase(node: Op, result: Result) -> str:
    span = node.span
    if span is None:
        return ""
    words = _line(span.of(result.text))
    return words if len(words) <= 28 else words[:27].rstrip() + "…"


def _candidates(result: Result) -> list[tuple[int, float]]:
    """The things among which the text does not decide."""
    step = blame(result) if result.status == "many" else None
    within = steps_by_node(result)(step.op.operands[0]) if step and step.op.operands else None
    if within is None or within.objects is None:
        return []
    listed = top_things(within.objects, result.scene, _MAX_CANDIDATES)
    # When no candidate is likely by itself, those that come near the best one are meant.
    least = min([_LIKELY, *(value / 2 for _, value in listed[:1])])
    return [(index, value) for index, value in listed if value >= least]


def _area(mask: Tensor, size: tuple[int, int]) -> Image.Image:
    """A mask at the size of the drawn photograph: 255 inside, 0 outside."""
    plane = Image.fromarray((mask.cpu().numpy() * 255).astype(np.uint8))
    return plane.resize(size, Image.Resampling.BICUBIC).point(lambda v: 255 * (v >= 128))


def _dimmed(photo: Image.Image, areas: Sequence[Image.Image]) -> Image.Image:
    """The photograph, dark and pale outside of some areas and untouched inside."""
    inside = np.max([np.asarray(area) for area in areas], axis=0)[..., None] > 0
    pixels = np.asarray(photo).astype(np.float32)
    grey = np.asarray(photo.convert("L")).astype(np.float32)[..., None]
    outside = _DIMMED * (0.5 * pixels + 0.5 * grey)
    return Image.fromarray(np.where(inside, pixels, outside).astype(np.uint8))


def _rimmed(photo: Image.Image, inside: Image.Image, colour: Colour, width: int) -> Image.Image:
    """The photograph with the edge of an area (255 inside, 0 outside) drawn."""
    pixels = np.asarray(photo).astype(np.float32)
    inner = np.asarray(inside.filter(ImageFilter.MinFilter(3)))
    for reach, line, strength in ((width, palette.INK, 0.55), (3, colour, 1.0)):
        rim = np.asarray(inside.filter(ImageFilter.MaxFilter(reach))) > inner
        pixels[rim] = (1 - strength) * pixels[rim] + strength * np.array(line, dtype=np.float32)
    return Image.fromarray(pixels.astype(np.uint8))


def _draw_boxes(photo: Image.Image, marks: Sequence[Mark], scale: float) -> None:
    draw = ImageDraw.Draw(photo)
    taken: list[Box] = []
    boxes = []
    for mark in marks:
        x1, y1, x2, y2 = (value * scale for value in mark.box)
        box = (max(x1, 1), max(y1, 1), min(x2, photo.width - 2), min(y2, photo.height - 2))
        boxes.append(box)
        width = 2 if mark.role == "landmark" else 3
        _rectangle(draw, box, palette.INK, width + 2, dash=0)
        _rectangle(draw, box, mark.colour, width, dash=9 if mark.role == "candidate" else 0)
    # The answer's label first: it has the first choice of place.
    for mark, box in reversed(list(zip(marks, boxes, strict=True))):
        font = _font(18 if mark.role == "answer" else 15)
        taken.append(_draw_label(draw, mark, box, font, photo.size, taken))


def _draw_label(
    draw: ImageDraw.ImageDraw,
    mark: Mark,
    box: Box,
    font: Font,
    size: tuple[int, int],
    taken: Sequence[Box],
) -> Box:
    left, top, right, bottom = draw.textbbox((0, 0), mark.label, font=font)
    width, height = right - left + 12, bottom - top + 10
    places = [
        (box[0], box[1] - height),
        (box[0], box[1]),
        (box[2] - width, box[1] - height),
        (box[2] - width, box[3] - height),
        (box[0], box[3] - height),
        (box[0], box[3]),
    ]
    fitted = [
        (min(max(x, 0), size[0] - width - 1), min(max(y, 0), size[1] - height - 1))
        for x, y in places
    ]
    free = [
        (x, y)
        for x, y in fitted
        if not any(_overlap((x, y, x + width, y + height), other) for other in taken)
    ]
    x, y = (free or fitted)[0]
    placed = (x, y, x + width, y + height)
    draw.rounded_rectangle(placed, radius=4, fill=mark.colour, outline=palette.INK)
    draw.text((x + 6 - left, y + 5 - top), mark.label, font=font, fill=palette.ink_on(mark.colour))
    return placed


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _rectangle(
    draw: ImageDraw.ImageDraw, box: Box, colour: Colour, width: int, *, dash: int
) -> None:
    x1, y1, x2, y2 = box
    if not dash:
        out = width // 2
        draw.rectangle((x1 - out, y1 - out, x2 + out, y2 + out), outline=colour, width=width)
        return
    for ax, ay, bx, by in ((x1, y1, x2, y1), (x2, y1, x2, y2), (x2, y2, x1, y2), (x1, y2, x1, y1)):
        length = max(abs(bx - ax), abs(by - ay))
        for start in np.arange(0, length, 2 * dash):
            end = min(start + dash, length)
            dx, dy = (bx - ax) / length, (by - ay) / length
            points = (ax + dx * start, ay + dy * start, ax + dx * end, ay + dy * end)
            draw.line(points, fill=colour, width=width)


def _tiles(alignment: Alignment, photo: Image.Image) -> list[Image.Image]:
    size = _scaled(photo.size, _TILE_SIDE / max(photo.size))
    ground = np.asarray(photo.resize(size, Image.Resampling.LANCZOS).convert("L"))
    tiles = []
    for rows in alignment.phrases[:_MAX_TILES]:
        part = alignment.parts[rows[0]]
        tile = _under(ground, _resized(alignment.maps[rows[0]], size))
        if part == "relation":
            landmark = alignment.roles(_key(alignment, rows[0]))["landmark"]
            inside = Image.fromarray(_resized(landmark, size) >= _LIKELY).convert("L")
            tile = _rimmed(tile, inside, palette.LANDMARK, 3)
        tiles.append(_titled(tile, " ".join(alignment.words[row] for row in rows), part))
    return tiles


def _key(alignment: Alignment, row: int) -> tuple[str, int]:
    """The word of a row and which of its occurrences it is."""
    words = [word.lower() for word in alignment.words[: row + 1]]
    return words[-1], words.count(words[-1])


def _resized(plane: Tensor, size: tuple[int, int]) -> NDArray[np.float32]:
    image = Image.fromarray(plane.numpy()).resize(size, Image.Resampling.BILINEAR)
    return np.asarray(image, dtype=np.float32)


def _under(ground: Pixels, values: NDArray[np.float32]) -> Image.Image:
    """A grey photograph, darkened, under a heat map that covers it the more the higher it is."""
    values = values.clip(0, 1)
    grey = (ground.astype(np.float32) * 0.5)[..., None].repeat(3, axis=2)
    colours = palette.heat()[np.rint(values * 255).astype(np.int64)].astype(np.float32)
    # The photograph's own light and shade stay visible through the map.
    shaded = colours * (0.72 + 0.28 * ground.astype(np.float32) / 255)[..., None]
    cover = (0.85 * np.sqrt(values))[..., None]
    return Image.fromarray(((1 - cover) * grey + cover * shaded).astype(np.uint8))


def _titled(tile: Image.Image, word: str, part: str) -> Image.Image:
    head = 28
    made = Image.new("RGB", (tile.width, tile.height + head), palette.PAPER)
    made.paste(tile, (0, head))
    draw = ImageDraw.Draw(made)
    name = _shortened(draw, word, _font(18), tile.width - 90)
    draw.text((1, 3), name, font=_font(18), fill=palette.INK)
    draw.text((tile.width - 1, 6), part, font=_font(14), fill=palette.FAINT, anchor="ra")
    return made


def _heated(plane: Tensor) -> Pixels:
    values = np.rint(plane.numpy().clip(0, 1) * 255).astype(np.int64)
    made: Pixels = palette.heat()[values]
    return made


def _composed(photo: Image.Image, tiles: Sequence[Image.Image], result: Result) -> Image.Image:
    """The banner, the photograph and the tiles in columns beside it, and the scale of the maps."""
    tall, wide = (tiles[0].height, tiles[0].width) if tiles else (0, 0)
    rows = max(1, min(len(tiles), (photo.height + _GAP) // (tall + _GAP))) if tiles else 0
    if tiles and len(tiles) > 3 * rows:
        rows = -(-len(tiles) // 3)
    columns = -(-len(tiles) // rows) if rows else 0
    beside = columns * (wide + _GAP)
    banner = _banner(result, photo.width + beside)
    legend = 30
    body = max(photo.height, rows * (tall + _GAP) - _GAP + (legend if tiles else 0))
    made = Image.new(
        "RGB", (photo.width + beside + 2 * _GAP, banner.height + body + 2 * _GAP), palette.PAPER
    )
    made.paste(banner, (_GAP, _GAP // 2))
    top = banner.height + _GAP
    made.paste(photo, (_GAP, top))
    for position, tile in enumerate(tiles):
        column, row = divmod(position, rows)
        x = _GAP + photo.width + _GAP + column * (wide + _GAP)
        made.paste(tile, (x, top + row * (tall + _GAP)))
    if tiles:
        below = top + rows * (tall + _GAP)
        _legend(made, photo.width + 2 * _GAP, below, beside - _GAP)
    return made


def _legend(made: Image.Image, x: int, y: int, width: int) -> None:
    draw = ImageDraw.Draw(made)
    bar = Image.fromarray(palette.heat()[None].repeat(10, axis=0)).resize((min(140, width), 10))
    font = _font(13)
    draw.text((x, y + 10), "0", font=font, fill=palette.FAINT, anchor="ls")
    made.paste(bar, (x + 12, y))
    after = x + 12 + bar.width + 5
    draw.text(
        (after, y + 10), "1  probability at a pixel", font=font, fill=palette.FAINT, anchor="ls"
    )


def _banner(result: Result, width: int) -> Image.Image:
    made = Image.new("RGB", (width, 68), palette.PAPER)
    draw = ImageDraw.Draw(made)
    colour = palette.CAUTION if is_guess(result) else palette.STATUS[result.status]
    font = _font(18)
    said = f"{result.status} {result.probability:.2f}"
    if result.status == "unsupported":
        said = result.status
    if result.answer is not None:
        said = f"{answer_word(result.answer)} {result.probability:.2f}"
    across = draw.textlength(said, font=font) + 24
    draw.rounded_rectangle((width - across, 7, width - 1, 39), radius=16, fill=colour)
    middle = (width - across / 2, 23)
    draw.text(middle, said, font=font, fill=palette.ink_on(colour), anchor="mm")
    left = width - across - _GAP
    aside = aside_texts(result)
    if aside:
        said = _shortened(draw, _line("; ".join(aside).replace('"', "")), font, width / 3)
        wide = draw.textlength(said, font=font) + 24
        pill = (left - wide, 7, left, 39)
        draw.rounded_rectangle(
            pill, radius=16, fill=palette.NOTICE, outline=palette.CAUTION, width=2
        )
        draw.text((left - wide / 2, 23), said, font=font, fill=palette.INK, anchor="mm")
        left -= wide + _GAP
    text = _shortened(draw, _line(result.text), _font(24), left)
    draw.text((0, 23), text, font=_font(24), fill=palette.INK, anchor="lm")
    reason = _shortened(draw, _line(summary(result)), _font(15), width)
    draw.text((0, 54), reason, font=_font(15), fill=palette.FAINT, anchor="lm")
    return made


def _line(text: str) -> str:
    return " ".join(text.split())


def _shortened(draw: ImageDraw.ImageDraw, text: str, font: Font, width: float) -> str:
    if draw.textlength(text, font=font) <= width:
        return text
    while text and draw.textlength(text + "…", font=font) > width:
        text = text[:-1]
    return text.rstrip() + "…"


def _font(size: int) -> Font:
    return ImageFont.load_default(size=size)


def _scaled(size: tuple[int, int], scale: float) -> tuple[int, int]:
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
