"""Groups of hypotheses of one thing: which boxes belong together, and what that leaves of each.

At most one hypothesis of a group exists. Two rules bring their probabilities to a sum of at most
1, for two things that a probability may mean: :func:`within_groups` where it was measured with the
rivals in place, :func:`given_at_most_one` where each detection was judged by itself.
"""

from __future__ import annotations

import torch
from torch import Tensor


def leader_groups(compete: Tensor) -> Tensor:
    """Groups of boxes that compete, without chains.

    Taken in their order, a box joins the group of the first leader that it competes with, and else
    leads a group of its own. So each member competes with the leader itself.

    Args:
        compete: [later, earlier] bool, best boxes first; only entries below the diagonal count.

    Returns:
        [box] int64, 0 to G - 1.

    Example:
        >>> row = torch.arange(3)
        >>> leader_groups((row[:, None] - row[None, :]).abs() <= 1)
        tensor([0, 0, 1])
    """
    leaders: list[int] = []
    group: list[int] = []
    for position, rivals in enumerate(compete.tolist()):
        for index, leader in enumerate(leaders):
            if rivals[leader]:
                group.append(index)
                break
        else:
            group.append(len(leaders))
            leaders.append(position)
    return torch.tensor(group, dtype=torch.int64, device=compete.device)


def within_groups(existence: Tensor, groups: Tensor) -> Tensor:
    """Calibrated existence with each group's sum brought to at most 1.

    The likeliest of a group keeps its probability: a hundred doubtful parts are no reason to doubt
    the whole. The others share what is left. This is for probabilities that were measured with
    the rivals in place; for detections that know nothing of each other, see
    :func:`given_at_most_one`.

    Args:
        existence: [object] in [0, 1].
        groups: [object] int64; equal numbers exclude each other.

    Example:
        >>> within_groups(torch.tensor([0.8, 0.3, 0.1, 0.7]), torch.tensor([0, 0, 0, 1]))
        tensor([0.8000, 0.1500, 0.0500, 0.7000])
    """
    if not groups.numel():
        return existence
    member, leader = _members(existence, groups)
    room = 1 - existence[leader]
    others = existence.scatter(0, leader, 0.0)
    wanted = torch.zeros_like(room).scatter_add(0, member, others)
    share = (room / wanted.clamp(min=1e-9)).clamp(max=1.0)
    return (others * share[member]).scatter(0, leader, existence[leader])


def given_at_most_one(existence: Tensor, groups: Tensor) -> Tensor:
    """Existence of independent detections, given that at most one of each group is there.

    Let detection i be there with probability p_i, whatever the others are, and let o_i be its
    odds p_i / (1 - p_i). That i alone is there has the probability p_i prod_{j != i} (1 - p_j),
    which is o_i prod_j (1 - p_j); that none is, prod_j (1 - p_j). These are the cases in which at
    most one is there. Divided by their sum they are ``P(i) = o_i / (1 + sum_j o_j)``, and
    ``1 / (1 + sum_j o_j)`` for none. A certain detection has infinite odds: it keeps the
    probability 1, or 1 / k beside k - 1 others that are certain, and the doubtful ones beside it
    get 0, which is the limit.

    Args:
        existence: [object] in [0, 1].
        groups: [object] int64; equal numbers exclude each other.

    Returns:
        [object], with a sum of at most 1 in every group.

    Example:
        >>> given_at_most_one(torch.tensor([0.8, 0.5, 1.0, 0.3]), torch.tensor([0, 0, 1, 1]))
        tensor([0.6667, 0.1667, 1.0000, 0.0000])
    """
    if not groups.numel():
        return existence
    exact = existence.double()
    member, leader = _members(exact, groups)
    # Divided by the leader's odds, which may be infinite: o_i / o_l is
    # p_i (1 - p_l) / (p_l (1 - p_i)).
    best = exact[leader][member]
    below = best * (1 - exact)
    ratio = torch.where(below > 0, exact * (1 - best) / below.clamp(min=1e-300), 0.0)
    # Where the leader is certain (or nothing is there at all) only its equals count.
    ratio = torch.where(exact == best, 1.0, ratio)
    nobody = (1 - exact[leader]) / exact[leader].clamp(min=1e-300)
    total = nobody.scatter_add(0, member, ratio)
    return torch.where(exact > 0, ratio / total[member], 0.0).to(existence.dtype)


def _members(existence: Tensor, groups: Tensor) -> tuple[Tensor, Tensor]:
    """The group of each object from 0 on, and the likeliest object of each group, the first one."""
    _, member = torch.unique(groups, return_inverse=True)
    order = existence.argsort(descending=True, stable=True)
    ids = torch.arange(int(member.max()) + 1, device=groups.device)
    place = (member[order][None, :] == ids[:, None]).int().argmax(dim=1)
    return member, order[place]
