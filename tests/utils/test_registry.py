"""Names, classes, configs and objects all lead to an object."""

from __future__ import annotations

from typing import Any

import pytest
from fastrnn.utils.registry import Registry, serialize


class Animal:
    def __init__(self, legs: int = 4) -> None:
        self.legs = legs

    def get_config(self) -> dict[str, Any]:
        return {"legs": self.legs}


class Bird(Animal):
    def __init__(self, legs: int = 2) -> None:
        super().__init__(legs)


ANIMALS: Registry[Animal] = Registry("animal", Animal, {"Animal": Animal, "Bird": Bird})


def test_get() -> None:
    bird = Bird()
    assert ANIMALS.get(bird) is bird
    assert type(ANIMALS.get(Bird)) is Bird
    assert ANIMALS.get("Bird").legs == 2
    assert ANIMALS.get({"class_name": "Animal", "config": {"legs": 6}}).legs == 6
    assert ANIMALS.get(serialize(Bird(1), "zoo")).legs == 1
    with pytest.raises(ValueError, match="Did you mean Bird"):
        ANIMALS.get("Birb")
    with pytest.raises(ValueError, match="Known: Animal, Bird"):
        ANIMALS.get("zzz")
    with pytest.raises(ValueError, match=r"a `Animal`.*Received: 7"):
        ANIMALS.get(7)


def test_case_counts_unless_told() -> None:
    with pytest.raises(ValueError, match="Could not interpret animal identifier"):
        ANIMALS.get("bird")
    assert type(Registry("animal", Animal, {"Bird": Bird}, ignore_case=True).get("bIRD")) is Bird
