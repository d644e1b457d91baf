"""Kinds of pages: each is a function that lays out parts with words of a language and photographs."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import parts
from parts import button, card, choice, field, icon, image, round_button, row, search_field, text, title
from words import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who lays out a page: the language, the photographs at hand, and chance.

    Attributes:
        language: Of all words.
        photos: Addresses of photographs, one after the other without end.
        rng: Chance.
    """

    language: Language
    photos: Iterator[str]
    rng: random.Random

    def say(self, key: str) -> str:
        """A word or sentence."""
        return self.language.words[key]

    def photo(self, shape: str = "wide") -> str:
        """The next photograph."""
        return image(next(self.photos), shape=shape)

    def sign(self, size: int = 22) -> str:
        """Some icon."""
        return icon(self.rng.choice(parts.ICONS), size=size, is_filled=self.rng.random() < 0.4)

    def headline(self) -> str:
        """Some headline."""
        return self.say(self.rng.choice(("title_1", "title_2", "title_3")))

    def sentence(self) -> str:
        """Some sentence."""
        return self.say(self.rng.choice(("text_1", "text_2", "message_1", "message_2")))

    def price(self) -> str:
        """Some price."""
        return f"{self.rng.randint(3, 190)}.{self.rng.choice(('00', '50', '90'))}"


def _bar(author: Author, name: str) -> str:
    return row(
        round_button("menu", look="bare"),
        f"<strong>{name}</strong>",
        search_field(author.say("search")),
        round_button("bell", look="bare"),
        author.photo("round"),
        extra="bar",
    )


def shop(author: Author) -> str:
    """Goods in a grid."""
    goods = [
        card(
            author.photo(),
            title(author.headline(), 3),
            row(
                f"<b>{author.price()} €</b>",
                icon("heart", is_filled=author.rng.random() < 0.5),
                extra="apart",
            ),
            button(author.say("buy"), sign="plus" if author.rng.random() < 0.5 else "", is_wide=True),
        )
        for _ in range(author.rng.choice((6, 8, 9)))
    ]
    return f'{_bar(author, author.say("cart"))}<main><div class="grid">{"".join(goods)}</div></main>'


def sign_in(author: Author) -> str:
    """A form beside a picture."""
    form = card(
        title(author.say("welcome"), 1),
        text(author.say("text_2"), is_faint=True),
        field(author.say("email"), sign="mail", kind="email"),
        field(author.say("password"), "12345678", kind="password"),
        button(author.say("sign_in"), is_wide=True),
        button(author.say("sign_up"), look="soft", is_wide=True),
        row(*[round_button(one) for one in author.rng.sample(parts.ICONS, 3)], extra="centred"),
        extra="form",
    )
    return f'<main class="split">{form}<div class="side">{author.photo("tall")}</div></main>'


def dashboard(author: Author) -> str:
    """Numbers, a chart and a table beside a menu."""
    keys = ("orders", "customers", "revenue", "messages")
    menu = "".join(
        f'<a class="entry">{icon(sign)}<span>{author.say(key)}</span></a>'
        for sign, key in zip(author.rng.sample(parts.ICONS, 4), keys, strict=True)
    )
    figures = [
        card(
            row(text(author.say(key), is_faint=True), author.sign(20), extra="apart"),
            f"<h2>{author.rng.randint(12, 9800):,}</h2>",
        )
        for key in keys
    ]
    heights = [author.rng.randint(12, 100) for _ in range(12)]
    chart = "".join(f'<i style="height:{height}%"></i>' for height in heights)
    people = [
        row(
            author.photo("round"),
            text(author.headline()),
            button(author.say("send"), look="soft"),
            extra="apart",
        )
        for _ in range(4)
    ]
    wide = card(title(author.say("revenue"), 3), f'<div class="chart">{chart}</div>')
    listing = card(title(author.say("customers"), 3), *people)
    body = f'<div class="grid narrow">{"".join(figures)}</div><div class="halves">{wide}{listing}</div>'
    return f'{_bar(author, author.say("today"))}<div class="with-menu"><nav class="menu">{menu}</nav><main>{body}</main></div>'


def mail(author: Author) -> str:
    """Letters in a list."""
    letters = [
        f'<div class="letter">{author.photo("round")}<div><strong>{author.headline()}</strong>'
        f"{text(author.sentence(), is_faint=True)}</div>{author.sign(18)}</div>"
        for _ in range(8)
    ]
    head = row(
        title(author.say("messages"), 1),
        button(author.say("new"), sign="plus"),
        round_button("trash"),
        extra="apart",
    )
    return f"{_bar(author, author.say('messages'))}<main>{head}{''.join(letters)}</main>"


