"""Reads the parameters of a saved Paddle inference model, without Paddle.

Such a model is two files. ``model.pdmodel`` is a protocol buffer that describes the program and
declares its variables; ``model.pdiparams`` holds the persistable variables one after another, in
the order of their sorted names, each with its own type and shape but without its name. Only the
few message fields that are needed are read, straight from the wire format, and nothing is
unpickled or executed.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from neurosym.errors import PerceptionError

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
# Paddle's VarType codes: the element types a tensor may have, and the two pseudo-variables through
# which a program is fed and read, which are marked persistable but never saved.
_DTYPES = {
    0: np.dtype("?"),
    1: np.dtype("<i2"),
    2: np.dtype("<i4"),
    3: np.dtype("<i8"),
    4: np.dtype("<f2"),
    5: np.dtype("<f4"),
    6: np.dtype("<f8"),
    20: np.dtype("u1"),
    21: np.dtype("i1"),
}
_FEED, _FETCH = 9, 10


def read_parameters(params_path: Path, model_path: Path) -> dict[str, torch.Tensor]:
    """All saved parameters of a model by their variable names.

    Args:
        params_path: the combined parameters, ``*.pdiparams``.
        model_path: the program, ``*.pdmodel``, which gives the names and the declared shapes.

    Returns:
        Name to tensor, on the CPU, in the order of the file; tensors own their memory.

    Raises:
        PerceptionError: a file is missing, cut short, too long, or the two do not belong together.
    """
    declared = _declared(_bytes_of(model_path), model_path)
    data = _bytes_of(params_path)
    parameters: dict[str, torch.Tensor] = {}
    offset = 0
    for name in sorted(declared):
        try:
            tensor, offset = _tensor(data, offset)
        except (struct.error, IndexError, ValueError) as error:
            raise PerceptionError(
                f'{params_path.name}: cannot read parameter "{name}" at byte {offset}: {error}'
            ) from error
        if list(tensor.shape) != declared[name]:
            raise PerceptionError(
                f'{params_path.name}: parameter "{name}" has shape {list(tensor.shape)}, '
                f"but {model_path.name} declares {declared[name]}"
            )
        parameters[name] = tensor
    if offset != len(data):
        raise PerceptionError(
            f"{params_path.name}: {len(data) - offset} bytes are left over after the "
            f"{len(declared)} parameters that {model_path.name} declares"
        )
    return parameters


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PerceptionError(f"cannot read {path}: {error.strerror}") from error


def _tensor(data: bytes, offset: int) -> tuple[torch.Tensor, int]:
    """One serialised tensor: its value and the offset behind it."""
    version, lod_levels = struct.unpack_from("<IQ", data, offset)
    if version != 0 or lod_levels != 0:
        raise ValueError(f"tensor version {version} with {lod_levels} levels of detail")
    tensor_version, size = struct.unpack_from("<Ii", data, offset + 12)
    start = offset + 20
    if tensor_version != 0 or size < 0 or start + size > len(data):
        raise ValueError("the tensor's header is damaged")
    dtype, shape = _tensor_description(data[start : start + size])
    start += size
    end = start + math.prod(shape) * dtype.itemsize
    if min(shape, default=1) < 0 or end > len(data):
        raise ValueError(f"a tensor of shape {shape} ends at byte {end} of {len(data)}")
    array = np.frombuffer(data[start:end], dtype=dtype).reshape(shape).copy()
    return torch.from_numpy(array), end


def _tensor_description(message: bytes) -> tuple[np.dtype[np.generic], list[int]]:
    """Element type and dimensions of a TensorDesc message."""
    code, shape = -1, list[int]()
    for field, value in _fields(message):
        if field == 1 and isinstance(value, int):
            code = value
        elif field == 2 and isinstance(value, int):
            shape.append(_signed(value))
        elif field == 2 and isinstance(value, bytes):
            shape.extend(_packed(value))
    if code not in _DTYPES:
        raise ValueError(f"element type {code} is not one that is read here")
    return _DTYPES[code], shape


def _declared(program: bytes, path: Path) -> dict[str, list[int]]:
    """The persistable variables of a ProgramDesc message with their shapes."""
    found: dict[str, list[int]] = {}
    try:
        for block in _messages(program, 1):
            for variable in _messages(block, 3):
                described = _variable(variable)
                if described is not None:
                    found[described[0]] = described[1]
    except (struct.error, IndexError, ValueError) as error:
        raise PerceptionError(f"{path.name}: not a Paddle program: {error}") from error
    if not found:
        raise PerceptionError(f"{path.name}: not a Paddle program: it declares no parameters")
    return found


def _variable(message: bytes) -> tuple[str, list[int]] | None:
    """Name and shape of a VarDesc message; None when the variable is not saved."""
    name, persistable, shape = "", False, list[int]()
    for field, value in _fields(message):
        if field == 1 and isinstance(value, bytes):
            name = value.decode("utf-8")
        elif field == 3 and isinstance(value, int):
            persistable = bool(value)
        elif field == 2 and isinstance(value, bytes):
            for type_field, type_value in _fields(value):
                if type_field == 1 and type_value in (_FEED, _FETCH):
                    return None
            for dense in _messages(value, 3):
                for tensor in _messages(dense, 1):
                    shape = _tensor_description(tensor)[1]
    return (name, shape) if persistable else None


def _messages(message: bytes, wanted: int) -> Iterator[bytes]:
    """The embedded messages of one field."""
    for field, value in _fields(message):
        if field == wanted and isinstance(value, bytes):
            yield value


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field number and value of each entry of a protocol-buffer message."""
    offset = 0
    while offset < len(message):
        key, offset = _varint(message, offset)
        field, wire = key >> 3, key & 7
        if field == 0:
            raise ValueError("field number 0")
        if wire == _VARINT:
            value, offset = _varint(message, offset)
            yield field, value
            continue
        if wire == _BYTES:
            size, offset = _varint(message, offset)
        elif wire in (_FIXED32, _FIXED64):
            size = 4 if wire == _FIXED32 else 8
        else:
            raise ValueError(f"wire type {wire}")
        if offset + size > len(message):
            raise ValueError("a field runs past the end")
        yield field, message[offset : offset + size]
        offset += size


def _varint(message: bytes, offset: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[offset]
        offset += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, offset
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than 64 bits")


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def _packed(data: bytes) -> Iterator[int]:
    offset = 0
    while offset < len(data):
        value, offset = _varint(data, offset)
        yield _signed(value)
