"""The benchmark report as a picture: bars, ours beside stock (SVG by hand: no library draws in a bare Debian)."""
import html

WIDTH, MARGIN, COLUMN_GAP = 1180, 24, 28
LABEL, VALUE, RATIO = 176, 62, 54
BAR, ROW, HEAD, PANEL_GAP = 11, 30, 40, 22
OURS, STOCK, FAINT = "#2f6fb0", "#a9a9a9", "#666"


class Panel:
    """rows: (label, ours, stock, digits). is_common: all rows on one scale, else each on its own."""

    def __init__(self, title, rows, is_more_better, is_common=True):
        self.title, self.is_more_better, self.is_common = title, is_more_better, is_common
        self.rows = [r for r in rows if r[1] is not None or r[2] is not None]

    def height(self):
        return HEAD + ROW * len(self.rows)


def text(x, y, words, size=12, anchor="start", color="#222", more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{color}" {more}>{html.escape(str(words))}</text>'


def bar(x, y, width, color):
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 1):.1f}" height="{BAR}" fill="{color}"/>'


def shown(value, digits):
    return "-" if value is None else f"{value:.{digits}f}"


def ratio_text(ours, stock):
    return f"{ours / stock:.2g} x" if ours and stock else ""


def draw_row(x, y, width, row, scale):
    label, ours, stock, digits = row
    bars = width - LABEL - VALUE - RATIO
    out = [text(x, y + BAR + 3, label)]
    for i, (value, color) in enumerate(((ours, OURS), (stock, STOCK))):
        at = y + i * (BAR + 1)
        length = bars * (value or 0) / scale
        if value is not None:
            out.append(bar(x + LABEL, at, length, color))
        out.append(text(x + LABEL + max(length, 1) + 5, at + BAR - 1, shown(value, digits), 10, color=FAINT))
    return out + [text(x + width, y + BAR + 4, ratio_text(ours, stock), 12, "end", more='font-weight="bold"')]


def draw_panel(panel, x, y, width):
    arrow = "more is better" if panel.is_more_better else "less is better"
    out = [text(x, y + 14, panel.title, 14, more='font-weight="bold"'), text(x + width, y + 14, arrow, 11, "end", FAINT)]
    largest = max((v for r in panel.rows for v in r[1:3] if v), default=1)
    for i, row in enumerate(panel.rows):
        scale = largest if panel.is_common else max((v for v in row[1:3] if v), default=1)
        out += draw_row(x, y + HEAD - 14 + i * ROW, width, row, scale)
    return out


def svg(title, note, panels):
    """Two columns; a panel goes to the shorter one."""
    width = (WIDTH - 2 * MARGIN - COLUMN_GAP) / 2
    tops = [76, 76]
    out = []
    for panel in (p for p in panels if p.rows):
        i = 0 if tops[0] <= tops[1] else 1
        out += draw_panel(panel, MARGIN + i * (width + COLUMN_GAP), tops[i], width)
        tops[i] += panel.height() + PANEL_GAP
    key = [bar(MARGIN, 50, 22, OURS), text(MARGIN + 28, 60, "culvert + culvertd"), bar(MARGIN + 170, 50, 22, STOCK),
           text(MARGIN + 198, 60, "openconnect + ocserv"), text(WIDTH - MARGIN, 60, note, 11, "end", FAINT)]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{max(tops)}" font-family="sans-serif">' \
           f'<rect width="100%" height="100%" fill="#fff"/>' + text(MARGIN, 32, title, 18)
    return "\n".join([head, *key, *out, "</svg>"]) + "\n"
