"""Reports as a parser sees them, and results to make reports of without parser or executor."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from typing import Any

import torch

from neurosym.executors.base import Certificate, Outcome, Step
from neurosym.grammar import Parse, Reading, Token, Tree
from neurosym.perception.given import Thing, scene_of
from neurosym.program import Kind, Op
from neurosym.result import Decision, Result
from neurosym.scene import Scene
from neurosym.span import Span
from neurosym.views.report import _policy, report

LOADING = {"src", "href", "xlink:href", "srcset", "action", "data", "poster", "formaction"}
VOID = {"meta", "img", "br"}


@dataclass
class Node:
    """An element as the parser saw it."""

    tag: str
    attributes: dict[str, str | None]
    text: str = ""
    inside: tuple[int, ...] = ()


@dataclass
class Page(HTMLParser):
    """Every element of a page, and whether all are closed in their order."""

    source: str
    nodes: list[Node] = field(default_factory=list)
    open: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.source)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs)
        self.nodes.append(Node(tag, dict(attrs), inside=tuple(self.open)))
        if tag not in VOID:
            self.open.append(len(self.nodes) - 1)

    def handle_endtag(self, tag: str) -> None:
        assert self.nodes[self.open.pop()].tag == tag

    def handle_data(self, data: str) -> None:
        for number in self.open:
            self.nodes[number].text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def all(self, tag: str = "", **attributes: str) -> list[Node]:
        """Elements by tag and attributes (``data_key`` is ``data-key``)."""
        wanted = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
        return [
            node
            for node in self.nodes
            if tag in ("", node.tag)
            and all(node.attributes.get(key) == value for key, value in wanted.items())
        ]

    @property
    def skeleton(self) -> list[tuple[str, tuple[str, ...]]]:
        """The elements and the names of their attributes, without any text."""
        return [(node.tag, tuple(node.attributes)) for node in self.nodes]

    @property
    def text(self) -> str:
        """What a reader sees."""
        return self.all("body")[0].text

    @property
    def data(self) -> dict[str, Any]:
        """The links and shares."""
        (node,) = self.all("script", id="links")
        found: dict[str, Any] = json.loads(node.text)
        return found

    def section(self, key: str) -> str:
        (node,) = self.all("section", id=key)
        return node.text


def check(page: Page) -> None:
    """What holds of every report."""
    for node in page.nodes:
        assert not [name for name in node.attributes if name.startswith("on") or name == "style"]
        for name in LOADING & set(node.attributes):
            value = node.attributes[name] or ""
            assert re.match(r"#[\w-]+$|data:image/(png|jpeg);base64,[\w+/=]+$", value), value[:80]
    (policy,) = page.all("meta", http_equiv="Content-Security-Policy")
    assert policy.attributes["content"] == _policy()
    identities = [node.attributes["id"] for node in page.nodes if "id" in node.attributes]
    assert len(set(identities)) == len(identities)
    for node in page.nodes:
        target = node.attributes.get("href") or ""
        assert not target.startswith("#") or target[1:] in identities
    there = {node.attributes["data-key"] for node in page.nodes if "data-key" in node.attributes}
    shown = {node.attributes["data-shows"] for node in page.all("use", class_="map")}
    links, shares = page.data["links"], page.data["shares"]
    assert there | shown <= set(links)
    for key, link in links.items():
        assert link["says"]
        pointed = [*link.get("on", ()), *link.get("near", ())]
        pointed += [*link.get("steps", ()), *link.get("landmarks", ())]
        assert set(pointed) <= there, key
        assert set(link.get("steps", ())) | set(link.get("landmarks", ())) <= set(shares)
        assert link.get("map", "m0") in shown | {"m0"}
    for objects in shares.values():
        assert {f"o{index}" for index in objects} <= there
    assert "data" not in {node.tag for node in page.nodes}


def as_tokens(text: str) -> tuple[Token, ...]:
    """The words of a text: what stands between spaces."""
    return tuple(
        Token(i, m[0], m[0].lower(), m[0], "NN", "X", Span(*m.span()))
        for i, m in enumerate(re.finditer(r"[^ ]+", text))
    )


def as_tree(text: str, tokens: Sequence[Token]) -> Tree:
    leaves = tuple(Tree("WORD", (), t.span, unit=t.index, words=t.text) for t in tokens)
    return Tree("start", leaves, Span(0, len(text)))


def page_of(result: Result) -> Page:
    """The report of a result, checked; a made-up result is given tokens and a tree."""
    if result.reading.syntax is None:
        tokens = as_tokens(result.text)
        unused = tuple(t for t in tokens if t.text in [u.text for u in result.reading.unused])
        tree = as_tree(result.text, tokens)
        reading = Reading(result.program, 0.0, tree, unused)
        parse = Parse(result.text, tokens, (reading,))
        result = replace(result, parse=parse, reading=reading)
    page = Page(report(result))
    check(page)
    return page


def answered(
    program: Op,
    scene: Scene,
    decision: Decision,
    text: str = "",
    change: Any = lambda step: step,
) -> Result:
    """A result without an executor: every step has the value that its kind allows."""
    tokens = as_tokens(text)
    text = text or str(program)
    count = len(scene)
    steps = []
    for op in dict.fromkeys(program.walk()):
        step = Step(op, none=0.1, many=0.05)
        if op.returns.is_of_objects:
            step = replace(step, objects=torch.linspace(0.8, 0.3, count))
        elif op.returns is Kind.NUMBER:
            step = replace(step, number=torch.full((count + 1,), 0.85 / (count + 1)))
        elif op.returns is Kind.TRUTH:
            step = replace(step, truth=0.6)
        else:
            names = scene.attributes["color"].values
            shares = torch.full((len(names),), 0.8 / len(names))
            step = replace(step, value=shares, values=names)
        steps.append(change(step))
    root = steps[-1]
    outcome = Outcome(
        program.returns,
        objects=root.objects,
        number=root.number,
        truth=root.truth,
        value=root.value,
        values=root.values,
        none=0.1,
        many=0.05,
        certificate=Certificate.sum(step.certificate for step in steps),
        steps=tuple(steps),
    )
    tree = as_tree(text, tokens)
    reading = Reading(program, 0.0, tree, ())
    return Result(Parse(text, tokens, (reading,)), scene, outcome, decision, reading)


def cups(count: int = 3, **changes: Any) -> Scene:
    things = [
        Thing("cup", (10.0 * i, 5, 10.0 * i + 9, 30), {"color": ("red", "blue")[i % 2]})
        for i in range(count)
    ]
    scene = scene_of(things, (40, max(40, 10 * count)))
    return replace(scene, **changes)
