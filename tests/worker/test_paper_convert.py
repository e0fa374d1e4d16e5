# SPDX-License-Identifier: GPL-3.0-or-later
"""Original VideoPose3D checkpoints: read without running what is in them, to the same numbers, and back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from vp3d_core.cli import main
from vp3d_core.errors import WeightsCorrupt, WeightsMissing
from vp3d_core.paper.convert import architecture_of, read_original_models, to_original, to_ours
from vp3d_core.paper.models import load_models

pytestmark = pytest.mark.worker

ROOT = Path(__file__).resolve().parent.parent.parent
CPU = torch.device("cpu")


class Reference(nn.Module):
    """The network as the paper's figure 2 draws it, with the names that its checkpoints have. Not ours."""

    def __init__(
        self, inputs: int, outputs: int, widths: tuple[int, ...], *, channels: int, causal: bool
    ) -> None:
        super().__init__()
        self.widths, self.causal = widths, causal
        self.expand_bn = nn.BatchNorm1d(channels)
        self.shrink = nn.Conv1d(channels, 3 * outputs, 1)
        self.expand_conv = nn.Conv1d(inputs, channels, widths[0], bias=False)
        layers, dilation = [], widths[0]
        for width in widths[1:]:
            layers += [nn.Conv1d(channels, channels, width, dilation=dilation, bias=False)]
            layers += [nn.Conv1d(channels, channels, 1, bias=False)]
            dilation *= width
        self.layers_conv = nn.ModuleList(layers)
        self.layers_bn = nn.ModuleList(nn.BatchNorm1d(channels) for _ in layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.relu(self.expand_bn(self.expand_conv(x.flatten(2).transpose(1, 2))))
        for block in range(len(self.widths) - 1):
            z = torch.relu(self.layers_bn[2 * block](self.layers_conv[2 * block](y)))
            z = torch.relu(self.layers_bn[2 * block + 1](self.layers_conv[2 * block + 1](z)))
            lost = y.shape[-1] - z.shape[-1]
            first = lost if self.causal else lost // 2
            y = y[..., first : first + z.shape[-1]] + z
        return self.shrink(y).transpose(1, 2).unflatten(2, (-1, 3))


def trained(outputs: int, widths: tuple[int, ...], *, inputs: int = 34, causal: bool = False) -> Reference:
    torch.manual_seed(outputs)
    model = Reference(inputs, outputs, widths, channels=24, causal=causal)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            for values in (module.running_mean, module.weight, module.bias):
                assert values is not None
                nn.init.normal_(values, 0.5)
            assert module.running_var is not None
            nn.init.uniform_(module.running_var, 0.5, 2.0)
    return model.eval()


def write_checkpoint(path: Path, pose: Reference, path_model: Reference | None, *, legacy: bool) -> Path:
    """Write what VideoPose3D writes: an optimiser and a pickled RandomState beside the weights."""
    optimizer = torch.optim.Adam(pose.parameters(), amsgrad=True)
    pose(torch.randn(1, 30, 17, 2)).sum().backward()
    optimizer.step()
    torch.save(
        {
            "epoch": 80,
            "lr": 1.7e-5,
            "random_state": np.random.RandomState(1234),  # noqa: NPY002 - the original pickles one
            "optimizer": optimizer.state_dict(),
            "model_pos": pose.state_dict(),
            "model_traj": None if path_model is None else path_model.state_dict(),
            "random_state_semi": None,
        },
        path,
        _use_new_zipfile_serialization=not legacy,
    )
    return path


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize("causal", [False, True], ids=["symmetric", "causal"])
def test_the_numbers_stay_the_same_there_and_back(tmp_path: Path, legacy: bool, causal: bool) -> None:
    pose, path_model = (trained(joints, (3, 3, 3), causal=causal) for joints in (17, 1))
    source = write_checkpoint(tmp_path / "original.bin", pose, path_model, legacy=legacy)
    to_ours(source, tmp_path / "ours.safetensors", causal=causal)
    models, header = load_models(tmp_path / "ours.safetensors", CPU)
    assert header["training"]["epochs_done"] == 80
    assert models.trajectory is not None
    keypoints = torch.randn(2, 50, 17, 2)
    with torch.no_grad():
        assert (models.pose(keypoints) - pose(keypoints)).abs().max() < 1e-5
        assert (models.trajectory(keypoints) - path_model(keypoints)).abs().max() < 1e-5
    to_original(tmp_path / "ours.safetensors", tmp_path / "back.bin")
    back = torch.load(tmp_path / "back.bin", weights_only=True)
    pose.load_state_dict(back["model_pos"])  # names and shapes of the original
    path_model.load_state_dict(back["model_traj"])
    assert back["epoch"] == 80


def test_a_model_without_trajectory_converts_both_ways(tmp_path: Path) -> None:
    source = write_checkpoint(tmp_path / "a.bin", trained(17, (3, 3)), None, legacy=True)
    models = to_ours(source, tmp_path / "b.safetensors")
    assert models.trajectory is None
    to_original(tmp_path / "b.safetensors", tmp_path / "c.bin")
    # The original takes a key that is there for a model, even if it is None.
    assert "model_traj" not in torch.load(tmp_path / "c.bin", weights_only=True)


def test_shapes_tell_the_architecture() -> None:
    with_scores = architecture_of(trained(17, (3, 3, 7), inputs=51).state_dict(), causal=False, dense=False)
    assert (with_scores.num_joints_in, with_scores.in_features) == (17, 3)
    assert with_scores.filter_widths == (3, 3, 7)
    humaneva = architecture_of(trained(15, (3, 3, 3), inputs=30).state_dict(), causal=True, dense=False)
    assert (humaneva.num_joints_in, humaneva.num_joints_out, humaneva.causal) == (15, 15, True)
    dense = humaneva.__class__(17, 2, 17, (3, 3, 3), channels=8, dense=True)
    found = architecture_of(dense.build().state_dict(), causal=False, dense=True)
    assert found == dense


def test_a_program_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return exec, (f"open({str(tmp_path / 'ran')!r}, 'w').close()",)

    for legacy in (False, True):
        content = {"model_pos": trained(17, (3,)).state_dict(), "random_state": Bomb()}
        torch.save(content, tmp_path / "bomb.bin", _use_new_zipfile_serialization=not legacy)
        models, _ = read_original_models(tmp_path / "bomb.bin")
        assert models.pose.receptive_field == 3
        content = {"model_pos": Bomb()}
        torch.save(content, tmp_path / "bomb.bin", _use_new_zipfile_serialization=not legacy)
        with pytest.raises(WeightsCorrupt, match="no 'model_pos'"):
            read_original_models(tmp_path / "bomb.bin")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "attempt",
    [
        "import socket",
        "__import__('os').system('true')",
        "__import__('subprocess').run(['true'])",
        "open({other!r}).read()",
        "open({other!r} + '.new', 'w')",
        "eval('1 + 1')",
    ],
)
def test_the_reading_process_may_do_nothing_else(tmp_path: Path, attempt: str) -> None:
    other = tmp_path / "elsewhere" / "file.txt"
    other.parent.mkdir()
    other.write_text("private", "utf-8")
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "import os, subprocess\n"
        "from vp3d_core.paper.original_checkpoint import _restrict\n"
        f"_restrict('source', {str(tmp_path)!r})\n"
    ) + attempt.format(other=str(other))
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False)
    assert "is refused while a checkpoint is read" in done.stderr
    assert done.returncode == 1
    assert not Path(f"{other}.new").exists()


def test_damaged_and_missing_files_say_so(tmp_path: Path) -> None:
    path = tmp_path / "x.bin"
    with pytest.raises(WeightsMissing, match="There is no file"):
        read_original_models(path)
    for content in (b"", b"not a checkpoint", b"\x80\x02}q\x00."):
        path.write_bytes(content)
        with pytest.raises(WeightsCorrupt, match="not a VideoPose3D checkpoint"):
            read_original_models(path)
    whole = write_checkpoint(path, trained(17, (3, 3)), None, legacy=True).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WeightsCorrupt):
        read_original_models(path)


def test_the_command_converts_by_the_files_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_checkpoint(tmp_path / "a.bin", trained(17, (3, 3)), trained(1, (3, 3)), legacy=False)
    ours = tmp_path / "b.safetensors"
    assert main(["convert-checkpoint", str(source), str(ours)]) == 0
    assert "17 keypoints of 2 values, 17 joints, widths 3,3, 24 channels" in capsys.readouterr().out
    assert main(["convert-checkpoint", str(ours), str(tmp_path / "c.bin")]) == 0
    assert main(["convert-checkpoint", str(source), str(tmp_path / "d.bin")]) == 1
    assert "files of the same kind" in capsys.readouterr().err
