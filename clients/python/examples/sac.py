"""Soft actor-critic in one file, on all copies of a vector environment at once.

    python sac.py --id livnd/TargetRate-EI-mini-v0 --steps 20000 --seed 1

Haarnoja et al. 2018, arXiv:1812.05905: two critics, and a temperature that keeps the entropy where
it is wanted. Needs torch; with tensorboard installed, --log FOLDER writes curves.
"""

from __future__ import annotations

import argparse
import copy
import time

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
    parser.add_argument("--num-envs", type=int, default=8)
    parser.add_argument("--steps", type=int, default=20_000, help="of all copies together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log", help="folder for TensorBoard")
    parser.add_argument("--first", type=int, default=1_000, help="random steps at first")
    parser.add_argument("--kept", type=int, default=200_000, help="steps that are remembered")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--updates", type=float, default=0.5, help="an environment step")
    parser.add_argument("--rate", type=float, default=5e-4)
    parser.add_argument("--gamma", type=float, default=0.95)
    parser.add_argument("--follow", type=float, default=0.005, help="of the targets")
    return parser.parse_args()


def layers(num_in: int, num_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(num_in, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, num_out)
    )


class Memory:
    """The last transitions, and what their observations are on average."""

    def __init__(self, size: int, num_seen: int, num_actions: int) -> None:
        self._seen, self._next = (torch.zeros(size, num_seen) for _ in range(2))
        self._actions = torch.zeros(size, num_actions)
        self._rewards, self._goes_on = torch.zeros(size), torch.zeros(size)
        self._num, self._place = 0, 0

    def add(self, seen, actions, rewards, followed, goes_on) -> None:
        places = (self._place + torch.arange(len(seen))) % len(self._rewards)
        self._seen[places], self._actions[places] = seen, actions
        self._rewards[places], self._next[places] = rewards, followed
        self._goes_on[places] = goes_on
        self._place = int(self._place + len(seen)) % len(self._rewards)
        self._num = min(self._num + len(seen), len(self._rewards))

    def draw(self, num: int) -> tuple[torch.Tensor, ...]:
        rows = torch.randint(self._num, (num,))
        kept = (self._seen, self._actions, self._rewards, self._next, self._goes_on)
        return tuple(each[rows] for each in kept)

    def scale(self) -> tuple[torch.Tensor, torch.Tensor]:
        seen = self._seen[: self._num]
        return seen.mean(0), seen.std(0) + 1e-3


class Agent(nn.Module):
    """A squashed normal policy and two critics; actions are -1 .. 1 here."""

    def __init__(self, num_seen: int, num_actions: int) -> None:
        super().__init__()
        self.actor = layers(num_seen, 2 * num_actions)
        self.critics = nn.ModuleList(layers(num_seen + num_actions, 1) for _ in range(2))
        self.targets = copy.deepcopy(self.critics).requires_grad_(False)
        self.log_temperature = nn.Parameter(torch.zeros(()))
        self.wanted_entropy = -float(num_actions)
        self.register_buffer("mean", torch.zeros(num_seen))
        self.register_buffer("deviation", torch.ones(num_seen))

    def scaled(self, seen: torch.Tensor) -> torch.Tensor:
        return ((seen - self.mean) / self.deviation).clamp(-10, 10)

    def act(self, scaled: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Actions, and the logarithm of their density."""
        mean, log_std = self.actor(scaled).chunk(2, -1)
        policy = Normal(mean, log_std.clamp(-5, 2).exp())
        raw = policy.rsample()
        action = raw.tanh()
        density = policy.log_prob(raw) - (1 - action.square() + 1e-6).log()
        return action, density.sum(-1)

    @staticmethod
    def least(critics: nn.ModuleList, scaled: torch.Tensor, action: torch.Tensor) -> torch.Tensor:
        together = torch.cat([scaled, action], -1)
        return torch.min(*(critic(together).squeeze(-1) for critic in critics))


def learn(agent: Agent, optimizers: list[torch.optim.Optimizer], batch, args) -> None:
    """One update of critics, actor, temperature and targets."""
    seen, action, reward, followed, goes_on = batch
    seen, followed = agent.scaled(seen), agent.scaled(followed)
    temperature = agent.log_temperature.exp().detach()
    with torch.no_grad():
        next_action, density = agent.act(followed)
        worth = agent.least(agent.targets, followed, next_action) - temperature * density
        wanted = reward + args.gamma * goes_on * worth
    together = torch.cat([seen, action], -1)
    told = [(critic(together).squeeze(-1) - wanted).square().mean() for critic in agent.critics]
    step(optimizers[0], sum(told))
    chosen, density = agent.act(seen)
    step(optimizers[1], (temperature * density - agent.least(agent.critics, seen, chosen)).mean())
    surplus = (density.detach() + agent.wanted_entropy).mean()
    step(optimizers[2], -agent.log_temperature * surplus)
    with torch.no_grad():
        for target, critic in zip(
            agent.targets.parameters(), agent.critics.parameters(), strict=True
        ):
            target.lerp_(critic, args.follow)


def step(optimizer: torch.optim.Optimizer, loss: torch.Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


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
    num_seen = envs.single_observation_space.shape[0]
    agent = Agent(num_seen, len(low))
    optimizers = [
        torch.optim.Adam(group, lr=args.rate)
        for group in (agent.critics.parameters(), agent.actor.parameters(), [agent.log_temperature])
    ]
    memory = Memory(args.kept, num_seen, len(low))
    writer = None
    if args.log is not None:
        from torch.utils.tensorboard import SummaryWriter

        writer = SummaryWriter(args.log)

    began, due, told = time.perf_counter(), 0.0, 0
    observations, _ = envs.reset(seed=args.seed)
    seen = torch.as_tensor(observations).float()
    for steps in range(args.num_envs, args.steps + 1, args.num_envs):
        if steps <= args.first:
            action = torch.rand(args.num_envs, len(low)) * 2 - 1
        else:
            with torch.no_grad():
                action, _ = agent.act(agent.scaled(seen))
        played = (low + (action + 1) / 2 * (high - low)).numpy()
        observations, paid, terminated, truncated, infos = envs.step(played)
        following = torch.as_tensor(observations).float()
        # What followed: of an episode that has ended, its own last observation.
        followed = following.clone()
        for ended in np.flatnonzero(terminated | truncated):
            followed[ended] = torch.as_tensor(infos["final_obs"][ended])
        rewards, goes_on = torch.as_tensor(paid).float(), torch.as_tensor(~terminated).float()
        memory.add(seen, action, rewards, followed, goes_on)
        seen = following
        if steps == args.first - args.first % args.num_envs:
            agent.mean[:], agent.deviation[:] = memory.scale()
        if steps >= args.first:
            due += args.updates * args.num_envs
            while due >= 1:
                learn(agent, optimizers, memory.draw(args.batch), args)
                due -= 1
        if steps - told >= 1_000 and len(envs.return_queue):
            told = steps
            mean = float(np.mean(list(envs.return_queue)))
            speed = steps / (time.perf_counter() - began)
            print(f"steps {steps}  return {mean:.2f}  {speed:.0f} steps/s", flush=True)
            if writer is not None:
                writer.add_scalar("return", mean, steps)
                writer.add_scalar("steps_per_s", speed, steps)
    if writer is not None:
        writer.close()
    envs.close()
    return float(np.mean(list(envs.return_queue)))


if __name__ == "__main__":
    print(f"mean return of the last episodes: {main(options()):.2f}")
