# SPDX-License-Identifier: GPL-3.0-or-later
"""What a bone's name says: a side and a word, whatever habits it is written in.

"mixamorig:LeftForeArm", "forearm.L", "CC_Base_L_Forearm", "lForearm", "Bip01 L ForeArm" and "左ひじ" are all
a forearm on the left. Full-width letters count as usual ones.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

__all__ = ["BoneName", "parse_bone_name"]

_LEFT = frozenset({"l", "left", "lft", "lt", "links", "linke", "linker", "gauche", "izq", "izquierda", "左"})
_RIGHT = frozenset(
    {"r", "right", "rgt", "rt", "rechts", "rechte", "rechter", "droite", "der", "derecha", "右"}
)
# What rigs put before or after all names, or between the words.
_FILLERS = frozenset(
    {
        "mixamorig",
        "bip",
        "cc",
        "base",
        "rl",
        "def",
        "org",
        "jnt",
        "joint",
        "bone",
        "bn",
        "b",
        "j",
        "c",
        "sk",
        "skel",
        "rig",
        "armature",
        "character",
        "valvebiped",
        "bind",
        "drv",
        "avg",
        "m",
        "f",
        "x",
        "m1",
        "skin",
        "human",
        "deform",
        "hum",
        "the",
        "of",
        "node",
        "bdjnt",
        "geo",
    }
)
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-zß-ÿ]+|[A-Z]+|\d+|[^\W\d_a-zA-Zß-ÿ]+")
# Written in one with the side: "lfemur", "leftarm". Only before words of three letters and more.
_GLUED = re.compile(r"^(left|right|l|r)([a-z]{3,})$")
_UNGLUED = frozenset(
    {
        "leg",
        "lower",
        "low",
        "lowerarm",
        "lowerleg",
        "lowerback",
        "lowarm",
        "lowleg",
        "lowerneck",
        "root",
        "reference",
        "ring",
        "ribs",
        "rib",
        "radius",
        "ribcage",
        "lumbar",
        "rear",
        "roll",
    }
)


@dataclass(frozen=True, slots=True)
class BoneName:
    """What a name says.

    Attributes:
        side: "left", "right" or "".
        word: The rest in lower case, without digits, side and fillers: "forearm".
        number: The last number in the name, or None.
        tokens: All words in lower case.
    """

    side: str
    word: str
    number: int | None
    tokens: tuple[str, ...]


def parse_bone_name(name: str) -> BoneName:
    """Say what a bone's name says."""
    text = unicodedata.normalize("NFKC", name)
    text = re.sub(r"^.*[:|]", "", text)
    # Blender's suffix of duplicates (".001") says nothing about the body, but tells a chain's order.
    text = re.sub(r"([左右])", r" \1 ", text)
    tokens = [token.lower() for token in _WORD.findall(text)]
    side, words, number = "", list[str](), None
    for token in tokens:
        if token.isdigit():
            number = int(token)
        elif token in _LEFT | _RIGHT and not side:
            side = "left" if token in _LEFT else "right"
        elif token not in _FILLERS:
            words.append(token)
    if not side and words:
        glued = _GLUED.match(words[0])
        if glued and words[0] not in _UNGLUED:
            side = "left" if glued[1][0] == "l" else "right"
            words[0] = glued[2]
    return BoneName(side, "".join(words), number, tuple(tokens))
