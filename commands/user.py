"""`leaseline user`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from commands.context import changing, company_option, here, json_option
from commands.printing import print_json, print_rows

if TYPE_CHECKING:
    from tracker.models import User

ROLES = ("owner", "admin", "manager", "listener")


@click.group("user")
def user_group() -> None:
    """Users: people who log in to the page. There is no default account.

    \b
    Example:
      leaseline user add ann@example.com --role manager
    """


@user_group.command("add")
@click.argument("email")
@click.option("--name", default="", help="Name; default: the part before the @.")
@click.option("--role", type=click.Choice(ROLES), default="manager", show_default=True)
@company_option
@json_option
def add(email: str, name: str, role: str, company: str | None, as_json: bool) -> None:
    """Add a user and print their one-time log-in link.

    \b
    Examples:
      leaseline user add ann@example.com --role manager
      leaseline user add bob@example.com --name "Bob Kowalski" --role admin --company pallets
    """
    from tracker import people
    from tracker.models import Role

    with changing(company) as (session, owner, by):
        user = people.add_user(session, email, name, by.at)
        people.give_role(session, user, owner, Role(role))
        by.note(session, "user.add", owner.id, subject=user.email, detail={"role": role})
        token = people.make_login_link(session, user, by.at)
        known = user.email
    _tell_link(known, token, as_json=as_json)


@user_group.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """List users with what they may do.

    \b
    Example:
      leaseline user list
    """
    from tracker import people

    with here().database.read() as session:
        rows = [describe(user) for user in people.list_users(session)]
    shown = [
        {**row, "roles": [f"{each['company']}: {each['role']}" for each in row["roles"]]} for row in rows
    ]
    columns = ("email", "name", "roles", "password_set", "totp_at", "disabled_at")
    print_rows(
        rows if as_json else shown, columns, as_json=as_json, empty="No user yet: `leaseline user add`"
    )


@user_group.command("role")
@click.argument("email")
@click.argument("role", type=click.Choice((*ROLES, "none")))
@company_option
def role_command(email: str, role: str, company: str | None) -> None:
    """Say what a user may do in a company; `none` takes it away.

    \b
    Example:
      leaseline user role ann@example.com admin --company pallets
    """
    from tracker import people
    from tracker.models import Role

    with changing(company) as (session, owner, by):
        user = people.find_user(session, email)
        if role == "none":
            people.take_role(session, user, owner)
        else:
            people.give_role(session, user, owner, Role(role))
        by.note(session, "user.role", owner.id, subject=user.email, detail={"role": role})
        told = f"{user.email} is {role} in {owner.slug}."
    click.echo(told)


@user_group.command("link")
@click.argument("email")
@json_option
def link(email: str, as_json: bool) -> None:
    """Print a new one-time log-in link, for a first or a forgotten password.

    \b
    Example:
      leaseline user link ann@example.com
    """
    from tracker import people

    with here().database.write() as session:
        by = here().by()
        user = people.find_user(session, email)
        token = people.make_login_link(session, user, by.at)
        by.note(session, "user.link", subject=user.email)
        known = user.email
    _tell_link(known, token, as_json=as_json)


@user_group.command("disable")
@click.argument("email")
def disable(email: str) -> None:
    """Lock a user out at once: sessions and links end.

    \b
    Example:
      leaseline user disable ann@example.com
    """
    from tracker import people

    with here().database.write() as session:
        by = here().by()
        user = people.find_user(session, email)
        people.disable_user(session, user, by.at)
        by.note(session, "user.disable", subject=user.email)
        known = user.email
    click.echo(f"{known} is disabled.")


@user_group.command("enable")
@click.argument("email")
def enable(email: str) -> None:
    """Let a disabled user log in again.

    \b
    Example:
      leaseline user enable ann@example.com
    """
    from tracker import people

    with here().database.write() as session:
        by = here().by()
        user = people.find_user(session, email)
        people.enable_user(session, user)
        by.note(session, "user.enable", subject=user.email)
        known = user.email
    click.echo(f"{known} can log in again.")


@user_group.command("totp")
@click.argument("email")
@click.option("--off", is_flag=True, help="Switch it off, for who lost phone and recovery codes.")
@json_option
def totp(email: str, off: bool, as_json: bool) -> None:
    """Show whether a user has a second factor (TOTP), or switch it off.

    Be sure who asks: from then on the password alone, or a one-time link, opens the account.

    \b
    Examples:
      leaseline user totp ann@example.com
      leaseline user totp ann@example.com --off
    """
    from tracker import people, second_factor

    with here().database.write() as session:
        user = people.find_user(session, email)
        if off:
            second_factor.switch_off(session, here().by(), user)
        since, codes = user.totp_at, second_factor.codes_left(session, user.id)
        known = user.email
    if as_json:
        print_json({"email": known, "totp_at": since, "recovery_codes": codes})
    elif since:
        click.echo(f"{known} has a second factor since {since:%Y-%m-%d}, and {codes} recovery codes.")
    else:
        click.echo(f"{known} has no second factor{' any more' if off else ''}.")


def link_address(token: str) -> str:
    """Where a one-time token is opened."""
    return f"{here().settings.web_url}/link/{token}"


def _tell_link(email: str, token: str, *, as_json: bool) -> None:
    address = link_address(token)
    if as_json:
        print_json({"email": email, "link": address})
    else:
        click.echo(f"One-time log-in link for {email}, good for 24 hours:\n{address}")


def describe(user: User) -> dict[str, Any]:
    """A user as JSON; nothing of the password but whether there is one."""
    return {
        "email": user.email,
        "name": user.name,
        "roles": [{"company": each.company.slug, "role": each.role.value} for each in user.memberships],
        "password_set": user.password_hash is not None,
        "totp_at": user.totp_at,  # since when a second factor is asked for
        "disabled_at": user.disabled_at,
        "created_at": user.created_at,
    }
