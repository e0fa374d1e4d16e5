# SPDX-License-Identifier: GPL-3.0-or-later
"""Short training runs on made-up walks: they learn, stop and resume; the weights say what made them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.mocap_files import bvh_text, walking, write_bank
from tests.worker.lifters import save_random_lifter
from vp3d_core.errors import InputError
from vp3d_core.lift.lifter import Lifter
from vp3d_core.lift.weights import load_lifter_model
from vp3d_core.train import command, evaluate_command
from vp3d_core.train import settings as settings_module
from vp3d_core.train import train as train_module
from vp3d_core.train.dataset import load_bank
from vp3d_core.train.evaluate import evaluate_lifter
from vp3d_core.train.mocap_rigs import RIGS
from vp3d_core.train.settings import TrainSettings
from vp3d_core.train.train import train_lifter

TINY = TrainSettings(
    filter_widths=(3, 3), channels=64, dropout=0.0, steps=200, batch=4, outputs=6, pool=128, pairs=24,
    learning_rate=3e-3, average=0.8, seed=4, workers=0,
)  # fmt: skip
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _quick_and_without_trace() -> Iterator[None]:
    """One thread, which is quicker here; afterwards denormal numbers, which training flushes, are back."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    torch.set_flush_denormal(False)


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    names = ("walks/a.bvh", "walks/b.bvh", "walks/c.bvh", "cmu_subjects/05/05_17.bvh")
    return write_bank(tmp_path_factory.mktemp("bank") / "bank.npz", names=names)


