"""Proximal policy optimization in one file, on all copies of a vector environment at once.

    python ppo.py --id livnd/TargetRate-EI-mini-v0 --steps 50000 --seed 1

Schulman et al. 2017, arXiv:1707.06347, with generalized advantage estimation (Schulman et al. 2016,
arXiv:1506.02438). Needs torch; with tensorboard installed, --log FOLDER writes curves.
"""

from __future__ import annotations

import argparse
import itertools
import time
from typing import Any

import gymnasium
import livnd  # noqa: F401  (makes the ids known)
import numpy as np
import torch
from torch import nn
from torch.distributions import Normal


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--id", default="livnd/TargetRate-EI-mini-v0")
    parser.add_argument("--address", help="of a running server; without it, one of its own")
    parser.add_argument("--num-envs", type=int, default=16)
    parser.add_argument("--steps", type=int, default=50_000, help="of all copies together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log", help="folder for TensorBoard")
    parser.add_argument("--rollout", type=int, default=64, help="steps of each copy an update")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--minibatches", type=int, default=8)
    parser.add_argument("--rate", type=float, default=3e-4)
    parser.add_argument("--gamma", type=float, default=0.95)
    parser.add_argument("--lambda", type=float, default=0.95, dest="trace")
    parser.add_argument("--clip", type=float, default=0.2)
    return parser.parse_args()


def layers(num_in: int, num_out: int, last_gain: float) -> nn.Sequential:
    made: list[nn.Module] = []
    sizes = [num_in, 64, 64, num_out]
    for i, (a, b) in enumerate(itertools.pairwise(sizes)):
        layer = nn.Linear(a, b)
        nn.init.orthogonal_(layer.weight, last_gain if i == 2 else 2**0.5)
        nn.init.zeros_(layer.bias)
        made += [layer] if i == 2 else [layer, nn.Tanh()]
    return nn.Sequential(*made)


class Agent(nn.Module):
    """A policy of independent normals, a value, and what observations are on average."""

    def __init__(self, num_seen: int, num_actions: int) -> None:
        super().__init__()
        self.mean = layers(num_seen, num_actions, 0.01)
        self.log_std = nn.Parameter(torch.full((num_actions,), -0.5))
        self.value = layers(num_seen, 1, 1.0)
        self.register_buffer("count", torch.tensor(1e-4, dtype=torch.float64))
        self.register_buffer("sum", torch.zeros(num_seen, dtype=torch.float64))
        self.register_buffer("squares", torch.full((num_seen,), 1e-4, dtype=torch.float64))

    def learn_scale(self, seen: torch.Tensor) -> None:
        self.count += len(seen)
        self.sum += seen.double().sum(0)
        self.squares += seen.double().square().sum(0)

    def scaled(self, seen: torch.Tensor) -> torch.Tensor:
        mean = self.sum / self.count
        deviation = (self.squares / self.count - mean.square()).clamp_min(1e-8).sqrt()
        return ((seen - mean) / deviation).float().clamp(-10, 10)

    def policy(self, scaled: torch.Tensor) -> Normal:
        return Normal(self.mean(scaled), self.log_std.exp())


def curves(folder: str | None) -> Any:
    if folder is None:
        return None
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(folder)


def advantages(
    rewards: torch.Tensor,
    values: torch.Tensor,
    next_values: torch.Tensor,
    ended: torch.Tensor,
    gamma: float,
    trace: float,
) -> torch.Tensor:
    """[steps, copies] each. next_values is that of what followed, 0 where the task has ended."""
    errors = rewards + gamma * next_values - values
    found = torch.zeros_like(errors)
    carried = torch.zeros_like(errors[0])
    for step in reversed(range(len(errors))):
        carried = errors[step] + gamma * trace * ~ended[step] * carried
        found[step] = carried
    return found


