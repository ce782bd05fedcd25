"""The lab report: a table for the terminal, a picture (SVG by hand: no library draws in a bare Debian), JSON."""
import html
import json

COLUMNS = (("run", "name"), ("adapter bounces", "adapter_bounces"), ("reconnects", "reconnects"),
           ("longest gap ms (download)", "longest_download_gap_ms"), ("(ping)", "longest_ping_gap_ms"),
           ("lost for size", "packets_lost_for_size"), ("pings lost", "pings_lost"), ("adapter MTU over time", None))
WIDTH, LEFT, RIGHT = 1100, 90, 20
LANE_GAP, HEAD = 16, 44
LANES = (("throughput", 90), ("ping", 70), ("tunnel", 22), ("MTU", 46))
COLORS = {"tls": "#d08a1d", "dtls": "#2f7d4f", "none": "#c0392b"}


def mtu_words(result):
    return ", ".join(f"{m or '-'} at {t:.0f} s" if i else str(m) for i, (t, m) in enumerate(result["adapter_mtu"]) if m) or "-"


def table(results):
    rows = [[c for c, _ in COLUMNS]]
    for r in results:
        rows.append([mtu_words(r) if key is None else "-" if r[key] is None else str(r[key]) for _, key in COLUMNS])
    width = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    rows.insert(1, ["-" * w for w in width])
    return "\n".join("  ".join(cell.ljust(w) if i in (0, len(width) - 1) else cell.rjust(w)
                               for i, (cell, w) in enumerate(zip(row, width))).rstrip() for row in rows)


class _Picture:
    def __init__(self, seconds):
        self.seconds, self.parts, self.y = max(seconds, 1), [], 0

    def x(self, t):
        return LEFT + (WIDTH - LEFT - RIGHT) * min(t, self.seconds) / self.seconds

    def text(self, x, y, words, size=12, anchor="start", color="#222", more=""):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{color}" {more}>'
                          f"{html.escape(str(words))}</text>")

    def rect(self, x0, y, x1, height, color, title=""):
        self.parts.append(f'<rect x="{x0:.1f}" y="{y:.1f}" width="{max(x1 - x0, 0.5):.1f}" height="{height:.1f}" fill="{color}">'
                          f"<title>{html.escape(title)}</title></rect>")

    def line(self, x0, y0, x1, y1, color, more=""):
        self.parts.append(f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" stroke="{color}" {more}/>')

    def polyline(self, points, color, fill="none"):
        self.parts.append(f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}" stroke="{color}" fill="{fill}"/>')


def _steps(series, end):
    """(from, to, value) of a series that notes only changes."""
    return [(t, series[i + 1][0] if i + 1 < len(series) else end, v) for i, (t, v) in enumerate(series)]


def _lane_throughput(pic, r, y, height):
    points = r["throughput_mbit"]
    top = max([m for _, m in points] + [1])
    base = y + height
    pic.text(LEFT - 8, y + 10, f"{top:.0f}", 10, "end", "#666")
    pic.polyline([(pic.x(0), base)] + [(pic.x(t), base - height * m / top) for t, m in points] + [(pic.x(points[-1][0] if points else 0), base)],
                 "#3465a4", "#3465a433")
    return "Mbit/s"


def _lane_ping(pic, r, y, height):
    top = max([ms for _, ms in r["ping_ms"]] + [1])
    base = y + height
    pic.text(LEFT - 8, y + 10, f"{top:.0f}", 10, "end", "#666")
    before = None
    for t, ms in r["ping_ms"]:
        pic.rect(pic.x(t), base - height * ms / top - 1, pic.x(t) + 1.5, 2, "#5c3566")
        if before is not None and t - before > 0.2:
            pic.rect(pic.x(before), y, pic.x(t), height, "#c0392b44", f"no answer for {1000 * (t - before):.0f} ms")
        before = t
    return "ping ms"


def _lane_tunnel(pic, r, y, height):
    for a, b, v in _steps(r["active"], r["seconds"]):
        pic.rect(pic.x(a), y, pic.x(b), height, COLORS.get(v, "#999"), f"{v} from {a} s")
        if pic.x(b) - pic.x(a) > 40:
            pic.text(pic.x(a) + 6, y + height - 7, v.upper(), 11, color="#fff")
    for a, b, v in _steps(r["adapter_up"], r["seconds"]):
        if not v:
            pic.rect(pic.x(a), y - 4, max(pic.x(b), pic.x(a) + 3), height + 8, "#000", f"adapter down for {1000 * (b - a):.0f} ms")
    return "tunnel"


def _lane_mtu(pic, r, y, height):
    values = [m for _, m in r["adapter_mtu"] if m] or [0]
    low, high = min(values) - 40, max(values) + 10
    before = None
    for a, b, v in _steps(r["adapter_mtu"], r["seconds"]):
        if not v:
            continue
        at = y + height - height * (v - low) / (high - low)
        pic.line(pic.x(a), at, pic.x(b), at, "#222", 'stroke-width="2"')
        if before != v:
            pic.text(pic.x(a) + 4, at + 13, v, 11)
        before = v
    return "adapter MTU"


def svg(results):
    drawn = []
    total = HEAD
    lanes = (_lane_throughput, _lane_ping, _lane_tunnel, _lane_mtu)
    seconds = max([r["seconds"] for r in results] + [1])
    for r in results:
        pic = _Picture(seconds)
        y = total + 34
        top = y
        pic.text(LEFT, total + 12, r["name"], 15, more='font-weight="bold"')
        pic.text(WIDTH - RIGHT, total + 12, f"{r['adapter_bounces']} adapter bounces, {r['reconnects']} reconnects, longest gap: download "
                 f"{r['longest_download_gap_ms']} ms, ping {r['longest_ping_gap_ms']} ms", 12, "end")
        for draw, (_, height) in zip(lanes, LANES):
            label = draw(pic, r, y, height)
            pic.text(8, y + height / 2 + 4, label, 11, color="#444")
            pic.line(LEFT, y + height, WIDTH - RIGHT, y + height, "#ccc")
            y += height + LANE_GAP
        for t, words in r["marks"]:
            pic.line(pic.x(t), top - 10, pic.x(t), y - LANE_GAP, "#888", 'stroke-dasharray="3 3"')
            pic.text(pic.x(t) + 3, top - 1, words, 11, color="#555")
        for t in range(0, int(seconds) + 1, max(5, int(seconds) // 12 // 5 * 5)):
            pic.text(pic.x(t), y, f"{t} s", 10, "middle", "#666")
        drawn += pic.parts
        total = y + 24
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{total}" font-family="sans-serif">' \
           f'<rect width="100%" height="100%" fill="#fff"/><text x="{LEFT}" y="26" font-size="18">Culvert: UDP 443 blocked and unblocked, ' \
           "classic and seamless</text>"
    return "\n".join([head, *drawn, "</svg>"]) + "\n"


def write(results, folder, stem="lab-report"):
    (folder / f"{stem}.svg").write_text(svg(results), encoding="utf-8")
    (folder / f"{stem}.json").write_text(json.dumps({"runs": results}, indent=1) + "\n", encoding="utf-8")
