# SPDX-License-Identifier: GPL-3.0-or-later
"""Zero-phase filters and resampling along the first axis (time). numpy only."""

from __future__ import annotations

import numpy as np

from .arrays import Array, IntArray
from .rotations import quat_continuous, quat_slerp
from .time_blocks import BLOCK_FRAMES, time_blocks

__all__ = [
    "butterworth_smooth",
    "frame_step",
    "frame_times",
    "gaussian_smooth",
    "interpolate_cubic",
    "interpolate_linear",
    "interpolate_quats",
    "max_filter",
    "smoothstep",
]


def smoothstep(values: Array) -> Array:
    """Return 3v² - 2v³ of values clipped to [0, 1]."""
    clipped = np.clip(values, 0.0, 1.0)
    return clipped * clipped * (3.0 - 2.0 * clipped)


def gaussian_smooth(values: Array, sigma_frames: float, *, weights: Array | None = None) -> Array:
    """Return the weighted Gaussian mean around each frame.

    Args:
        values: (T, ...).
        sigma_frames: Standard deviation of the kernel, frames; 0 or less returns a copy.
        weights: (T,) >= 0, or None for equal weights. Where no weight is within reach the result is 0.

    Returns:
        (T, ...). At the ends the mean is over the frames that exist.
    """
    values = np.asarray(values, dtype=np.float64)
    frames = len(values)
    if sigma_frames <= 0 or frames < 2:
        return values.copy()
    if values.ndim > 2:  # group by group: the spectra of all at once take several times the memory
        smoothed = np.empty_like(values)
        for j in range(values.shape[1]):
            smoothed[:, j] = gaussian_smooth(values[:, j], sigma_frames, weights=weights)
        return smoothed
    if weights is None:
        weights = np.ones(frames)
    radius = min(int(np.ceil(4 * sigma_frames)), frames - 1)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma_frames) ** 2)
    flat = values.reshape(frames, -1)
    result = np.empty_like(flat)
    for block in time_blocks(frames, margin=radius, length=max(BLOCK_FRAMES, 4 * radius)):
        near = _gaussian_mean(flat[block.read], weights[block.read], kernel)
        result[block.kept] = near[block.inside]
    return result.reshape(values.shape)


def _gaussian_mean(values: Array, weights: Array, kernel: Array) -> Array:
    """Return the mean of (T, N) around each frame with weights (T,) times the kernel (2R + 1,)."""
    frames, radius = len(values), len(kernel) // 2
    size = frames + 2 * radius
    # FFT: a kernel of seconds over a clip of minutes stays cheap.
    spectrum = np.fft.rfft(kernel, size)[:, None]
    weighted = np.fft.rfft(values * weights[:, None], size, axis=0)
    total = np.fft.irfft(weighted * spectrum, size, axis=0)[radius : radius + frames]
    mass = np.fft.irfft(np.fft.rfft(weights, size) * spectrum[:, 0], size)[radius : radius + frames]
    enough = mass > 1e-9
    return np.where(enough[:, None], total / np.where(enough, mass, 1.0)[:, None], 0.0)


def butterworth_smooth(values: Array, *, cutoff_hz: float, rate_hz: float, order: int = 2) -> Array:
    """Low-pass (T, ...) at a constant rate without delay.

    The response is that of a Butterworth filter run forward and backward, 1 / (1 + (f/cutoff)^(2 order)),
    applied in the frequency domain to a signal continued at both ends by point reflection.

    Args:
        values: (T, ...).
        cutoff_hz: Frequency at half amplitude, Hz; at or above half the rate returns a copy.
        rate_hz: Frames per second.
        order: Order of the one-way filter.
    """
    values = np.asarray(values, dtype=np.float64)
    frames = len(values)
    if frames < 4 or cutoff_hz >= rate_hz / 2:
        return values.copy()
    if values.ndim > 2:  # group by group: the spectra of all at once take several times the memory
        smoothed = np.empty_like(values)
        for j in range(values.shape[1]):
            smoothed[:, j] = butterworth_smooth(
                values[:, j], cutoff_hz=cutoff_hz, rate_hz=rate_hz, order=order
            )
        return smoothed
    pad = min(frames - 1, int(np.ceil(3 * rate_hz / cutoff_hz)))
    head = 2 * values[:1] - values[pad:0:-1]
    tail = 2 * values[-1:] - values[-2 : -2 - pad : -1]
    extended = np.concatenate([head, values, tail])
    slope = np.linspace(0.0, 1.0, len(extended)).reshape(-1, *[1] * (values.ndim - 1))
    trend = extended[:1] + slope * (extended[-1:] - extended[:1])  # so that both ends meet: no ringing
    frequencies = np.fft.rfftfreq(len(extended), 1.0 / rate_hz)
    gain = 1.0 / (1.0 + (frequencies / cutoff_hz) ** (2 * order))
    spectrum = np.fft.rfft(extended - trend, axis=0) * gain.reshape(-1, *[1] * (values.ndim - 1))
    return (np.fft.irfft(spectrum, len(extended), axis=0) + trend)[pad : pad + frames]


