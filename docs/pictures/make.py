#!/usr/bin/env python3
"""Makes the pictures of this folder from a real run: make.py PROGRAM

A rehearsal in which some logins are refused is watched in a terminal of tmux, 100 columns wide, and the report of another one opened in headless Chromium. Nothing of
it is drawn by hand. Needs tmux and chromium.
"""

import html
import re
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
COLUMNS, ROWS = 100, 26
# Names of colours as terminals have them, on a dark ground.
COLOURS = ["#3b4252", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d8dee9"]
GROUND, TEXT = "#1e222a", "#d8dee9"
CELL, LINE = 8.4, 18
# Others are drawn as one where they follow each other.
NO_BREAK = "\u00a0"


def spans(line):
    """The pieces of a line of `tmux capture-pane -e`, each with its style."""
    style = {"fill": TEXT, "bold": False, "dim": False}
    for codes, text in re.findall(r"(?:\x1b\[([0-9;]*)m)?([^\x1b]*)", line):
        for code in [int(code or 0) for code in codes.split(";")] if codes is not None and codes != "" else []:
            if code == 0:
                style = {"fill": TEXT, "bold": False, "dim": False}
            elif code in (1, 2):
                style = {**style, "bold" if code == 1 else "dim": True}
            elif 30 <= code <= 37 or 90 <= code <= 97:
                style = {**style, "fill": COLOURS[code % 10]}
            elif code == 39:
                style = {**style, "fill": TEXT}
        if text:
            yield style, text


def svg(screen, title):
    """A screen as a picture: one text element a line, so that it can be read aloud and copied."""
    lines = screen.rstrip("\n").split("\n")
    width, height = round(COLUMNS * CELL + 32), len(lines) * LINE + 40
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        f"<title>{html.escape(title)}</title>",
        f'<rect width="{width}" height="{height}" rx="8" fill="{GROUND}"/>',
        f'<g font-family="ui-monospace,Menlo,Consolas,monospace" font-size="14" fill="{TEXT}">',
    ]
    for number, line in enumerate(lines):
        column, pieces = 0, []
        for style, text in spans(line):
            extra = ' font-weight="bold"' if style["bold"] else ""
            extra += ' opacity="0.7"' if style["dim"] else ""
            x = round(16 + column * CELL, 1)
            if text.strip():
                length = round(len(text) * CELL, 1)
                pieces.append(
                    f'<tspan x="{x}" textLength="{length}" fill="{style["fill"]}"{extra}>{html.escape(text).replace(" ", NO_BREAK)}</tspan>'
                )
            column += len(text)
        if pieces:
            out.append(f'<text y="{28 + number * LINE}">{"".join(pieces)}</text>')
    return "\n".join([*out, "</g>", "</svg>", ""])


def tmux(socket, *arguments):
    command = ["tmux", "-L", socket, "-f", "/dev/null", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def watch(program, folder):
    """The screen in the middle of a run."""
    socket = f"pictures-{uuid.uuid4().hex[:8]}"
    run = "stara-onboard run growers.csv --sandbox=lockout --stara-rate 20/s --leaf-rate 30/s --report none"
    try:
        tmux(socket, "new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), "-c", str(folder), "env PS1='$ ' PATH="
             f"{program.parent}:/usr/bin:/bin TERM=tmux-256color sh")
        tmux(socket, "send-keys", run, "Enter")
        screens, began = [], time.monotonic()
        while time.monotonic() - began < 300:
            screen = tmux(socket, "capture-pane", "-p", "-e")
            if "Run 1: " in screen:
                break
            if "to do of" in screen:
                screens.append(screen)
            time.sleep(0.2)
        return screens[len(screens) // 2]
    finally:
        subprocess.run(["tmux", "-L", socket, "kill-server"], capture_output=True, check=False)


def main():
    program = Path(sys.argv[1]).resolve()
    folder = Path(tempfile.mkdtemp())
    try:
        shutil.copy(ROOT / "manifests/growers.csv", folder)
        (HERE / "run.svg").write_text(svg(watch(program, folder), "A run in a terminal: a line for each host, and what failed"))
        # The report of a manifest with every kind of failure.
        shutil.copy(ROOT / "manifests/mixed.csv", folder)
        command = [program, "run", "mixed.csv", "--sandbox", "--state", "state/mixed.db", "--report", "mixed.html"]
        subprocess.run(command, cwd=folder, capture_output=True, check=False)
        picture = HERE / "report.png"
        subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1000,900",
             f"--user-data-dir={folder}/chromium", f"--screenshot={picture}", (folder / "mixed.html").as_uri()],
            capture_output=True, check=True, timeout=120,
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


main()
