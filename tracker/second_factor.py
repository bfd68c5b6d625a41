"""The second factor of a log-in: codes from a person's phone (TOTP, RFC 6238), and recovery codes.

A code works once, and so does a recovery code: each is claimed in one statement, so of two who show the same
one at once only one gets in. Recovery codes are stored as SHA-256, which is enough for 64 random bits.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import RecoveryCode, User
from tracker.people import token_sha256
from tracker.policy import second_factor as policy


def begin(session: Session, user: User) -> str:
    """Gives the user a new secret that counts for nothing until its first code is shown (`confirm`)."""
    if user.totp_at is not None:
        raise Rejected("totp.on", "The second factor is on already", "Switch it off first")
    user.totp_secret = policy.make_secret()
    session.flush()
    return user.totp_secret


def confirm(session: Session, by: By, user: User, code: str) -> list[str]:
    """Switches it on with a first code; gives the recovery codes, this once. Raises Rejected `totp.wrong`."""
    _hold(session, user)
    secret = user.totp_secret
    if not secret or user.totp_at is not None:
        raise Rejected("totp.not_begun", "There is nothing to confirm", "Open your account and begin again")
    step = policy.matching_step(secret, policy.read_code(code), by.at)
    if step is None:
        raise wrong_code()
    claimed = session.execute(
        sa.update(User)
        .where(User.id == user.id, User.totp_at.is_(None))
        .values(totp_at=by.at, totp_step=step)
        .returning(User.id)
    ).first()
    if claimed is None:
        raise Rejected("totp.on", "The second factor is on already", "Open your account again")
    by.note(session, "totp.on", subject=user.email)
    return _fresh_codes(session, user, by.at)


def renew_codes(session: Session, by: By, user: User) -> list[str]:
    """New recovery codes; the old ones are worth nothing from now on."""
    if user.totp_at is None:
        raise Rejected("totp.off", "The second factor is off", "Set it up first")
    by.note(session, "totp.codes", subject=user.email)
    return _fresh_codes(session, user, by.at)


def switch_off(session: Session, by: By, user: User) -> None:
    """From now on the password is enough."""
    if user.totp_at is None:
        raise Rejected(
            "totp.off", "%(email)s has no second factor", "There is nothing to switch off", email=user.email
        )
    user.totp_secret = user.totp_at = user.totp_step = None
    session.execute(sa.delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    by.note(session, "totp.off", subject=user.email)
    session.flush()


def use_code(session: Session, by: By, user: User, text: str) -> bool:
    """Whether it is a code of the user's phone or a recovery code, not used before; now it is used."""
    code = policy.read_code(text)
    return _use_step(session, user, code, by.at) or _use_recovery(session, by, user, code)


def codes_left(session: Session, user_id: int) -> int:
    """How many recovery codes have not been used."""
    wanted = sa.select(sa.func.count()).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return session.scalar(wanted) or 0


def wrong_code() -> Rejected:
    return Rejected(
        "totp.wrong",
        "This code is not right, or was used already",
        "Wait for the next one on your phone, and look at the phone's clock",
    )


def _hold(session: Session, user: User) -> None:
    """Nobody gives the user another secret until the end of the transaction: it cannot be compared in SQL."""
    session.refresh(user, ["totp_secret", "totp_at", "totp_step"], with_for_update=True)


def _use_step(session: Session, user: User, code: str, now: datetime) -> bool:
    _hold(session, user)
    step = policy.matching_step(user.totp_secret, code, now) if user.totp_secret else None
    if step is None:
        return False
    claim = (
        sa.update(User)
        .where(
            User.id == user.id,
            User.totp_at.is_not(None),
            sa.or_(User.totp_step.is_(None), User.totp_step < step),
        )
        .values(totp_step=step)
        .returning(User.id)
    )
    return session.execute(claim, execution_options={"synchronize_session": False}).first() is not None


def _use_recovery(session: Session, by: By, user: User, code: str) -> bool:
    claim = (
        sa.update(RecoveryCode)
        .where(
            RecoveryCode.code_sha256 == token_sha256(code),
            RecoveryCode.user_id == user.id,
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=by.at)
        .returning(RecoveryCode.user_id)
    )
    if session.execute(claim, execution_options={"synchronize_session": False}).first() is None:
        return False
    by.note(session, "totp.recovery", subject=user.email, detail={"codes_left": codes_left(session, user.id)})
    return True


def _fresh_codes(session: Session, user: User, now: datetime) -> list[str]:
    session.execute(sa.delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    codes = policy.write_recovery_codes(_random())
    session.add_all(
        RecoveryCode(code_sha256=token_sha256(policy.read_code(code)), user_id=user.id, created_at=now)
        for code in codes
    )
    session.flush()
    return codes


def _random() -> Iterable[bytes]:
    return (secrets.token_bytes(policy.RECOVERY_BYTES) for _ in range(policy.RECOVERY_CODES))