def max_filter(values: Array, radius_frames: int) -> Array:
    """Return the largest of (T,) values within ``radius_frames`` of each frame."""
    result = np.array(values, dtype=np.float64)
    for shift in range(1, min(radius_frames, len(result) - 1) + 1):
        result[shift:] = np.maximum(result[shift:], values[:-shift])
        result[:-shift] = np.maximum(result[:-shift], values[shift:])
    return result


def frame_step(times_s: Array) -> float:
    """Return the usual time between frames in s; 1/30 for a single frame."""
    return float(np.median(np.diff(times_s))) if len(times_s) > 1 else 1.0 / 30.0


def frame_times(times_s: Array, frame_rate_hz: float) -> Array:
    """Return the times of a constant rate within the first and the last of ``times_s`` (T,), s."""
    count = int(np.floor((times_s[-1] - times_s[0]) * frame_rate_hz + 1e-3)) + 1
    return times_s[0] + np.arange(count) / frame_rate_hz


def _segments(times_s: Array, new_times_s: Array) -> tuple[IntArray, Array]:
    """Return for each new time the index of the interval it lies in and its fraction in [0, 1]."""
    left = np.clip(np.searchsorted(times_s, new_times_s, side="right") - 1, 0, max(len(times_s) - 2, 0))
    if len(times_s) == 1:
        return left, np.zeros(len(new_times_s))
    fraction = (new_times_s - times_s[left]) / (times_s[left + 1] - times_s[left])
    return left, np.clip(fraction, 0.0, 1.0)


def interpolate_linear(times_s: Array, values: Array, new_times_s: Array) -> Array:
    """Interpolate (T, ...) linearly at new times (N,); held beyond the ends."""
    left, fraction = _segments(times_s, new_times_s)
    right = np.minimum(left + 1, len(times_s) - 1)
    fraction = fraction.reshape(-1, *[1] * (np.ndim(values) - 1))
    return values[left] * (1.0 - fraction) + values[right] * fraction


def interpolate_cubic(times_s: Array, values: Array, new_times_s: Array) -> Array:
    """Interpolate (T, ...) at new times (N,) with a cubic whose slopes are finite differences.

    Smooth in velocity, exact at the given times; held beyond the ends.
    """
    values = np.asarray(values, dtype=np.float64)
    if len(times_s) < 3:
        return interpolate_linear(times_s, values, new_times_s)
    if values.ndim > 2:  # group by group, to need less memory
        groups = [interpolate_cubic(times_s, values[:, j], new_times_s) for j in range(values.shape[1])]
        return np.stack(groups, axis=1)
    slopes = np.gradient(values, times_s, axis=0)
    left, u = _segments(times_s, new_times_s)
    shape = (-1, *[1] * (values.ndim - 1))
    step, u = (times_s[left + 1] - times_s[left]).reshape(shape), u.reshape(shape)
    start, end = values[left], values[left + 1]
    h = u * u * (3.0 - 2.0 * u)
    bend = u * (1.0 - u) * step
    return start + h * (end - start) + bend * ((1.0 - u) * slopes[left] - u * slopes[left + 1])


def interpolate_quats(times_s: Array, quats: Array, new_times_s: Array) -> Array:
    """Interpolate unit quaternions (T, ..., 4) by slerp at new times (N,); held beyond the ends."""
    left, fraction = _segments(times_s, new_times_s)
    right = np.minimum(left + 1, len(times_s) - 1)
    fraction = np.broadcast_to(fraction.reshape(-1, *[1] * (quats.ndim - 2)), (len(left), *quats.shape[1:-1]))
    return quat_continuous(quat_slerp(quats[left], quats[right], fraction))
