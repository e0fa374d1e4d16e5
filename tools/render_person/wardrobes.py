# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies and what they wear: file names below the assets folder. Data only."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["WARDROBES", "WardrobeFiles"]


@dataclass(frozen=True, slots=True)
class WardrobeFiles:
    """Targets that shape the base mesh, a skin's picture, clothes and hair (mhclo), and a turn of the hue."""

    targets: tuple[str, ...]
    skin: str
    clothes: tuple[str, ...]
    hair: str
    clothes_hue_deg: float = 0.0


def _clothes(*names: str) -> tuple[str, ...]:
    return tuple(f"clothes/{name}/{name}.mhclo" for name in names)


WARDROBES = {
    "man": WardrobeFiles(
        ("caucasian-male-young",),
        "skins/young_lightskinned_male_diffuse.jpg",
        _clothes("male_casualsuit04", "shoes04"),
        "hair/short04/short04.mhclo",
    ),
    "woman": WardrobeFiles(
        ("caucasian-female-young",),
        "skins/young_lightskinned_female_diffuse2.jpg",
        _clothes("female_casualsuit01", "shoes04"),
        "hair/short02/short02.mhclo",
        clothes_hue_deg=130.0,
    ),
    "worker": WardrobeFiles(
        ("caucasian-male-young", "universal-male-young-averagemuscle-maxweight"),
        "skins/middleage_lightskinned_male_diffuse.jpg",
        _clothes("male_worksuit01", "shoes04"),
        "hair/short02/short02.mhclo",
    ),
    "dark_man": WardrobeFiles(
        ("african-male-young", "universal-male-young-maxmuscle-averageweight"),
        "skins/young_darkskinned_male_diffuse.jpg",
        _clothes("male_casualsuit04", "shoes04"),
        "hair/short04/short04.mhclo",
        clothes_hue_deg=-140.0,
    ),
}
