"""Builds static/icons.svg, the sprite of the icons that the pages use.

    python tools/icons.py DIRECTORY   (the `icons/outline` directory of the npm package @tabler/icons)

Add a name to tools/icons.txt, run this, and use it in a template: {{ icon("phone") }}.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAMES = ROOT / "tools" / "icons.txt"
SPRITE = ROOT / "static" / "icons.svg"
EMPTY_BOX = re.compile(r'<path stroke="none" d="M0 0h24v24H0z" fill="none" ?/>')


def wanted() -> list[str]:
    """The names in tools/icons.txt, sorted, without comments."""
    lines = (line.strip() for line in NAMES.read_text("utf-8").splitlines())
    return sorted({line for line in lines if line and not line.startswith("#")})


def symbol(name: str, svg: str) -> str:
    """One `<symbol>` out of an icon file; stroke and size come from `.icon` in frame.css."""
    inner = svg[svg.index(">", svg.index("<svg")) + 1 : svg.rindex("</svg>")]
    shapes = re.sub(r"\s+", " ", EMPTY_BOX.sub("", inner)).strip()
    return f'<symbol id="{name}" viewBox="0 0 24 24">{shapes}</symbol>'


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    directory = Path(sys.argv[1])
    missing = [name for name in wanted() if not (directory / f"{name}.svg").exists()]
    if missing:
        print("No such icons: " + ", ".join(missing), file=sys.stderr)
        return 1
    symbols = [symbol(n, (directory / f"{n}.svg").read_text("utf-8")) for n in wanted()]
    SPRITE.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n", "utf-8"
    )
    print(f"{SPRITE.relative_to(ROOT)}: {len(symbols)} icons")
    return 0


if __name__ == "__main__":
    sys.exit(main())
