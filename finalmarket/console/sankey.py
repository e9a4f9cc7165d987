"""A Sankey diagram of the paths of journeys, laid out here and drawn as SVG: columns of steps, and flows between them.

Pure: it knows names and numbers, and the template that draws it knows only places. Heights are in proportion to
journeys, the same throughout the diagram.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from finalmarket.journeys.paths import Flow

WIDTH, HEIGHT = 1120, 440
TOP, SIDE = 26, 4
NODE_WIDTH = 14
GAP = 14
LEAST_THICKNESS = 1.0
MOST_CHANNELS = 8
HUES = 10
OTHER = "other"
# What becomes of a journey that goes to no further channel, and how that is shown.
ENDS = {
    "ordered": ("Ordered", "good"),
    "completed": ("Done without an order", "info"),
    "abandoned": ("Left", "quiet"),
    "open": ("Still open", "warn"),
    "on": ("Goes on", "more"),
}
Key = tuple[int, str]
"""A node: its column, and the channel's id as text, "other", or the word of an end."""


@dataclass
class Node:
    """A bar: journeys at one step on one channel, or at one end."""

    label: str
    hue: str
    journeys: int = 0
    x: float = 0
    y: float = 0
    height: float = 0
    is_end: bool = False
    taken_in: float = 0
    taken_out: float = 0

    @property
    def label_x(self) -> float:
        """Where the label begins: right of the bar."""
        return self.x + NODE_WIDTH + 5

    @property
    def label_y(self) -> float:
        """The line that the label stands on: the middle of the bar."""
        return self.y + self.height / 2 + 4


@dataclass
class Link:
    """A band between two bars."""

    step: int
    source: Node
    target: Node
    journeys: int
    thickness: float = 0
    line: str = ""


@dataclass
class Sankey:
    """The diagram: bars, bands, and the heads of its columns."""

    nodes: list[Node] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    heads: list[tuple[float, str]] = field(default_factory=list)
    width: int = WIDTH
    height: int = HEIGHT


def draw(flows: Sequence[Flow], names: Mapping[int, str], steps: int) -> Sankey:
    """Lay out the first `steps` steps of `flows`; `names` are those of the channels.

    The MOST_CHANNELS channels with most journeys have bars of their own, the rest share one. Colours go by the names of
    the channels, so that a channel looks the same on every page.
    """
    shown = _busiest(flows)
    hues = {key: str(at % HUES) for at, key in enumerate(sorted(names, key=lambda key: names[key]))}
    nodes: dict[Key, Node] = {}
    bands: dict[tuple[Key, Key], int] = {}
    for flow in flows:
        if flow.step > steps:
            continue
        source = (flow.step, str(flow.channel) if flow.channel in shown else OTHER)
        target = (flow.step + 1, _target(flow, shown, steps))
        bands[source, target] = bands.get((source, target), 0) + flow.journeys
        for key in (source, target):
            nodes.setdefault(key, _node(key[1], names, hues))
        nodes[source].journeys += flow.journeys
        if nodes[target].is_end or flow.step == steps:
            nodes[target].journeys += flow.journeys
    return _placed(nodes, bands, steps) if nodes else Sankey()


def _busiest(flows: Sequence[Flow]) -> set[int]:
    sums: dict[int, int] = {}
    for flow in flows:
        sums[flow.channel] = sums.get(flow.channel, 0) + flow.journeys
    return set(sorted(sums, key=lambda channel: (-sums[channel], channel))[:MOST_CHANNELS])


def _target(flow: Flow, shown: set[int], steps: int) -> str:
    if flow.next is None or flow.step == steps:
        return flow.outcome
    return str(flow.next) if flow.next in shown else OTHER


def _node(word: str, names: Mapping[int, str], hues: Mapping[int, str]) -> Node:
    if word in ENDS:
        label, hue = ENDS[word]
        return Node(label, hue, is_end=True)
    if word == OTHER:
        return Node("Other channels", "more")
    return Node(names.get(int(word), f"Channel {word}"), hues.get(int(word), "more"))


def _placed(nodes: dict[Key, Node], bands: dict[tuple[Key, Key], int], steps: int) -> Sankey:
    """Give bars and bands their places."""
    columns: dict[int, list[Node]] = {}
    for (column, _), node in sorted(nodes.items(), key=lambda item: (item[1].is_end, -item[1].journeys, item[1].label)):
        columns.setdefault(column, []).append(node)
    scale = min(
        (HEIGHT - TOP - GAP * len(column)) / sum(node.journeys for node in column) for column in columns.values()
    )
    last = max(columns)
    pitch = (WIDTH - 2 * SIDE - 150) / max(1, last - 1)
    for column, stack in columns.items():
        y = float(TOP)
        for node in stack:
            node.x, node.y = SIDE + (column - 1) * pitch, y
            node.height = max(LEAST_THICKNESS, node.journeys * scale)
            y += node.height + GAP
    heads = [
        (SIDE + (column - 1) * pitch, f"Step {column}" if column <= steps else "Then") for column in sorted(columns)
    ]
    return Sankey(list(nodes.values()), _links(nodes, bands, scale), heads)


def _links(nodes: dict[Key, Node], bands: dict[tuple[Key, Key], int], scale: float) -> list[Link]:
    """Bands leave and arrive from top to bottom in the order of the bars at their other end, so that few cross."""
    links = []
    for (source, target), journeys in bands.items():
        links.append(Link(source[0], nodes[source], nodes[target], journeys, max(LEAST_THICKNESS, journeys * scale)))
    starts: dict[int, float] = {}
    for link in sorted(links, key=lambda link: (link.source.x, link.source.y, link.target.y)):
        starts[id(link)] = link.source.y + link.source.taken_out + link.thickness / 2
        link.source.taken_out += link.thickness
    for link in sorted(links, key=lambda link: (link.target.x, link.target.y, link.source.y)):
        end = link.target.y + link.target.taken_in + link.thickness / 2
        link.target.taken_in += link.thickness
        left, right = link.source.x + NODE_WIDTH, link.target.x
        middle = (left + right) / 2
        link.line = (
            f"M{left:.1f},{starts[id(link)]:.1f} C{middle:.1f},{starts[id(link)]:.1f} "
            f"{middle:.1f},{end:.1f} {right:.1f},{end:.1f}"
        )
    return sorted(links, key=lambda link: (link.step, -link.journeys, link.target.label))
