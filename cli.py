"""The `leaseline` command: the only place where things are wired together. Its commands live in commands/."""

from __future__ import annotations

import os

import click

from commands.alerts import alerts_group
from commands.backup import backup_command, restore_command
from commands.block import block_group
from commands.call import call_group
from commands.call_export import export_command
from commands.callback import callback_group
from commands.calls import calls_group
from commands.channel import channel_group
from commands.company import company_group
from commands.config import config_command
from commands.consent import consent_group, unrecorded_group
from commands.context import Here
from commands.cost import cost_group
from commands.db import db_group
from commands.delivery import delivery_group
from commands.destination import destination_group
from commands.doctor import doctor_command
from commands.export import data_export_command
from commands.forward import forward_group
from commands.group import Leaseline
from commands.inlet import inlet_group
from commands.key import key_group
from commands.live import apply_command
from commands.logs import logs_command
from commands.mcp import mcp_command
from commands.missed import missed_command
from commands.moving import moving_commands
from commands.number import number_group
from commands.outgoing import outgoing_group
from commands.overview import overview_command
from commands.paths import paths_command
from commands.plan import plan_group
from commands.pool import pool_group
from commands.processes import agi_command, asterisk_command, web_command, worker_command
from commands.prompt import prompt_group
from commands.reference import docs_command
from commands.report import report_command
from commands.reported import import_group
from commands.responsible import responsible_group
from commands.sale import rate_group, sale_group
from commands.saved import saved_group
from commands.secrets import secrets_group
from commands.sheets import sheets_group
from commands.shell import completion_command, version_command
from commands.site import site_group
from commands.source import source_group
from commands.target import target_group
from commands.trunk import trunk_group
from commands.up import restart_command, status_command, stop_command, up_command
from commands.user import user_group
from commands.visit import visit_group
from commands.worth import category_command, note_command, tag_command, value_command

COMMANDS = (
    up_command, status_command, restart_command, stop_command, apply_command, doctor_command,
    config_command, logs_command, overview_command, report_command, paths_command, missed_command,
    saved_group, calls_group, call_group,
    company_group, trunk_group, target_group, outgoing_group, number_group, channel_group, pool_group,
    site_group, source_group, visit_group, import_group,
    forward_group, plan_group, callback_group, block_group, prompt_group, unrecorded_group,
    consent_group, cost_group, sale_group, rate_group, destination_group, delivery_group, inlet_group,
    responsible_group, key_group, user_group, alerts_group, mcp_command, db_group,
    secrets_group,
    sheets_group, data_export_command, backup_command, restore_command, asterisk_command, agi_command,
    web_command, worker_command, completion_command, version_command, docs_command,
)  # fmt: skip


class InOrder(Leaseline):
    """Lists commands in the order a newcomer needs them, not by the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [str(command.name) for command in COMMANDS]


@click.group(cls=InOrder, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.pass_context
def leaseline(context: click.Context) -> None:
    """Leaseline tells a company which advertisement made the phone ring.

    \b
    First steps:
      leaseline up                                        start everything
      leaseline company add pallets --region RU
      leaseline trunk add carrier --host sip.example.net --match 203.0.113.0/24
      leaseline target add "Main line" --peer pbx.example.com --dial 100
      leaseline forward set "Main line"
      leaseline channel add Billboard
      leaseline number add "+7 495 123-45-67" --channel Billboard
      leaseline apply                                     tell Asterisk
      leaseline doctor                                    what is wrong, and how to fix it
    """
    context.obj = opened = Here()
    context.call_on_close(opened.close)


# What a person says of calls, and their export, have files of their own, and their place among the commands
# about calls.
for each in (export_command, category_command, value_command, tag_command, note_command):
    calls_group.add_command(each)
for each in moving_commands():
    import_group.add_command(each)
for each in COMMANDS:
    leaseline.add_command(each)


def main() -> None:
    """The entry point `leaseline`."""
    # The home folder holds calls, recordings and the carriers' passwords: its owner's, nobody else's.
    os.umask(0o077)
    leaseline.main()


if __name__ == "__main__":
    main()
