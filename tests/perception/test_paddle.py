from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from neurosym.errors import PerceptionError
from neurosym.perception.paddle import read_parameters

FLOAT32, INT64 = 5, 3


def varint(value: int) -> bytes:
    encoded = bytearray()
    value &= (1 << 64) - 1
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def message(field: int, content: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(content)) + content


def description(dtype: int, shape: tuple[int, ...], *, packed: bool = False) -> bytes:
    if packed:
        return number(1, dtype) + message(2, b"".join(varint(size) for size in shape))
    return number(1, dtype) + b"".join(number(2, size) for size in shape)


def variable(name: str, dtype: int, shape: tuple[int, ...], *, kind: int = 7) -> bytes:
    dense = message(3, message(1, description(dtype, shape)))
    return message(
        3, message(1, name.encode()) + message(2, number(1, kind) + dense) + number(3, 1)
    )


def saved(dtype: int, shape: tuple[int, ...], data: bytes, *, packed: bool = False) -> bytes:
    described = description(dtype, shape, packed=packed)
    return struct.pack("<IQIi", 0, 0, 0, len(described)) + described + data


@pytest.fixture
def model(tmp_path: Path) -> tuple[Path, Path]:
    """A float matrix "b" and an integer vector "a": saved in the order of their names."""
    program = message(
        1,
        variable("b", FLOAT32, (2, 3))
        + variable("a", INT64, (2,))
        + message(3, message(1, b"feed") + message(2, number(1, 9)) + number(3, 1))
        + message(3, message(1, b"temporary") + message(2, number(1, 7))),
    )
    data = saved(INT64, (2,), struct.pack("<2q", -1, 7)) + saved(
        FLOAT32, (2, 3), struct.pack("<6f", *range(6)), packed=True
    )
    (tmp_path / "m.pdmodel").write_bytes(program)
    (tmp_path / "m.pdiparams").write_bytes(data)
    return tmp_path / "m.pdiparams", tmp_path / "m.pdmodel"


def test_names_shapes_types_and_values(model: tuple[Path, Path]) -> None:
    parameters = read_parameters(*model)
    assert list(parameters) == ["a", "b"]
    assert torch.equal(parameters["a"], torch.tensor([-1, 7]))
    assert torch.equal(parameters["b"], torch.arange(6.0).view(2, 3))


def test_every_truncation_is_one_clear_line(model: tuple[Path, Path]) -> None:
    whole = model[0].read_bytes()
    for size in range(len(whole)):
        model[0].write_bytes(whole[:size])
        with pytest.raises(PerceptionError) as caught:
            read_parameters(*model)
        assert "\n" not in caught.value.message
        assert "m.pdiparams" in caught.value.message


def test_every_truncated_program_fails_cleanly(model: tuple[Path, Path]) -> None:
    whole = model[1].read_bytes()
    for size in range(len(whole)):
        model[1].write_bytes(whole[:size])
        with pytest.raises(PerceptionError):
            read_parameters(*model)


def test_bytes_left_over(model: tuple[Path, Path]) -> None:
    model[0].write_bytes(model[0].read_bytes() + b"\0")
    with pytest.raises(PerceptionError, match="1 bytes are left over after the 2 parameters"):
        read_parameters(*model)


def test_a_shape_that_the_program_does_not_declare(model: tuple[Path, Path]) -> None:
    model[1].write_bytes(message(1, variable("a", INT64, (3,)) + variable("b", FLOAT32, (2, 3))))
    with pytest.raises(PerceptionError, match=r'"a" has shape \[2\], but m.pdmodel declares \[3\]'):
        read_parameters(*model)


def test_negative_dimensions_are_damage(model: tuple[Path, Path]) -> None:
    model[0].write_bytes(saved(INT64, (-2,), b""))
    with pytest.raises(PerceptionError, match='cannot read parameter "a"'):
        read_parameters(*model)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(PerceptionError, match=r"cannot read .*m\.pdmodel: No such file"):
        read_parameters(tmp_path / "m.pdiparams", tmp_path / "m.pdmodel")


def test_random_bytes_are_not_a_program(model: tuple[Path, Path]) -> None:
    model[1].write_bytes(bytes(range(256)))
    with pytest.raises(PerceptionError, match=r"m\.pdmodel: not a Paddle program"):
        read_parameters(*model)


def test_the_default_detector_has_445_parameters(weights: Callable[[str], Path]) -> None:
    folder = weights("picodet-s")
    parameters = read_parameters(folder / "model.pdiparams", folder / "model.pdmodel")
    assert len(parameters) == 445
    assert parameters["conv2d_0.w_0"].shape == (16, 3, 3, 3)
    assert all(torch.isfinite(value).all() for value in parameters.values())