def settings(**changes: object) -> TrainSettings:
    values = {name: getattr(TINY, name) for name in TrainSettings.__slots__}
    return TrainSettings(**values | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("stack", [1, 3])
def test_the_loss_falls_and_the_weights_beat_random_ones(bank: Path, tmp_path: Path, stack: int) -> None:
    seen: list[dict[str, float]] = []
    path = train_lifter(
        bank,
        tmp_path,
        settings(stack=stack),
        device=CPU,
        on_progress=lambda step, steps, parts: seen.append(parts),
    )
    assert len(seen) == 4
    assert seen[-1]["mpjpe_mm"] < 0.5 * seen[0]["mpjpe_mm"]
    assert seen[-1]["done"] == pytest.approx(199 / 200)
    held_out = load_bank(bank, CPU).subset(held_out=True)
    trained = evaluate_lifter(Lifter.load(path, device="cpu"), held_out, noise=1.0, windows=8)
    random = Lifter.load(save_random_lifter(tmp_path / "random.safetensors"), device="cpu")
    untrained = evaluate_lifter(random, held_out, noise=1.0, windows=8)
    assert trained.mpjpe < 0.8 * untrained.mpjpe
    assert trained.p_mpjpe < 0.6 * untrained.p_mpjpe


def test_the_header_says_what_made_the_weights(bank: Path, tmp_path: Path) -> None:
    path = train_lifter(bank, tmp_path, settings(steps=2), device=CPU)
    model, header = load_lifter_model(path, CPU)
    assert model.receptive_field == 9
    training = header["training"]
    assert isinstance(training, dict)
    assert (training["seed"], training["steps_done"], training["channels"]) == (4, 2, 64)
    assert set(training) >= set(TrainSettings.__slots__)


def test_an_interrupted_run_goes_on_from_its_checkpoint(
    bank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_module, "PROGRESS_STEPS", 5)
    monkeypatch.setattr(train_module, "CHECKPOINT_STEPS", 10)
    steps: list[int] = []

    def interrupt(step: int, _: int, __: dict[str, float]) -> None:
        steps.append(step)
        if step == 15:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_lifter(bank, tmp_path, settings(steps=30), device=CPU, on_progress=interrupt)
    assert load_lifter_model(tmp_path / "lifter.safetensors", CPU)[1]["training"]["steps_done"] == 10  # type: ignore[index]
    steps.clear()
    path = train_lifter(
        bank, tmp_path, settings(steps=30), device=CPU, on_progress=lambda s, _, __: steps.append(s)
    )
    assert steps == [15, 20, 25, 30]
    assert load_lifter_model(path, CPU)[1]["training"]["steps_done"] == 30  # type: ignore[index]
    # A run that is complete stays as it is.
    steps.clear()
    train_lifter(bank, tmp_path, settings(steps=30), device=CPU, on_progress=lambda s, _, __: steps.append(s))
    assert steps == []


def test_the_same_seed_gives_the_same_weights(bank: Path, tmp_path: Path) -> None:
    weights = []
    for name, seed in (("a", 4), ("b", 4), ("c", 5)):
        path = train_lifter(bank, tmp_path / name, settings(steps=3, seed=seed), device=CPU)
        weights.append(load_lifter_model(path, CPU)[0].shrink.weight)
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_batches_from_another_process(bank: Path, tmp_path: Path) -> None:
    path = train_lifter(bank, tmp_path, settings(steps=3, workers=1), device=CPU)
    assert path.is_file()


def test_time_ends_a_run(bank: Path, tmp_path: Path) -> None:
    path = train_lifter(bank, tmp_path, settings(steps=10_000_000, minutes=0.01), device=CPU)
    training = load_lifter_model(path, CPU)[1]["training"]
    assert isinstance(training, dict)
    assert 0 < training["steps_done"] < 10_000_000


def test_the_commands_defaults_are_those_of_the_settings() -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    assert command.settings_of(parser.parse_args(["MOCAP", "-o", "OUT"])) == TrainSettings()


def test_a_run_starts_from_a_trained_lifter(bank: Path, tmp_path: Path) -> None:
    first = train_lifter(bank, tmp_path / "first", settings(steps=3), device=CPU)
    kept = settings(steps=1, learning_rate=0.0, weight_decay=0.0, average=0.0)
    second = train_lifter(bank, tmp_path / "second", kept, device=CPU, start=first)
    before, after = (load_lifter_model(path, CPU)[0].shrink.weight for path in (first, second))
    assert torch.equal(before, after)


def test_batchnorm_keeps_the_statistics_it_starts_with(bank: Path, tmp_path: Path) -> None:
    first = train_lifter(bank, tmp_path / "first", settings(steps=3), device=CPU)
    second = train_lifter(bank, tmp_path / "second", settings(steps=3), device=CPU, start=first)
    before, after = (load_lifter_model(path, CPU)[0].state_dict() for path in (first, second))
    assert torch.equal(before["layers_bn.0.running_var"], after["layers_bn.0.running_var"])
    assert not torch.equal(before["layers_bn.0.weight"], after["layers_bn.0.weight"])


def test_a_run_starts_from_a_wider_lifter(bank: Path, tmp_path: Path) -> None:
    wide = train_lifter(bank, tmp_path / "wide", TINY, device=CPU)
    kept = settings(channels=48, steps=1, learning_rate=0.0, weight_decay=0.0, average=0.0)
    narrow = train_lifter(bank, tmp_path / "narrow", kept, device=CPU, start=wide)
    held_out = load_bank(bank, CPU).subset(held_out=True)
    random = save_random_lifter(tmp_path / "random.safetensors")
    whole, part, nothing = (
        evaluate_lifter(Lifter.load(path, device="cpu"), held_out, noise=1.0, windows=8).p_mpjpe
        for path in (wide, narrow, random)
    )
    assert part - whole < 0.25 * (nothing - whole)


def test_a_run_goes_on_with_its_own_options_only(bank: Path, tmp_path: Path) -> None:
    train_lifter(bank, tmp_path, settings(steps=1), device=CPU)
    with pytest.raises(InputError, match="other --widths, --stack or --channels"):
        train_lifter(bank, tmp_path, settings(steps=2, stack=2), device=CPU)


def test_a_lifter_of_another_size_is_refused(bank: Path, tmp_path: Path) -> None:
    first = train_lifter(bank, tmp_path / "first", settings(steps=1), device=CPU)
    with pytest.raises(InputError, match="64 channels"):
        train_lifter(bank, tmp_path / "second", settings(channels=96), device=CPU, start=first)


def test_the_commands_train_and_evaluate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings_module, "TrainSettings", lambda **given: settings(**given))
    mocap = tmp_path / "cmu_subjects"
    mocap.mkdir()
    rig = next(rig for rig in RIGS if rig.name == "cmu_mb")
    for name in ("05_01", "05_17"):
        (mocap / f"{name}.bvh").write_text(bvh_text(rig, walking(120)))
    (mocap / "robot.bvh").write_text("HIERARCHY")
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    out = tmp_path / "out"
    given = [str(mocap), "-o", str(out), "--device", "cpu", "--widths", "3,3", "--channels", "16"]
    assert command.run(parser.parse_args([*given, "--steps", "2"])) == 0
    printed = capsys.readouterr()
    assert "Left out: " in printed.err
    assert "robot.bvh" in printed.err
    assert str(out / "lifter.safetensors") in printed.out
    parser = argparse.ArgumentParser()
    evaluate_command.add_arguments(parser)
    arguments = [str(mocap), "--bank", str(out / "bank.npz"), "--lifter", str(out / "lifter.safetensors")]
    assert evaluate_command.run(parser.parse_args([*arguments, "--windows", "8", "--device", "cpu"])) == 0
    printed = capsys.readouterr()
    assert "1 held-out clips; 8 windows" in printed.out
    assert "left_wrist" in printed.out


def test_a_folder_without_mocap_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No mocap that can be read"):
        command.prepare_bank([tmp_path], tmp_path / "bank.npz")
