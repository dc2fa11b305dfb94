"""Hashes that give strings outside a vocabulary their numbers, equal to TensorFlow's."""

from __future__ import annotations

from collections.abc import Sequence

_MASK = (1 << 64) - 1
# Constants of FarmHash, from CityHash: https://github.com/google/farmhash
_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F


def farm_hash(text: bytes) -> int:
    """Return the 64-bit fingerprint of FarmHash (`farmhashna::Hash64`).

    Args:
        text: Any bytes.

    Source: Geoff Pike, FarmHash (2014), https://github.com/google/farmhash.

    Example:
        >>> farm_hash(b"")
        11160318154034397263
    """
    if len(text) <= 16:
        return _up_to_16(text)
    if len(text) <= 32:
        return _up_to_32(text)
    if len(text) <= 64:
        return _up_to_64(text)
    return _longer(text)


def sip_hash(text: bytes, key: Sequence[int]) -> int:
    """Return the keyed 64-bit hash SipHash-2-4.

    Args:
        text: Any bytes.
        key: Two integers, of which the lower 64 bits count.

    Source: Aumasson and Bernstein, SipHash: a fast short-input PRF (2012).

    Example:
        >>> hex(sip_hash(bytes(range(15)), (0x0706050403020100, 0x0F0E0D0C0B0A0908)))
        '0xa129ca6149be45e5'
    """
    first, second = (part & _MASK for part in key)
    v = [
        first ^ 0x736F6D6570736575,
        second ^ 0x646F72616E646F6D,
        first ^ 0x6C7967656E657261,
        second ^ 0x7465646279746573,
    ]
    padded = text + bytes(7 - len(text) % 8) + bytes([len(text) & 0xFF])
    for start in range(0, len(padded), 8):
        word = _word(padded, start)
        v[3] ^= word
        _sip_rounds(v, 2)
        v[0] ^= word
    v[2] ^= 0xFF
    _sip_rounds(v, 4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def _sip_rounds(v: list[int], rounds: int) -> None:
    a, b, c, d = v
    for _ in range(rounds):
        a = (a + b) & _MASK
        c = (c + d) & _MASK
        b = _rotated(b, 51) ^ a
        d = _rotated(d, 48) ^ c
        a = _rotated(a, 32)
        c = (c + b) & _MASK
        a = (a + d) & _MASK
        b = _rotated(b, 47) ^ c
        d = _rotated(d, 43) ^ a
        c = _rotated(c, 32)
    v[:] = a, b, c, d


def _word(text: bytes, start: int) -> int:
    return int.from_bytes(text[start : start + 8], "little")


def _rotated(value: int, bits: int) -> int:
    """Return 64 bits rotated to the right."""
    value &= _MASK
    return (value >> bits | value << (64 - bits)) & _MASK


def _mixed(value: int) -> int:
    value &= _MASK
    return value ^ value >> 47


def _joined(u: int, v: int, factor: int) -> int:
    """Return one hash of two."""
    a = _mixed((u ^ v) * factor)
    b = _mixed(((v ^ a) & _MASK) * factor)
    return b * factor & _MASK


def _up_to_16(text: bytes) -> int:
    size = len(text)
    factor = _K2 + 2 * size
    if size >= 8:
        a = (_word(text, 0) + _K2) & _MASK
        b = _word(text, size - 8)
        c = _rotated(b, 37) * factor + a
        d = (_rotated(a, 25) + b) * factor
        return _joined(c & _MASK, d & _MASK, factor)
    if size >= 4:
        low, high = (int.from_bytes(part, "little") for part in (text[:4], text[-4:]))
        return _joined(size + (low << 3), high, factor)
    if not size:
        return _K2
    y = text[0] + (text[size >> 1] << 8)
    z = size + (text[-1] << 2)
    return _mixed((y * _K2 ^ z * _K0) & _MASK) * _K2 & _MASK


def _up_to_32(text: bytes) -> int:
    size = len(text)
    factor = _K2 + 2 * size
    a = _word(text, 0) * _K1
    b = _word(text, 8)
    c = _word(text, size - 8) * factor
    d = _word(text, size - 16) * _K2
    u = _rotated(a + b, 43) + _rotated(c, 30) + d
    return _joined(u & _MASK, (a + _rotated(b + _K2, 18) + c) & _MASK, factor)


def _up_to_64(text: bytes) -> int:
    size = len(text)
    factor = _K2 + 2 * size
    a = _word(text, 0) * _K2
    b = _word(text, 8)
    c = _word(text, size - 8) * factor
    d = _word(text, size - 16) * _K2
    y = (_rotated(a + b, 43) + _rotated(c, 30) + d) & _MASK
    z = _joined(y, (a + _rotated(b + _K2, 18) + c) & _MASK, factor)
    e = _word(text, 16) * factor
    f = _word(text, 24)
    g = (y + _word(text, size - 32)) * factor
    h = (z + _word(text, size - 24)) * factor
    u = _rotated(e + f, 43) + _rotated(g, 30) + h
    return _joined(u & _MASK, (e + _rotated(f + a, 18) + g) & _MASK, factor)


def _longer(text: bytes) -> int:
    x = y = 81
    y = (y * _K1 + 113) & _MASK
    z = _mixed(y * _K2 + 113) * _K2 & _MASK
    v = w = (0, 0)
    x = (x * _K2 + _word(text, 0)) & _MASK
    last = (len(text) - 1) // 64 * 64
    for start in range(0, last, 64):
        x, y, z, v, w = _block(text, start, x, y, z, v, w, _K1, 1)
    factor = _K1 + ((z & 0xFF) << 1)
    w = ((w[0] + (len(text) - 1 & 63)) & _MASK, w[1])
    v = ((v[0] + w[0]) & _MASK, v[1])
    w = ((w[0] + v[0]) & _MASK, w[1])
    x, y, z, v, w = _block(text, len(text) - 64, x, y, z, v, w, factor, 9)
    u = _joined(v[0], w[0], factor) + _mixed(y) * _K0 + z
    return _joined(u & _MASK, (_joined(v[1], w[1], factor) + x) & _MASK, factor)


_Pair = tuple[int, int]


def _block(
    text: bytes,
    start: int,
    x: int,
    y: int,
    z: int,
    v: _Pair,
    w: _Pair,
    factor: int,
    weight: int,
) -> tuple[int, int, int, _Pair, _Pair]:
    """Return the state after 64 bytes; the last block has another factor and weight."""
    x = _rotated(x + y + v[0] + _word(text, start + 8), 37) * factor & _MASK
    y = _rotated(y + v[1] + _word(text, start + 48), 42) * factor & _MASK
    x ^= w[1] * weight & _MASK
    y = (y + v[0] * weight + _word(text, start + 40)) & _MASK
    z = _rotated(z + w[0], 33) * factor & _MASK
    v = _seeded(text, start, v[1] * factor, x + w[0])
    w = _seeded(text, start + 32, z + w[1], y + _word(text, start + 16))
    return z, y, x, v, w


def _seeded(text: bytes, start: int, a: int, b: int) -> _Pair:
    """Return two weak hashes of 32 bytes and two seeds."""
    words = [_word(text, start + offset) for offset in (0, 8, 16, 24)]
    a += words[0]
    b = _rotated(b + a + words[3], 21)
    first = a
    a += words[1] + words[2]
    b += _rotated(a, 44)
    return (a + words[3]) & _MASK, (b + first) & _MASK
