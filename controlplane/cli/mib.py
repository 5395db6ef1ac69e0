"""`chm mib`: modules for the exporter from MIB files."""

from pathlib import Path
from typing import Annotated

import typer

from controlplane.errors import Invalid
from controlplane.mibs import compiler
from controlplane.mibs.compiler import Wishes

app = typer.Typer(help="MIBs of vendors.", no_args_is_help=True)


@app.command("compile")
def compile_module(
    objects: Annotated[list[str], typer.Argument(help="Tables, columns, groups: [MIB::]name.")],
    *,
    name: Annotated[str, typer.Option(help="What the module is called.")],
    mibs: Annotated[list[Path], typer.Option(help="A folder with MIB files; repeatable.")],
    lookup: Annotated[
        list[str] | None,
        typer.Option(metavar="INDEX=COLUMN", help="A column that names rows; repeatable."),
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="OBJECT=TYPE", help="Such as ifType=EnumAsInfo."),
    ] = None,
    drop: Annotated[
        list[str] | None,
        typer.Option(metavar="INDEX", help="An index that shall be no label; repeatable."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="A file; else standard output.")] = None,
) -> None:
    """Write a module in the format of snmp.yml, which the exporter reads with --config.file."""
    wishes = Wishes(
        name,
        tuple(objects),
        tuple(_pair(text) for text in lookup or []),
        dict(_pair(text) for text in kind or []),
        tuple(drop or []),
    )
    compiled = compiler.compile(mibs, wishes)
    for note in compiled.notes:
        typer.echo(note, err=True)
    if out is None:
        typer.echo(compiled.text, nl=False)
    else:
        out.write_text(compiled.text, encoding="utf-8")


def _pair(text: str) -> tuple[str, str]:
    left, _, right = text.partition("=")
    if not left or not right:
        raise Invalid(f"{text!r} is not written as NAME=NAME")
    return left, right
