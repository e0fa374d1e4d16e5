# SPDX-License-Identifier: GPL-3.0-or-later
import re

import pytest

from vp3d_core import errors
from vp3d_core.errors import VP3DError

CLASSES = [getattr(errors, name) for name in errors.__all__]


def test_all_is_sorted_and_holds_every_error() -> None:
    defined = [name for name, value in vars(errors).items() if isinstance(value, type)]
    assert sorted(errors.__all__) == sorted(defined)
    assert set(errors.__all__) == {error_class.__name__ for error_class in CLASSES}


@pytest.mark.parametrize("error_class", CLASSES)
def test_every_error_has_one_root_and_keeps_message_and_hint(error_class: type[VP3DError]) -> None:
    error = error_class("Found a, expected b", hint="Do c.")
    assert isinstance(error, VP3DError)
    assert (str(error), error.message, error.hint) == ("Found a, expected b", "Found a, expected b", "Do c.")


def test_codes_are_unique_words() -> None:
    codes = [error_class.code for error_class in CLASSES]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z_]+", code) for code in codes)


@pytest.mark.parametrize("error_class", CLASSES)
def test_the_tree_at_the_head_of_the_file_names_every_error(error_class: type[VP3DError]) -> None:
    assert error_class.__name__ in (errors.__doc__ or "")
