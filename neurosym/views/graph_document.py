"""A text's scene graph as JSON, as DOT, and in plain text; see :mod:`neurosym.text_graph`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neurosym.errors import DataError

if TYPE_CHECKING:
    import networkx

FORMAT = "neurosym-text-graph/1"


def graph_document(graph: networkx.MultiDiGraph) -> dict[str, Any]:
    """The graph as plain lists and strings, ready for JSON, in networkx' node-link form."""
    import networkx

    return {"format": FORMAT, **networkx.node_link_data(graph, edges="edges")}


def read_graph(document: Any) -> networkx.MultiDiGraph:
    """The graph that :func:`graph_document` wrote.

    Raises:
        DataError: the document is not one of a text's graph.
    """
    import networkx

    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise DataError(f'not a text\'s graph: expected "format": "{FORMAT}"')
    try:
        return networkx.node_link_graph(document, edges="edges")
    except (KeyError, TypeError, AttributeError, networkx.NetworkXError) as error:
        raise DataError(f"a text's graph is damaged: {error!r}") from error


def dot_text(graph: networkx.MultiDiGraph) -> str:
    """The graph in the DOT language; what is denied is dashed, what is uncertain dotted."""
    lines = ["digraph text {", "  node [shape=box];"]
    for number, node in graph.nodes(data=True):
        lines.append(f"  {number} [label={dot_string(node_label(node))}{_style(node)}];")
    for start, end, edge in graph.edges(data=True):
        lines.append(f"  {start} -> {end} [label={dot_string(edge_label(edge))}{_style(edge)}];")
    return "\n".join([*lines, "}"])


def graph_text(graph: networkx.MultiDiGraph) -> str:
    """The graph as lines: what is to be done, the things with their numbers, their relations."""
    intent = [f"to do: {graph.graph['intent']}"] if graph.graph.get("intent") else []
    things = [f"[{number}] {node_label(node)}" for number, node in graph.nodes(data=True)]
    labels = {number: f"{node['category'] or 'thing'} [{number}]" for number, node in _nodes(graph)}
    relations = [
        f"{labels[start]} -- {edge_label(edge)} -> {labels[end]}"
        for start, end, edge in graph.edges(data=True)
    ]
    return "\n".join([*intent, *things, *relations])


def _nodes(graph: networkx.MultiDiGraph) -> list[tuple[int, dict[str, Any]]]:
    return list(graph.nodes(data=True))


def node_label(node: dict[str, Any]) -> str:
    """What a node is, in a few words: "no cup", "the red cup: small?", "dog (action: sleep)"."""
    plain = [s["value"] for s in node["attributes"] if s["certain"] and not s["negated"]]
    if node["negated"]:
        plain = [s["value"] for s in node["attributes"] if not s["negated"]]
    others = [said for said in node["attributes"] if said["value"] not in plain]
    actions = [s["value"] for s in node["attributes"] if s["attribute"] == "action"]
    done = [value for value in plain if value in actions]
    plain = [value for value in plain if value not in actions]
    lead = "no" if node["negated"] else node["quantifier"] or ""
    if node["count"]:
        lead = _counted(node["count"])
    ranks = [f"{r['order']} {r.get('rank', r.get('count'))}" for r in node["ranks"]]
    words = [lead, node.get("pointer", ""), *plain, node["category"] or "thing"]
    words += [f"(action: {', '.join(done)})"] if done else []
    words.append("" if node["certain"] else "?")
    more = [_value(said) for said in others] + ranks
    more += [str(node[name]) for name in ("form", "portion") if name in node]
    said = " ".join(filter(None, words))
    return f"{said}: {', '.join(more)}" if more else said


def edge_label(edge: dict[str, Any]) -> str:
    """What an edge says: "not on", "left_of every"."""
    parts = ["not" if edge["negated"] else "", edge["relation"], edge.get("quantifier", "")]
    if isinstance(edge.get("count"), dict):
        parts.append(_counted(edge["count"]))
    parts += [str(edge[name]) for name in ("rank", "times") if edge.get(name, 1) != 1]
    return " ".join(filter(None, [*parts, "" if edge["certain"] else "?"]))


def _counted(count: dict[str, Any]) -> str:
    said = f"{count['comparison'].replace('_', ' ')} {count['number']}"
    return f"not {said}" if count.get("negated") else said


def _value(said: dict[str, Any]) -> str:
    return f"{'not ' if said['negated'] else ''}{said['value']}{'' if said['certain'] else '?'}"


def _style(said: dict[str, Any]) -> str:
    if said["negated"]:
        return ", style=dashed"
    return "" if said["certain"] else ", style=dotted"


def dot_string(text: str) -> str:
    r"""A DOT string: ``"`` and ``\`` are escaped, since DOT reads escapes of its own."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
