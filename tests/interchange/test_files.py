"""Files of all formats: told by their content, written whole, and converted by a command."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from neurosym import cli
from neurosym.errors import DataError, OptionError
from neurosym.interchange import Scenes, read, write
from neurosym.interchange.names import FORMATS, LOST
from neurosym.pixels import GivenMasks, ImageSize
from neurosym.scene import Scene
from neurosym.scene_io import to_document
from tests.interchange.test_clevr_and_nlvr import LINES, MASKS, SCENES
from tests.interchange.test_coco import DOCUMENT
from tests.interchange.test_panoptic import DOCUMENT as PANOPTIC
from tests.interchange.test_panoptic import PICTURE
from tests.interchange.test_scene_graphs import GQA, GRAPHS
from tests.interchange.test_texts_and_traces import LINE, SENTENCES, XML
from tests.scenes import make


def save(path: Path, *documents: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(json.dumps(document) for document in documents))
    return path


def panoptic(folder: Path) -> Path:
    (folder / "p").mkdir()
    Image.fromarray(PICTURE).save(folder / "p" / "five.png")
    return save(folder / "p.json", PANOPTIC)


def clevr(folder: Path) -> Path:
    save(folder / "my_masks.json", MASKS)
    return save(folder / "my_scenes.json", SCENES)


def flickr(folder: Path) -> Path:
    for name, text in (("Sentences/77.txt", SENTENCES), ("Annotations/77.xml", XML)):
        (folder / name).parent.mkdir()
        (folder / name).write_text(text)
    return folder


def listed(folder: Path) -> Path:
    return save(folder / "listed.json", [{"image_id": "0a1", "height": 40, "width": 60}])


def scene(folder: Path) -> Path:
    make().save(folder / "one.json")
    return folder / "one.json"


def graph(folder: Path) -> Path:
    write(make(), folder / "graph.json", "networkx")
    return folder / "graph.json"


FILES: dict[str, Callable[[Path], Path]] = {
    "scene": scene,
    "coco": lambda folder: save(folder / "instances.json", DOCUMENT),
    "coco-results": lambda folder: save(
        folder / "results.json",
        [{"image_id": 9, "category_id": 17, "bbox": [1, 2, 3, 4], "score": 0.5}],
    ),
    "coco-panoptic": panoptic,
    "visual-genome": lambda folder: save(folder / "scene_graphs.json", GRAPHS),
    "gqa": lambda folder: save(folder / "sceneGraphs.json", GQA),
    "clevr": clevr,
    "nlvr": lambda folder: save(folder / "dev.json", *LINES, {**LINES[0], "identifier": "1-1"}),
    "flickr30k": flickr,
    "localized-narratives": lambda folder: save(folder / "narratives.jsonl", LINE),
    "networkx": graph,
}
IMAGES: dict[str, Callable[[Path], Path]] = {
    "coco-results": FILES["coco"],
    "localized-narratives": listed,
}
NAMES = {"flickr30k": "out", "clevr": "out_scenes.json"}


def read_again(name: str, folder: Path) -> tuple[Path, Scenes, Path | None]:
    folder.mkdir()
    path = FILES[name](folder)
    images = IMAGES[name](folder) if name in IMAGES else None
    return path, read(path, images=images), images


def same(one: Scene, other: Scene) -> bool:
    return to_document(one) == to_document(other)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_told_by_its_content_and_written_as_it_was_read(
    tmp_path: Path, name: str
) -> None:
    path, scenes, images = read_again(name, tmp_path / "in")
    assert scenes.format == ("coco" if name == "coco-results" else name)
    target = tmp_path / "out" / NAMES.get(name, "out.json")
    written = write(scenes, target, name)
    assert all(file.is_file() for file in written)
    again = read(target, images=images)
    keys = ["out"] if name in ("scene", "networkx") else list(scenes)
    assert list(again) == keys
    assert all(map(same, again.values(), scenes.values()))
    if path.suffix == ".json" and name not in ("nlvr", "scene", "networkx"):
        assert json.loads(target.read_text()) == json.loads(path.read_text())


@pytest.mark.parametrize("name", FORMATS)
def test_the_format_can_be_named(tmp_path: Path, name: str) -> None:
    path, scenes, images = read_again(name, tmp_path / "in")
    assert list(read(path, name, images=images)) == list(scenes)


def test_every_format_says_what_it_loses() -> None:
    assert LOST.keys() == FORMATS.keys()


def test_a_format_that_cannot_be_told_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no known format; name one"):
        read(save(tmp_path / "a.json", {"objects": []}))
    both = {**DOCUMENT, "nodes": [], "graph": {}, "directed": True}
    with pytest.raises(DataError, match="it may be coco or networkx; name one"):
        read(save(tmp_path / "b.json", both))
    (tmp_path / "c.json").write_text("{]")
    with pytest.raises(DataError, match="neither JSON nor JSON Lines"):
        read(tmp_path / "c.json")
    with pytest.raises(DataError, match=r"cannot read .*No such file"):
        read(tmp_path / "d.json")
    with pytest.raises(OptionError, match='no format "coko": did you mean "coco"'):
        read(save(tmp_path / "a.json", DOCUMENT), "coko")


def test_damage_is_said_with_file_and_place(tmp_path: Path) -> None:
    broken = save(tmp_path / "i.json", {**DOCUMENT, "annotations": [{}]})
    with pytest.raises(DataError, match=r'i\.json" as coco: annotation 0 lacks "image_id"'):
        read(broken)
    results = FILES["coco-results"](tmp_path)
    with pytest.raises(DataError, match="give COCO's file of annotations"):
        read(results)
    with pytest.raises(DataError, match="as gqa: it must hold a JSON object"):
        read(results, "gqa")
    (tmp_path / "77.xml").write_text(XML)
    with pytest.raises(DataError, match=r"as flickr30k: .*77\.xml.*No such file"):
        read(tmp_path / "77.xml")
    with pytest.raises(DataError, match="as clevr: its masks are not found"):
        read(save(tmp_path / "other.json", SCENES))


def test_sizes_are_those_of_the_pictures(tmp_path: Path) -> None:
    narratives = FILES["localized-narratives"](tmp_path)
    with pytest.raises(DataError, match="the size of the image '0a1' is not known"):
        read(narratives)
    (tmp_path / "pictures").mkdir()
    Image.fromarray(np.zeros((40, 60, 3), dtype=np.uint8)).save(tmp_path / "pictures" / "0a1.png")
    (found,) = read(narratives, images=tmp_path / "pictures").values()
    assert found.size == ImageSize(height=40, width=60)
    # The release calls images by numbers, and their files by numbers with zeros before them.
    sizeless = [{k: v for k, v in GRAPHS[0].items() if k not in ("width", "height")}]
    graphs = save(tmp_path / "graphs.json", sizeless)
    Image.fromarray(np.zeros((60, 80, 3), dtype=np.uint8)).save(tmp_path / "pictures" / "0002.png")
    assert read(graphs, images=tmp_path / "pictures")[2].size == (60, 80)
    save(tmp_path / "image_data.json", [{"image_id": 2, "width": 81, "height": 61}])
    assert read(graphs)[2].size == (61, 81)


def test_nothing_is_written_when_a_scene_cannot_be(tmp_path: Path) -> None:
    scenes = {"a": make(), "b": make()}
    with pytest.raises(DataError, match="cannot write this as networkx: a file holds"):
        write(scenes, tmp_path / "new" / "g.json", "networkx")
    with pytest.raises(DataError, match="two scenes would be written to"):
        write({"a/b": make(), "a_b": make()}, tmp_path / "new", "scene")
    with pytest.raises(DataError, match="cannot write this as clevr"):
        write(make(), tmp_path / "new" / "scenes.json", "clevr")
    with pytest.raises(DataError, match=r"must end in \.json"):
        write(make(), tmp_path / "new", "coco-panoptic")
    with pytest.raises(OptionError, match='no format "yolo"'):
        write(make(), tmp_path / "new", "yolo")
    assert list(tmp_path.iterdir()) == []


def test_names_of_images_lead_nowhere_else(tmp_path: Path) -> None:
    (written,) = write({"../../up": make()}, tmp_path / "in", "scene")
    assert written.parent == tmp_path / "in"
    assert same(read(tmp_path / "in")[written.stem], make())


def test_masks_go_from_format_to_format(tmp_path: Path) -> None:
    mask = torch.zeros((20, 30), dtype=torch.bool)
    mask[3:8, 4:9] = True
    write(make(pixels=GivenMasks(ImageSize(20, 30), {0: mask})), tmp_path / "a.json", "coco")
    write(read(tmp_path / "a.json"), tmp_path / "b.json", "scene")
    write(read(tmp_path / "b.json"), tmp_path / "c.json", "coco-panoptic")
    (scene,) = read(tmp_path / "c.json").values()
    assert torch.equal(scene.masks([0])[0], mask)


# The command


def test_convert_says_what_it_did_and_what_is_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = str(save(tmp_path / "i.json", DOCUMENT)), str(tmp_path / "new" / "g.json")
    assert cli.main(["convert", source, target, "--to", "gqa"]) == 0
    said = capsys.readouterr().out
    assert "2 images with 3 objects: coco -> gqa" in said
    assert "gqa cannot say: masks" in said
    assert len(read(target)["9"]) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--to", "coc"], 'no format "coc": did you mean "coco"?'),
        (["--to", "clevr"], "only what was read from CLEVR"),
        (["--to", "coco", "--from", "nlvr"], "as nlvr: line 1 lacks"),
    ],
)
def test_convert_refuses_in_one_line_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    source, target = save(tmp_path / "i.json", DOCUMENT), tmp_path / "new" / "scenes.json"
    assert cli.main(["convert", str(source), str(target), *arguments]) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert said.err.count("\n") == 1
    assert not target.parent.exists()