def settings(author: Author) -> str:
    """Fields and choices."""
    person = card(
        row(author.photo("round"), title(author.say("settings"), 2)),
        field(author.say("name"), author.say("title_3")),
        field(author.say("email"), "a@example.org", sign="mail"),
        row(field(author.say("city")), field(author.say("address"), sign="pin"), extra="even"),
    )
    more = card(
        title(author.say("language"), 3),
        choice(author.say("language"), [author.say("language"), author.say("title_1")]),
        field(author.say("calendar"), "2031-05-14", sign="clock"),
        row(
            button(author.say("save"), sign="check"),
            button(author.say("cancel"), look="soft"),
            button(author.say("delete"), look="bare", sign="trash"),
        ),
    )
    return f'{_bar(author, author.say("settings"))}<main class="halves">{person}{more}</main>'


def gallery(author: Author) -> str:
    """Photographs of several shapes."""
    shapes = ("wide", "square", "tall")
    photos = "".join(author.photo(author.rng.choice(shapes)) for _ in range(9))
    head = row(
        title(author.say("photos"), 1), button(author.say("share"), sign="share", look="soft"), extra="apart"
    )
    return f'{_bar(author, author.say("photos"))}<main>{head}<div class="wall">{photos}</div></main>'


def chat(author: Author) -> str:
    """Talk in bubbles."""
    bubbles = "".join(
        f'<div class="bubble {side}" data-kind="card">{text(author.sentence())}</div>'
        for side in author.rng.choices(("mine", "theirs"), k=6)
    )
    writer = row(
        round_button("camera", look="bare"),
        search_field(author.say("message_1")),
        button(author.say("send"), sign="play"),
        extra="writer",
    )
    return f'{_bar(author, author.say("messages"))}<main class="talk">{bubbles}{author.photo("wide small")}</main>{writer}'


def article(author: Author) -> str:
    """A long read."""
    body = "".join(text(f"{author.say('text_1')} {author.say('text_2')}") for _ in range(3))
    tools = row(
        *[round_button(one) for one in author.rng.sample(parts.ICONS, 4)], button(author.say("download"))
    )
    letter = card(
        title(author.say("new"), 3),
        row(field(author.say("email"), sign="mail"), button(author.say("next")), extra="low"),
    )
    return (
        f'{_bar(author, author.say("title_1"))}<main class="read">{title(author.headline(), 1)}{author.photo("wide")}'
        f"{tools}{body}{letter}</main>"
    )


def player(author: Author) -> str:
    """Music."""
    songs = [
        row(author.photo("square tiny"), text(author.headline()), icon("heart"), icon("plus"), extra="song")
        for _ in range(5)
    ]
    controls = row(
        round_button("share", look="bare"),
        round_button("play", size=64, look="main"),
        round_button("star", look="bare"),
        extra="centred",
    )
    now = card(author.photo("square"), title(author.headline(), 2), controls, extra="now")
    return f'{_bar(author, author.say("music"))}<main class="halves">{now}<div>{"".join(songs)}</div></main>'


LAYOUTS: Mapping[str, Callable[[Author], str]] = {
    "shop": shop,
    "sign_in": sign_in,
    "dashboard": dashboard,
    "mail": mail,
    "settings": settings,
    "gallery": gallery,
    "chat": chat,
    "article": article,
    "player": player,
}


def overlay(author: Author, kind: str) -> str:
    """What lies over a page: a dialog, cookies, a menu or a toast; nothing for any other kind."""
    if kind == "dialog":
        inside = card(
            row(title(author.say("delete"), 2), round_button("close", size=36, look="bare"), extra="apart"),
            text(author.say("text_1")),
            row(
                button(author.say("cancel"), look="soft"),
                button(author.say("delete"), sign="trash"),
                extra="end",
            ),
        )
        return f'<div class="scrim"></div><div class="dialog">{inside}</div>'
    if kind == "cookies":
        inside = row(text(author.say("cookies")), button(author.say("agree")), extra="apart")
        return f'<div class="cookies">{card(inside)}</div>'
    if kind == "menu":
        lines = "".join(
            f'<a class="entry">{icon(sign, size=18)}<span>{author.say(key)}</span></a>'
            for sign, key in zip(("share", "mail", "trash"), ("share", "send", "delete"), strict=True)
        )
        return f'<div class="popup">{card(lines)}</div>'
    if kind == "toast":
        return f'<div class="toast">{card(row(icon("check"), text(author.say("message_2"))))}</div>'
    return ""


OVERLAYS = ("none", "none", "dialog", "cookies", "menu", "toast")
