"""Films an episode: an animated GIF of what render() shows.

    python film.py --id livnd/TargetRate-EI-100-v0 --out target_rate.gif
    python film.py --id livnd/CartPole-EI-100-v0 --steps 100 --out cart_pole.gif

The policy is a rule that fits the task, where one is known here; otherwise random. Needs Pillow.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import gymnasium
import livnd
import numpy as np
from livnd.gym.env import RemoteEnv
from PIL import Image

Policy = Callable[[dict[str, Any]], np.ndarray]


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--id", default="livnd/TargetRate-EI-100-v0")
    parser.add_argument("--address", help="of a running server; without it, one of its own")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=60, help="at most")
    parser.add_argument("--colours", type=int, default=24)
    parser.add_argument("--out", required=True)
    return parser.parse_args()


def policy_of(env: RemoteEnv, address: str | None) -> Policy:
    """A rule of thumb: actions by what the last info told."""
    space = env.action_space
    if env.environment_spec.task == "TargetRate":
        # The further below the target, the stronger all pulses are.
        def by_rate(info: dict[str, Any]) -> np.ndarray:
            missing = (info["target_rate_hz"] - info["rate_hz"]) / 6.0
            return np.full(space.shape, np.clip(missing, 0, 1), np.float32)

        return by_rate
    if env.environment_spec.task == "CartPole":
        with livnd.connect(address) as client:
            at_um = client.system(env.environment_spec.system).electrode_positions_um
        along = at_um[:, np.argmax(np.ptp(at_um[:, :2], axis=0))]
        right = along > np.median(along)

        # The half that the pole falls towards pushes, the stronger the further it has fallen.
        def by_angle(info: dict[str, Any]) -> np.ndarray:
            falls = 6.0 * info["pole_angle_rad"] + 1.5 * info["pole_velocity_rad_s"]
            falls += 0.1 * info["cart_position_m"] + 0.2 * info["cart_velocity_m_s"]
            action = np.where(right, np.clip(falls, 0, 1), np.clip(-falls, 0, 1))
            return action.astype(np.float32)

        return by_angle
    return lambda info: space.sample()


def main(args: argparse.Namespace) -> None:
    env = gymnasium.make(args.id, render_mode="rgb_array", address=args.address)
    policy = policy_of(env.unwrapped, args.address)
    _, info = env.reset(seed=args.seed)
    env.action_space.seed(args.seed)
    frames = [env.render()]
    total = 0.0
    for _ in range(args.steps):
        _, reward, terminated, truncated, info = env.step(policy(info))
        total += float(reward)
        frames.append(env.render())
        if terminated or truncated:
            break
    fps = env.metadata["render_fps"]
    env.close()
    palette = Image.fromarray(np.concatenate(frames[:: max(1, len(frames) // 6)]))
    palette = palette.quantize(args.colours)
    pictures = [Image.fromarray(f).quantize(palette=palette, dither=0) for f in frames]
    # Viewers take no more than 50 pictures a second, and count in hundredths.
    wait_ms = max(20, round(100 / fps) * 10)
    first, *others = pictures
    first.save(
        args.out, save_all=True, append_images=others, duration=wait_ms, loop=0, optimize=False
    )
    print(f"{args.out}: {len(frames)} frames, return {total:.2f}")


if __name__ == "__main__":
    main(options())
