"""The command `tsunagi-verify`."""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tsunagi_verifier.arguments import parser, trust_of
from tsunagi_verifier.cosigning import cosign, merged
from tsunagi_verifier.entries import check_positions, check_streams, member, read_entry, read_json
from tsunagi_verifier.growth import grown
from tsunagi_verifier.notes import Checkpoint
from tsunagi_verifier.progress import Progress
from tsunagi_verifier.receipts import Receipt, check_receipt
from tsunagi_verifier.refusals import Refused, Unchecked
from tsunagi_verifier.reporting import GOOD, UNCHECKED, WRONG, Report
from tsunagi_verifier.sources import Server, source
from tsunagi_verifier.trees import Tree
from tsunagi_verifier.trust import Trust, keep, read_kept


def main(arguments: Sequence[str] | None = None, *, prog: str = "tsunagi-verify") -> int:
    """0: good. 1: proven wrong. 2: could not be checked."""
    said = parser(prog).parse_args(arguments)
    report = Report(as_json=said.json)
    try:
        COMMANDS[said.what](said, report)
    except Refused as refused:
        return report.end(WRONG, refused)
    except Unchecked as unchecked:
        return report.end(UNCHECKED, unchecked)
    except KeyboardInterrupt:
        return report.end(UNCHECKED, Unchecked("中断しました", "interrupted"))
    return report.end(GOOD)


def _log(said: argparse.Namespace, report: Report) -> None:
    with _seen(said, report) as (tree, _):
        progress = Progress(tree.size, sys.stderr, drawn=False if said.json else None)
        try:
            tree.walk(progress)
        finally:
            progress.end()
        report.says(
            f"{tree.size}件の記載とすべてのタイルが、署名された検証点のとおりです",
            f"all {tree.size} entries and all tiles are as the signed checkpoint has them",
        )


def _growth(said: argparse.Namespace, report: Report) -> None:
    with _seen(said, report):
        pass


def _receipt(said: argparse.Namespace, report: Report) -> None:
    shown = [(path, _document(path)) for path in said.files]
    if not said.where:
        trust = trust_of(said, report, None)
        _none_waiting(_receipts(report, shown, trust, lambda _: None))
        return
    with _seen(said, report) as (tree, trust):
        # Witnesses have cosigned the checkpoint of the log, which continues those of the receipts.
        own = Trust(trust.keys, trust.origin)
        waiting = _receipts(report, shown, own, tree.check_start)
    _none_waiting(waiting)


def _receipts(
    report: Report, shown: list[tuple[Path, Any]], trust: Trust, also: Callable[[Checkpoint], None]
) -> int:
    """How many steps are in no checkpoint yet; the others are proven."""
    receipts = [(path, check_receipt(document, trust)) for path, document in shown]
    for path, receipt in receipts:
        for checkpoint in {checkpoint for _, checkpoint in receipt.proven}:
            also(checkpoint)
        _describe_receipt(report, path, receipt)
    return sum(len(receipt.waiting) for _, receipt in receipts)


def _entries(said: argparse.Namespace, report: Report) -> None:
    entries = [read_entry(one) for path in said.files for one in _items(_document(path))]
    links, holes = check_streams(entries, complete=said.complete)
    hidden = sum(entry.body is None for entry in entries)
    report.fact(entries=len(entries), hidden=hidden, links=links, holes=holes)
    report.says(
        f"{len(entries) - hidden}件の本文が約束値と合っています（本文のないもの{hidden}件）",
        f"the texts of {len(entries) - hidden} entries are those committed to ({hidden} have none)",
    )
    report.says(
        f"流れの{links}か所がつながり、番号の欠けは{holes}か所です",
        f"{links} follow the one before in their stream, and there are {holes} holes in the numbers",
    )
    if not said.where:
        return
    with _seen(said, report) as (tree, _):
        waiting = len(check_positions(tree, entries))
        report.says(
            f"{len(entries) - waiting}件が、ログのその位置にあります",
            f"{len(entries) - waiting} are in the log where they are said to be",
        )
    _none_waiting(waiting)


