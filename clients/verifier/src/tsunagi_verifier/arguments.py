"""What `tsunagi-verify` can be told, and whom it believes accordingly."""

import argparse
from collections.abc import Iterable
from pathlib import Path

from tsunagi_verifier.notes import Key
from tsunagi_verifier.refusals import Refused, Unchecked
from tsunagi_verifier.reporting import Report
from tsunagi_verifier.sources import Source
from tsunagi_verifier.trust import Trust, keep, log_keys, read_kept, read_keys, witness_keys


def parser(prog: str = "tsunagi-verify") -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog=prog,
        description="台帳を、外から、サービスを信じずに確かめます。"
        " / Verifies the ledger from outside, without believing the service.",
        epilog="終了コード / exit status:"
        " 0 問題なし good, 1 誤りの証明 proven wrong, 2 確かめられない could not be checked",
    )
    what = made.add_subparsers(dest="what", required=True)
    log = _command(what, "log", "ログの全部を確かめる / verify a whole log")
    _where(log)
    growth = _command(
        what, "growth", "保管した検証点から伸びただけか確かめる / verify growth since a kept checkpoint"
    )
    _where(growth, kept=True)
    receipt = _command(what, "receipt", "受渡しの証明を確かめる / verify receipts")
    _files(receipt)
    entries = _command(what, "entries", "台帳の記載のページを確かめる / verify pages of entries")
    _files(entries)
    told = "流れの記載は全部ある。欠けは誤り / all entries of the streams are there: a hole is an error"
    entries.add_argument("--complete", action="store_true", help=told)
    cosign = _command(what, "cosign", "証人に連署してもらう / have a witness cosign")
    cosign.add_argument("where", metavar="LOG")
    cosign.add_argument("witness_url", metavar="WITNESS", help="証人のURL / URL of the witness")
    cosign.add_argument(
        "--cosigned", type=Path, required=True, help="連署された検証点の保管先 / where to keep it"
    )
    cosign.set_defaults(kept=None, checkpoint=None)
    return made


def _command(
    what: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, told: str
) -> argparse.ArgumentParser:
    one = what.add_parser(name, help=told, description=told)
    one.add_argument(
        "--key", action="append", default=[], help="信じるログの鍵（名+番号+鍵） / a key of the log"
    )
    one.add_argument(
        "--keys", type=Path, help="鍵のファイル。なければ最初の回に作る / file of keys, made at first use"
    )
    one.add_argument(
        "--origin", help="ログの名。鍵の名と違うとき / the log's name, where its keys have another"
    )
    one.add_argument(
        "--witness", action="append", default=[], help="必要な証人の鍵 / key of a witness that is required"
    )
    one.add_argument(
        "--quorum", type=int, help="証人のうち何件が必要か / how many of the witnesses (default: all)"
    )
    one.add_argument(
        "--parallel", type=int, default=8, help="同時に取得する数 / requests at a time (default: 8)"
    )
    one.add_argument("--json", action="store_true", help="結果をJSONで出す / say the result as JSON")
    return one


def _where(one: argparse.ArgumentParser, *, kept: bool = False) -> None:
    one.add_argument(
        "where", metavar="LOG", help="https://…/ledger、または写しのフォルダー / or the folder of a copy"
    )
    _kept(one, required=kept)


def _files(one: argparse.ArgumentParser) -> None:
    one.add_argument("files", metavar="FILE", nargs="+", type=Path)
    one.add_argument(
        "--log", dest="where", metavar="LOG", help="今のログとも照合する / check against the log, too"
    )
    _kept(one, required=False)


def _kept(one: argparse.ArgumentParser, *, required: bool) -> None:
    told = "検証点の保管先。問題がなければ新しいものに替わる / kept checkpoint, replaced when all is well"
    one.add_argument("--kept", type=Path, required=required, help=told)
    one.add_argument(
        "--checkpoint",
        type=Path,
        help="今の検証点の代わり（連署されたものなど） / instead of the log's newest",
    )


def trust_of(said: argparse.Namespace, report: Report, log: Source | None) -> Trust:
    """Whom to believe: the keys that were given or kept; else, loudly, those that the log names. Raises Unchecked
    when there are none."""
    keys = [*log_keys(_told(said.key)), *_kept_keys(said, report, log)]
    if not keys and log is not None:
        keys = list(_first_use(report, log))
    if not keys:
        raise Unchecked(
            "ログの鍵がありません。--key か --keys で渡してください",
            "no key of the log: give --key or --keys",
        )
    witnesses = witness_keys(_told(said.witness))
    if len(witnesses) < len(said.witness) or not 0 <= (said.quorum or 0) <= len(witnesses):
        raise Unchecked(
            "証人の鍵が足りないか、証人の鍵ではありません", "too few keys of witnesses, or others"
        )
    return Trust(tuple(keys), said.origin, witnesses, said.quorum)


def _kept_keys(said: argparse.Namespace, report: Report, log: Source | None) -> tuple[Key, ...]:
    if said.keys is None:
        return ()
    kept = read_kept(said.keys)
    if kept is None and log is not None and not said.key:
        found = _first_use(report, log)
        keep(said.keys, "".join(f"{key}\n" for key in found))
        return found
    if kept is None:
        raise Unchecked(f"{said.keys} がありません", f"{said.keys} is not there")
    return log_keys(_told(kept.splitlines()))


def _told(lines: Iterable[str]) -> tuple[Key, ...]:
    """Keys from whoever verifies: a mistake in them says nothing about the log. Raises Unchecked."""
    try:
        return read_keys(lines)
    except Refused as refused:
        raise Unchecked(refused.ja, refused.en) from None


def _first_use(report: Report, log: Source) -> tuple[Key, ...]:
    found = log_keys(read_keys(log.text("keys").splitlines()))
    report.warns(
        "鍵を渡されなかったので、ログ自身が名乗る鍵を信じます。別の道で受け取った鍵と見比べてください:\n"
        + "\n".join(f"   {key}" for key in found),
        "no key was given: believing those that the log itself names."
        " Compare them with what you were told another way.",
    )
    return found
