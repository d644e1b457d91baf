"""``masklet studio``: click, track, label and export in the browser."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import Annotated

import typer

from masklet.cli.console import say
from masklet.cli.options import DeviceOption, JsonOption, ModelOption
from masklet.cli.text_options import DetectorOption


def studio(
    media: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="MEDIA...", help="Images and videos to open, or the folder of one run of masklet label."
        ),
    ] = None,
    *,
    port: Annotated[
        int | None,
        typer.Option(
            "--port", metavar="N", min=1, max=65535, help="Port; the first free one from 8427 if left out."
        ),
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open the browser.")] = False,
    listen: Annotated[
        str,
        typer.Option(
            "--listen",
            metavar="ADDRESS",
            help="Address to listen on; beyond this machine needs MASKLET_TOKEN.",
        ),
    ] = "127.0.0.1",
    model: ModelOption = "compact",
    device: DeviceOption = "auto",
    detector: DetectorOption = "embedded",
    json: JsonOption = False,
) -> None:
    """Open the studio in the browser; Ctrl-C ends it, and everything is saved."""
    from masklet.studio.security import is_loopback
    from masklet.studio.settings import DEFAULT_PORT, StudioSettings, default_home, given_token

    token = given_token()
    if not is_loopback(listen) and token is None:
        raise typer.BadParameter(
            f"{listen} is not this machine alone; choose a token of at least 22 characters in MASKLET_TOKEN first.",
            param_hint="--listen",
        )
    from masklet.studio.page import is_built
    from masklet.studio.serve import Launch, serve

    settings = StudioSettings(
        home=default_home(),
        host=listen,
        port=DEFAULT_PORT if port is None else port,
        model=model,
        device=device,
        detector=detector,
    )
    launch = Launch(
        media=media or [],
        is_port_fixed=port is not None,
        is_browser_opened=not no_browser,
        token=token,
    )

    def show(url: str) -> None:
        if not is_built():
            say(
                "The page has not been built; run `make web` in the checkout (it needs Node) and start again."
            )
        if not is_loopback(listen):
            say(
                "Everyone on the network can see the token, because this is plain http; use a proxy with TLS."
            )
        typer.echo(
            json_text.dumps({"url": url, "home": str(settings.home)}) if json else f"masklet studio: {url}"
        )

    serve(settings, launch, on_ready=show)