def _cosign(said: argparse.Namespace, report: Report) -> None:
    with closing(source(said.where)) as log, closing(Server(said.witness_url)) as witness:
        trust = trust_of(said, report, log)
        if len(trust.witnesses) != 1:
            raise Unchecked(
                "--witness に証人の鍵を1つ渡してください", "give the key of the witness as --witness"
            )
        cosigned = cosign(log, Trust(trust.keys, trust.origin), witness, trust.witnesses[0], said.cosigned)
        _describe(report, cosigned)


COMMANDS: Mapping[str, Callable[[argparse.Namespace, Report], None]] = {
    "log": _log,
    "growth": _growth,
    "receipt": _receipt,
    "entries": _entries,
    "cosign": _cosign,
}


@contextmanager
def _seen(said: argparse.Namespace, report: Report) -> Iterator[tuple[Tree, Trust]]:
    """The log as its checkpoint has it, which continues the one that was kept. If the block ends well, this one is
    kept from now on."""
    with closing(source(said.where, parallel=said.parallel)) as log:
        trust = trust_of(said, report, log)
        shown = log.text("checkpoint") if said.checkpoint is None else read_kept(said.checkpoint)
        if shown is None:
            raise Unchecked(f"{said.checkpoint} がありません", f"{said.checkpoint} is not there")
        kept = read_kept(said.kept) if said.kept else None
        tree = grown(log, trust, shown, kept)
        _describe(report, trust.open(shown))
        if kept is not None:
            before = trust.open_kept(kept)
            report.fact(keptSize=before.size)
            report.says(
                f"保管していた検証点（{before.size}件）から伸びただけです",
                f"it has only grown since the checkpoint that was kept ({before.size} entries)",
            )
        yield tree, trust
        if said.kept:
            keep(said.kept, merged(shown, kept or ""))
            report.says(f"この検証点を {said.kept} に保管しました", "this checkpoint is kept from now on")


def _describe(report: Report, checkpoint: Checkpoint) -> None:
    witnessed = [{"witness": name, "at": _instant(at)} for name, at in checkpoint.witnessed]
    report.fact(
        origin=checkpoint.origin, size=checkpoint.size, root=checkpoint.root.hex(), witnesses=witnessed
    )
    report.says(
        f"{checkpoint.origin} の検証点: {checkpoint.size}件、署名は正しい",
        f"checkpoint of {checkpoint.size} entries, root {checkpoint.root.hex()}, signed",
    )
    for one in witnessed:
        report.says(f"証人 {one['witness']} が {one['at']} に連署", f"cosigned by {one['witness']}")


def _describe_receipt(report: Report, path: Path, receipt: Receipt) -> None:
    for entry, checkpoint in receipt.proven:
        action = entry.body["action"] if entry.body is not None else "（本文なし without text）"
        report.says(
            f"{action}: 位置{entry.position}、{checkpoint.size}件のログの中",
            f"entry {entry.id} at {entry.position} of {checkpoint.size}",
        )
    report.says(
        f"{path}: 引継ぎ {receipt.handover_id} の{len(receipt.proven)}件の手続が証明されました",
        f"{len(receipt.proven)} steps of the handover are proven, {len(receipt.waiting)} are in no checkpoint yet",
    )


def _none_waiting(waiting: int) -> None:
    if waiting:
        raise Unchecked(
            f"{waiting}件はまだ検証点に入っていません。数秒後に取得し直してください",
            f"{waiting} are in no checkpoint yet: get them again in a few seconds",
        )


def _document(path: Path) -> Any:
    text = read_kept(path)
    if text is None:
        raise Unchecked(f"{path} がありません", f"{path} is not there")
    return read_json(text)


def _items(document: Any) -> list[Any]:
    """The entries of a page, or of a list of pages or entries."""
    if isinstance(document, list):
        pages = [_items(one) if isinstance(one, dict) and "items" in one else [one] for one in document]
        return [item for page in pages for item in page]
    items: list[Any] = member(document, "items", list)
    return items


def _instant(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    except (OverflowError, ValueError, OSError):
        return str(seconds)
