"""What disks, networks and people do to files: to their bytes, and behind their checksums."""

from __future__ import annotations

import io
import json
import re
import warnings
import zipfile
from random import Random
from typing import Any

import numpy as np

NUMBERS = (0, 1, 2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 1)

# What may stand in a JSON text in place of something else.
VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1, 2, 3.5, 2**31, 2**63, -(2**63), 10**30, 1e308, float("nan"),
    float("inf"), "", "x", "é\0", "Dense", "__main__", "relu", [], [[]], [1, 2], [None, 5], {},
    {"class_name": "x"}, {"class_name": "Lambda", "config": {}}, {"config": None},
    {"dict": {}}, {"array": "0"},
)  # fmt: skip


def damaged(r: Random, data: bytes, others: list[bytes]) -> bytes:
    """The bytes, some of them changed, lost, doubled or taken from another file."""
    result = bytearray(data)
    for _ in range(r.choice((1, 1, 1, 2, 5))):
        size = len(result)
        at, count = r.randrange(size + 1), r.choice((1, 4, 64, 1000))
        kind = r.randrange(7)
        if kind == 0:
            for _ in range(r.choice((1, 2, 20))):
                if size:
                    result[r.randrange(size)] ^= 1 << r.randrange(8)
        elif kind == 1:
            result[at:] = b""
        elif kind == 2:
            result[at : at + count] = bytes(min(count, size - at))
        elif kind == 3:
            result[at : at + count] = b""
        elif kind == 4:
            result[at:at] = result[r.randrange(size + 1) :][:count]
        elif kind == 5:
            other = r.choice(others)
            begin = r.randrange(len(other))
            result[at : at + count] = other[begin : begin + count]
        elif at + 8 <= size:  # a number, such as a size or a place
            result[at : at + 8] = r.choice((*NUMBERS, size)).to_bytes(8, "little")
    return bytes(result)


def damaged_json(r: Random, text: bytes) -> bytes:
    """The same tree, in which a branch or two are others, lost, or deeper than any stack."""
    if r.random() < 0.03:
        return r.choice((b"[", b'{"config":')) * 200_000
    root = [json.loads(text)]
    for _ in range(r.choice((1, 1, 2))):
        places = list(_places(root))
        parent, key = r.choice(places)
        kind = r.randrange(4)
        if kind == 0 and parent is not root:
            del parent[key]
        elif kind == 1:
            other, at = r.choice(places)
            parent[key] = json.loads(json.dumps(other[at]))  # no tree that holds itself
        elif kind == 2 and isinstance(parent, dict):
            parent[r.choice(("", "x", "units", "name"))] = parent.pop(key)
        else:
            parent[key] = r.choice(VALUES)
    return json.dumps(root[0]).encode()


def _places(tree: Any) -> Any:
    """Parent and key of all that stands in a tree."""
    for key in list(tree) if isinstance(tree, dict) else range(len(tree)):
        yield tree, key
        if isinstance(tree[key], (dict, list)):
            yield from _places(tree[key])


def damaged_member(r: Random, data: bytes, others: list[bytes]) -> bytes:
    """A zip archive, sound itself, with a member that is damaged, renamed, missing or twice."""
    image = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(image, "w") as new:
        names = old.namelist()
        spoiled, kind = r.choice(names), r.randrange(8)
        for name in names:
            content = old.read(name)
            if name == spoiled and kind == 0:
                name = r.choice((*names, "x", "../x", "/x", ""))
            elif name == spoiled and kind == 1:
                continue
            elif name == spoiled:
                content = damaged_content(r, name, content, others)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that it is twice
                new.writestr(zipfile.ZipInfo(name), content)
    return image.getvalue()


def damaged_content(r: Random, name: str, content: bytes, others: list[bytes]) -> bytes:
    if r.random() < 0.3:
        return damaged(r, content, others)
    if content[:1] in b"{[":
        return damaged_json(r, content)
    if content.startswith(b"\x89HDF"):
        return damaged_hdf5(r, content)
    if content.startswith(b"\x93NUMPY"):
        return damaged_npy(r, content, others)
    return damaged(r, content, others)


def damaged_npy(r: Random, content: bytes, others: list[bytes]) -> bytes:
    """An array with another header, other contents behind it, or a tree of JSON within."""
    end = content.index(b"\n") + 1
    header, body = content[:end], content[end:]
    if body[:1] == b"{" and b"'|u1'" in header:  # a text as numbers: see state_file.py
        tree = np.frombuffer(damaged_json(r, body), np.uint8)
        image = io.BytesIO()
        np.save(image, tree)
        return image.getvalue()
    if r.random() < 0.5:
        return header + damaged(r, body, others)
    words = re.findall(rb"[0-9]+|'[^']*'|True|False|[(),{}:]", header)
    word = r.choice(words)
    news = (b"0", b"1", b"-1", b"1" + b"0" * 11, b"9" * 30, b"True", b"'<f8'", b"'|O'", b"'|O8'")
    new = r.choice((*news, b"'<U9'", b"'V16'", b"'(2,)f4'", b"'M8[s]'", b"()", b"(" * 300, b""))
    header = header.replace(word, new, 1)
    room = (len(header) - 10).to_bytes(2, "little")
    return header[:8] + room + header[10:] + body


def damaged_hdf5(r: Random, content: bytes) -> bytes:
    """A sound HDF5 file in which an object is gone, another, or of another kind."""
    import h5py

    image = io.BytesIO(content)
    with h5py.File(image, "r+") as file:
        found: list[Any] = [file]
        file.visititems(lambda _, item: found.append(item))
        with_attributes = [item for item in found if len(item.attrs)]
        if with_attributes and r.random() < 0.6:
            attributes = r.choice(with_attributes).attrs
            name = r.choice(sorted(attributes))
            value = attributes[name]
            text = value.encode() if isinstance(value, str) else value
            if isinstance(text, bytes) and text[:1] == b"{" and r.random() < 0.8:
                attributes[name] = damaged_json(r, text)[:60_000].replace(b"\0", b"")
            else:
                del attributes[name]
                if r.random() < 0.8:
                    attributes.create(name, **_hdf5_value(r))
        else:
            item = r.choice(found[1:])
            name, parent = item.name, item.parent
            del parent[name]
            kind = r.randrange(5)
            if kind == 0:
                parent[name] = h5py.SoftLink(r.choice(("/", "/x", name)))
            elif kind == 1:
                parent[name] = h5py.ExternalLink("/dev/zero", "/")
            elif kind == 2:
                parent.create_group(name)
            elif kind == 3:
                parent.create_dataset(name, **_hdf5_value(r))
            elif isinstance(item, h5py.Dataset) and item:
                parent.create_dataset(name, item.shape, r.choice(("f2", ">i4", "c8", "S3", "b1")))
    return image.getvalue()


def _hdf5_value(r: Random) -> dict[str, Any]:
    import h5py

    shape = r.choice(((), (0,), (1,), (3,), (2, 3), (5, 12), (4, 16)))
    if r.random() < 0.2:
        return {"data": np.full(shape, "{", object), "dtype": h5py.string_dtype()}
    dtype = r.choice(("f4", "f8", ">i8", "c8", "S4", "b1", [("a", "f4")]))
    return {"data": np.zeros(shape, dtype)}
