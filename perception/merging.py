"""Hypotheses of one image from two detectors, as one list."""

from __future__ import annotations

import torch
from torch import Tensor

from neurosym.perception.boxes import pairwise_iou
from neurosym.perception.detections import Hypotheses
from neurosym.perception.groups import within_groups

SAME_THING_IOU = 0.5


def merged(
    first: Hypotheses,
    second: Hypotheses,
    masks: dict[int, Tensor],
    covering: Tensor | None = None,
) -> Hypotheses:
    """Two lists of hypotheses with the categories of both.

    The boxes of ``first`` keep their numbers. A thing of ``second`` (a group) whose likeliest box
    overlaps one of ``first`` by an IoU of at least 0.5 is that thing under another name: with e
    the probability of the group, the box's categories become (1 - e) times what they were plus e
    times what ``second`` says, and its existence the larger of both. Other groups are added. So a
    cup that is also looked for as "mug" is one thing, and "mug" and "cup" are alternatives. Where a
    category of ``second`` covers some of the box's, as "vehicle" covers "car", it only takes its
    share of the others: what is a car stays one.

    Args:
        first: N boxes over C categories.
        second: boxes over P categories, none of them among the C.
        masks: object number -> mask of ``first``; the masks of boxes that are added join it.
        covering: [P, C] bool, whether a category of ``second`` covers one of ``first``.

    Returns:
        Hypotheses over C + P categories, with the device of ``first`` and without masks.
    """
    device = first.boxes.device
    wide = second.categories.shape[1]
    categories = torch.nn.functional.pad(first.categories, (0, wide))
    own = torch.nn.functional.pad(second.categories.to(device), (first.categories.shape[1], 0))
    existence, boxes = first.existence.clone(), second.boxes.to(device)
    overlap = pairwise_iou(boxes, first.boxes)
    added: list[int] = []
    groups: list[int] = []
    next_group = int(first.group.max()) + 1 if len(first.group) else 0
    taken = torch.zeros(len(first.boxes), dtype=torch.bool, device=device)
    for group in sorted(set(second.group.tolist())):
        members = (second.group == group).nonzero().flatten()
        leader = int(members[second.existence[members].argmax()])
        fits = overlap[leader].masked_fill(taken, 0.0)
        if len(fits) and float(fits.max()) >= SAME_THING_IOU:
            thing = int(fits.argmax())
            taken[thing] = True
            share = second.existence[members].sum().clamp(max=1).to(existence)
            taken_over = share * own[leader]
            if covering is not None:
                before = categories[thing, : first.categories.shape[1]]
                taken_over[-wide:] *= 1 - covering.to(before) @ before
            categories[thing] = (1 - taken_over.sum()) * categories[thing] + taken_over
            existence[thing] = torch.maximum(existence[thing], share)
        else:
            added += members.tolist()
            groups += [next_group] * len(members)
            next_group += 1
    if second.masks is not None:
        masks.update({len(first.boxes) + row: second.masks[i].cpu() for row, i in enumerate(added)})
    group_of = torch.cat([first.group, first.group.new_tensor(groups)])
    every = torch.cat([existence, second.existence[added].to(existence)])
    return Hypotheses(
        boxes=torch.cat([first.boxes, boxes[added]]),
        existence=within_groups(every, group_of),
        categories=torch.cat([categories, own[added]]),
        group=group_of,
    )
