"""An organization's administrators name its provider: what it says of itself is looked at before it is believed."""

from tsunagi.db import Database, WriteTx
from tsunagi.errors import NotFound
from tsunagi.ledger import store as ledger
from tsunagi.ledger.rules import Action, Entry, Record
from tsunagi.openid import store
from tsunagi.openid.provider import Providers
from tsunagi.openid.rules import (
    Provider,
    ProviderFaulty,
    check_registration,
    check_secret,
    refusal,
    unusable,
)
from tsunagi.staff import accounts
from tsunagi.staff import store as staff
from tsunagi.staff.accounts import Administering


async def register(
    db: Database,
    providers: Providers,
    by: Administering,
    *,
    issuer: str,
    client_id: str,
    client_secret: str,
    second_factor_stated: bool,
) -> None:
    """Staff can sign in through the provider of that issuer. Raises ScopeMissing, RuleViolated."""
    async with db.platform() as tx:
        await accounts.accounts(tx, by)
    check_registration(issuer, client_id, client_secret, to_loopback=providers.to_loopback)
    named = await _looked_at(providers, issuer)
    new = Provider(by.member.organization_id, named, client_id, second_factor_stated, by.at)
    async with db.platform() as tx:
        if not await store.add(tx, new, client_secret):
            raise refusal("exists", "すでに登録されています", "There is one already")
        await accounts.accounts(tx, by)
        await _record(tx, by, "openid:register", (None, _stated(second_factor_stated)))


async def change(
    db: Database,
    providers: Providers,
    by: Administering,
    *,
    client_secret: str | None,
    second_factor_stated: bool,
) -> None:
    """The provider has that secret, if one is given, and that is stated of it. It is looked at anew.

    Raises ScopeMissing, NotFound, RuleViolated."""
    async with db.platform() as tx:
        await accounts.accounts(tx, by)
        present = await store.provider(tx, by.member.organization_id)
    if present is None:
        raise NotFound
    if client_secret is not None:
        check_secret(client_secret)
    await _looked_at(providers, present.issuer)
    async with db.platform() as tx:
        before = await store.hold(tx, by.member.organization_id)
        if before is None:
            raise NotFound
        await accounts.accounts(tx, by)
        if client_secret is not None:
            await store.change_secret(tx, before.organization_id, client_secret)
        await store.state_second_factor(tx, before.organization_id, stated=second_factor_stated)
        stated = _stated(before.second_factor_stated), _stated(second_factor_stated)
        await _record(tx, by, "openid:change", stated)


async def remove(tx: WriteTx, by: Administering) -> None:
    """Nobody comes in through the provider any more; who did is out, but for the administrator. Raises ScopeMissing,
    NotFound, RuleViolated."""
    found = await store.hold(tx, by.member.organization_id)
    everybody = await accounts.accounts(tx, by)
    if found is None:
        raise NotFound
    if any(one.member.id == by.member.id and one.password_hash is None for one in everybody):
        raise refusal(
            "only_way",
            "あなた自身が入れなくなります。パスワードを使う、ほかの管理者に頼んでください",
            "You could not come in any more. Ask another administrator, who uses a password",
        )
    await store.remove(tx, by.member.organization_id)
    await staff.unlink_all(tx, by.member.organization_id, but_session_of=by.member.id)
    await _record(tx, by, "openid:remove", None)


async def _looked_at(providers: Providers, issuer: str) -> str:
    """The issuer as the provider writes it. Raises RuleViolated."""
    try:
        document = await providers.document(issuer, anew=True)
        await providers.check_keys(document)
    except ProviderFaulty as faulty:
        raise unusable(faulty) from None
    return document.issuer


def _stated(second_factor: bool) -> str:
    """What the ledger says of where the second factor is to be seen."""
    return "second_factor_stated" if second_factor else "second_factor_in_token"


async def _record(
    tx: WriteTx, by: Administering, action: Action, change: tuple[str | None, str] | None
) -> None:
    record = Record("openid_provider", by.member.organization_id)
    await ledger.append(tx, Entry(action, by.at, by.actor, record=record, change=change))
