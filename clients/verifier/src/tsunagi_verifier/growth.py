"""That a log has only grown since a checkpoint that was kept."""

from tsunagi_verifier.notes import Checkpoint
from tsunagi_verifier.refusals import Refused
from tsunagi_verifier.sources import Source
from tsunagi_verifier.trees import Tree
from tsunagi_verifier.trust import Trust


def grown(log: Source, trust: Trust, shown: str, kept: str | None) -> Tree:
    """The tree of the checkpoint that was shown, whose first entries are those of the one that was kept.

    1. Both are signed. Raises Refused, or Unchecked for the kept one.
    2. The log is not smaller than it was, and is the same where it is as large: for this no tile is needed.
    3. The tiles lead to the root that was shown, and the first of them to the root that was kept.

    Raises Refused with both notes as evidence when the log was rolled back or forked.
    """
    now = trust.open(shown)
    if kept is None:
        return Tree(log, now)
    before, evidence = trust.open_kept(kept), {"kept": kept, "shown": shown}
    refuse_rollback(before, now, evidence)
    tree = Tree(log, now)
    if tree.root_of(before.size) != before.root:
        raise _forked(before, now, evidence)
    return tree


def refuse_rollback(before: Checkpoint, now: Checkpoint, evidence: dict[str, str]) -> None:
    if now.size < before.size:
        raise Refused(
            f"ログが巻き戻されています。保管していた検証点では{before.size}件、今の検証点では{now.size}件です",
            f"the log was rolled back: it had {before.size} entries when the checkpoint was kept, and has {now.size}",
            evidence=evidence,
        )
    if now.size == before.size and now.root != before.root:
        raise _forked(before, now, evidence)


def _forked(before: Checkpoint, now: Checkpoint, evidence: dict[str, str]) -> Refused:
    return Refused(
        f"ログが書き換えられています（分岐）。今の{now.size}件の最初の{before.size}件は、保管していた検証点の{before.size}件ではありません",
        f"the log forked: the first {before.size} of its {now.size} entries are not those of the checkpoint that was"
        " kept",
        evidence=evidence,
    )