def main(args: argparse.Namespace) -> float:
    """Mean return of the last hundred episodes."""
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)
    envs = gymnasium.make_vec(
        args.id, num_envs=args.num_envs, address=args.address, autoreset_mode="SameStep"
    )
    envs = gymnasium.wrappers.vector.RecordEpisodeStatistics(envs, buffer_length=100)
    low = torch.as_tensor(envs.single_action_space.low)
    high = torch.as_tensor(envs.single_action_space.high)
    shape = (args.rollout, args.num_envs)
    agent = Agent(envs.single_observation_space.shape[0], len(low))
    optimizer = torch.optim.Adam(agent.parameters(), lr=args.rate, eps=1e-5)
    writer = curves(args.log)
    seen_all = torch.zeros(*shape, envs.single_observation_space.shape[0])
    actions_all = torch.zeros(*shape, len(low))
    chances = torch.zeros(shape)
    rewards, values, next_values = (torch.zeros(shape) for _ in range(3))
    ended = torch.zeros(shape, dtype=torch.bool)

    began = time.perf_counter()
    observations, _ = envs.reset(seed=args.seed)
    seen = torch.as_tensor(observations).float()
    num_updates = args.steps // (args.rollout * args.num_envs)
    for update in range(num_updates):
        optimizer.param_groups[0]["lr"] = args.rate * (1 - update / num_updates)
        for step in range(args.rollout):
            agent.learn_scale(seen)
            with torch.no_grad():
                scaled = agent.scaled(seen)
                policy = agent.policy(scaled)
                action = policy.sample()
                values[step] = agent.value(scaled).squeeze(-1)
            seen_all[step], actions_all[step] = scaled, action
            chances[step] = policy.log_prob(action).sum(-1)
            played = torch.clamp(action, low, high).numpy()
            observations, paid, terminated, truncated, infos = envs.step(played)
            seen = torch.as_tensor(observations).float()
            rewards[step] = torch.as_tensor(paid)
            ended[step] = torch.as_tensor(terminated | truncated)
            # What followed: of an episode that a limit has cut, its own last observation.
            followed = seen.clone()
            for copy in np.flatnonzero(terminated | truncated):
                followed[copy] = torch.as_tensor(infos["final_obs"][copy])
            with torch.no_grad():
                next_values[step] = agent.value(agent.scaled(followed)).squeeze(-1)
            next_values[step] *= torch.as_tensor(~terminated)
        gained = advantages(rewards, values, next_values, ended, args.gamma, args.trace)
        learn(agent, optimizer, args, seen_all, actions_all, chances, gained, values)
        steps = (update + 1) * args.rollout * args.num_envs
        returns = list(envs.return_queue)
        if returns:
            mean = float(np.mean(returns))
            speed = steps / (time.perf_counter() - began)
            print(f"steps {steps}  return {mean:.2f}  {speed:.0f} steps/s", flush=True)
            if writer is not None:
                writer.add_scalar("return", mean, steps)
                writer.add_scalar("steps_per_s", speed, steps)
    if writer is not None:
        writer.close()
    envs.close()
    return float(np.mean(list(envs.return_queue)))


def learn(
    agent: Agent,
    optimizer: torch.optim.Optimizer,
    args: argparse.Namespace,
    seen: torch.Tensor,
    actions: torch.Tensor,
    chances: torch.Tensor,
    gained: torch.Tensor,
    values: torch.Tensor,
) -> None:
    """The epochs of one update."""
    wanted = (gained + values).flatten()
    seen, actions = seen.flatten(0, 1), actions.flatten(0, 1)
    chances, gained = chances.flatten(), gained.flatten()
    for _ in range(args.epochs):
        for rows in torch.randperm(len(seen)).chunk(args.minibatches):
            policy = agent.policy(seen[rows])
            ratio = (policy.log_prob(actions[rows]).sum(-1) - chances[rows]).exp()
            better = gained[rows]
            better = (better - better.mean()) / (better.std() + 1e-8)
            clipped = ratio.clamp(1 - args.clip, 1 + args.clip)
            policy_loss = -torch.min(ratio * better, clipped * better).mean()
            value_loss = (agent.value(seen[rows]).squeeze(-1) - wanted[rows]).square().mean()
            optimizer.zero_grad()
            (policy_loss + 0.5 * value_loss).backward()
            nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
            optimizer.step()


if __name__ == "__main__":
    print(f"mean return of the last episodes: {main(options()):.2f}")
