"""A command for each routine that one person calls: its arguments are those of ``birthdb.api``.

Each prints the statement that it sends, and the next step that the database answers with.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer

from birthdb import api
from birthdb.cli.console import show, spoken
from birthdb.cli.options import BIGINT, Json, Url, app, database

#: The command, what it calls, and the role that it takes.
_DOORS: Sequence[tuple[str, Callable[..., Any], str]] = (
    ("register", api.collection_register, "birth_steward"),
    ("withdraw", api.collection_withdraw, "birth_steward"),
    ("propose", api.identity_propose, "birth_reader"),
    ("classify", api.identity_classify, "birth_steward"),
    ("attach", api.gateway_attach, "birth_steward"),
    ("detach", api.gateway_detach, "birth_steward"),
    ("mode", api.gateway_mode, "birth_steward"),
    ("fence", api.gateway_fence, "birth_steward"),
    ("acknowledge", api.finding_acknowledge, "birth_steward"),
    ("scope", api.gate_scope, "birth_steward"),
    ("admit", api.gate_admit, "birth_steward"),
    ("transition", api.transition_plan, "birth_operator"),
    ("death", api.death_plan, "birth_operator"),
    ("rehearse", api.rehearse, "birth_operator"),
    ("confirm", api.permit_confirm, "birth_reviewer"),
    ("revoke", api.permit_revoke, "birth_permit_owner"),
    ("stop", api.run_stop, "birth_operator"),
    ("tune", api.run_tune, "birth_operator"),
    ("audit", api.run_audit, "birth_reader"),
    ("life-attach", api.life_attach, "birth_steward"),
    ("life-mode", api.life_mode, "birth_steward"),
    ("life-detach", api.life_detach, "birth_steward"),
    ("return", api.code_return, "birth_steward"),
    ("succeed", api.code_succeed, "birth_steward"),
    ("now", api.code_now, "birth_reader"),
    ("freeze", api.dot_freeze, "birth_operator"),
    ("unfreeze", api.dot_unfreeze, "birth_dba"),
)


def answered(title: str, answer: Any, as_json: bool) -> None:
    """Print what a routine answered: rows, or its next step."""
    match answer:
        case [Mapping(), *_] | []:
            show({title: answer}, as_json)
        case Mapping():
            show({title: [answer]}, as_json)
        case str() if not as_json:
            show({title: [{"next_step": answer}]}, False) if answer else None
        case _:
            show({title: [{"answer": answer}]}, as_json)


def _command(name: str, call: Callable[..., Any], role: str) -> Callable[..., None]:
    """Return the command of a function: what it needs becomes an argument, what it may have an option."""

    def run(url: str | None, as_json: bool, **given: Any) -> None:
        arguments = {key: value for key, value in given.items() if value is not None or key in required}
        with database(url, as_json, role) as conn, spoken(quiet=as_json):
            answered(name, call(conn, **arguments), as_json)

    hints = get_type_hints(call)
    _, *own = inspect.signature(call).parameters.values()
    required = [each.name for each in own if each.default is each.empty]
    shown = [_parameter(each, hints[each.name]) for each in own]
    common = [
        inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for key, default, kind in (("url", None, Url), ("as_json", False, Json))
    ]
    run.__signature__ = inspect.Signature(shown + common)  # type: ignore[attr-defined]
    run.__doc__ = call.__doc__
    return run


def _parameter(each: inspect.Parameter, hint: Any) -> inspect.Parameter:
    """Return what a function takes as the command takes it."""
    kinds = get_args(hint)
    number: Any = BIGINT if int in (hint, *kinds) else {}
    if get_origin(hint) is Sequence:
        hint = list[kinds[0]]  # type: ignore[valid-type]
    needed = each.default is each.empty
    flag = "--" + each.name.replace("_", "-")
    said: Any
    default = list(each.default) if isinstance(each.default, tuple) else each.default
    if needed and each.name != "reason":
        said = typer.Argument(**number or {"metavar": each.name.upper()})
        default = None if type(None) in kinds else each.empty
    elif each.name == "dry_run":
        said = typer.Option("--dry-run/--write", help="Only count, or write the plan to the ledger.")
    elif bool in kinds:
        said = typer.Option(f"{flag}/--not-{each.name.removeprefix('to_')}")
    else:
        said = typer.Option(flag, **number)
    return each.replace(kind=each.KEYWORD_ONLY, annotation=Annotated[hint, said], default=default)


for _name, _call, _role in _DOORS:
    app.command(name=_name, rich_help_panel="One statement each")(_command(_name, _call, _role))
