"""The report of a job: a page to read, the same as JSON, and a contact sheet of each clip."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from service.batch.errors import write_error
from service.batch.outputs.contact_sheet import save_sheet

if TYPE_CHECKING:
    from service.batch.jobs.job import ClipResult

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Stereo Convert: report</title><style>
body {{ font: 14px sans-serif; background: #202020; color: #e6e6e6; margin: 2em; }}
td, th {{ padding: 2px 12px 2px 0; text-align: left; vertical-align: top; }} .failed {{ color: #ff8a80; }}
img {{ max-width: 100%; margin: 8px 0 24px; }}
</style></head><body><h1>{headline}</h1><p>on {devices}</p>
{clips}
</body></html>
"""


def strips_folder(report: Path, index: int) -> Path:
    """Where the strips of the job's clip number `index` lie; they outlive a crash."""
    return report / "strips" / f"clip_{index:03}"


def write_report(report: Path, results: Sequence[ClipResult], devices: str) -> None:
    """Write report.html, report.json and contact sheets into the folder `report`. Raises WriteError."""
    try:
        report.mkdir(parents=True, exist_ok=True)
        sections = [_section(report, index, result) for index, result in enumerate(results, 1)]
        done = sum(result.error is None for result in results)
        page = _PAGE.format(
            headline=f"{done} of {len(results)} clips are done", devices=html.escape(devices), clips="\n".join(sections)
        )
        (report / "report.html").write_text(page)
        (report / "report.json").write_text(json.dumps([_as_json(result) for result in results], indent=1))
    except OSError as error:
        raise write_error(report, error) from None


def _section(report: Path, index: int, result: ClipResult) -> str:
    title = f"<h2>{html.escape(result.order.source.name)}</h2>"
    if result.figures is None:
        return f'{title}<p class="failed">failed ({result.exit_code}): {html.escape(str(result.error))}</p>'
    sheet = report / f"clip_{index:03}.png"
    save_sheet(sheet, sorted(strips_folder(report, index).glob("*.png")))
    image = f'<img src="{sheet.name}" alt="contact sheet">' if sheet.exists() else ""
    rows = "".join(f"<tr><th>{name}</th><td>{html.escape(value)}</td></tr>" for name, value in _rows(result))
    return f"{title}<table>{rows}</table>{image}"


def _rows(result: ClipResult) -> list[tuple[str, str]]:
    figures = result.figures
    assert figures is not None
    rows = [(output.kind, str(output.path)) for output in result.order.outputs]
    rows += [
        ("frames", f"{figures.frames} ({figures.resumed_frames} of them from a run before)"),
        ("time", f"{figures.elapsed_s:.1f} s, {figures.frames_per_s:.2f} frames/s"),
        ("stages", ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in figures.seconds.items())),
        ("parallax", f"{figures.parallax[0]:.2f} % to {figures.parallax[1]:.2f} % of the width"),
        ("disoccluded", f"{100 * figures.disoccluded:.2f} % of the pixels"),
        ("tokens computed", f"{100 * figures.retention:.1f} %"),
    ]
    rows += [("warning", sentence) for sentence in figures.sentences]
    return rows + [("note", note) for note in figures.notes]


def _as_json(result: ClipResult) -> dict:
    return {
        "source": str(result.order.source),
        "outputs": {output.kind: str(output.path) for output in result.order.outputs},
        "exit_code": result.exit_code,
        "error": None if result.error is None else str(result.error),
        "figures": None if result.figures is None else asdict(result.figures),
    }
