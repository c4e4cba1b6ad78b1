"""Forms, the API and rights: what is sent on, what is refused, and who sees whom."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from dashboards.page import create_app
from dashboards.page._access import PAIRING_S, Access, AccessRefused, Role, TooManyTries, Viewer
from sagittal.messages import Command
from sagittal.results import Event
from sagittal.settings import Settings, Wearer
from sagittal.units import NS_PER_S
from tests.page.conftest import Served
from tests.page.fakes import NOW_NS, VERSION, MemoryLive, MemoryReader, a_day, posture

DAY = {"start": "2026-11-24T00:00:00+01:00", "end": "2026-11-25T00:00:00+01:00"}


def wishes(page: Served) -> list[tuple[str, dict[str, Any]]]:
    found = [Command.model_validate_json(payload) for _topic, payload in page.live.sent]
    return [(command.verb, command.values) for command in found]


@pytest.mark.parametrize(
    ("verb", "form", "values"),
    [
        ("diary", {"pain_back": "4"}, {"pain_back": 4}),
        ("diary", {"note": " stiff ", "tags": ["rest", "heat"]}, {"note": "stiff", "tags": ["rest", "heat"]}),
        ("mode", {"mode": "train"}, {"mode": "train"}),
        ("snooze", {"minutes": "30"}, {"minutes": 30}),
        ("nudge", {"nudge_ns": "123"}, {"wrong": True, "nudge_ns": 123}),
        ("exercise", {"name": "walk", "start": "true"}, {"name": "walk", "start": True}),
        ("remind", {"at": "10:30", "text": " Dr C: tilt "}, {"at": "10:30", "text": "Dr C: tilt"}),
        ("remind", {"remove": "abc"}, {"remove": "abc"}),
        ("calibrate", {}, {"method": "stand"}),
    ],
)
def test_a_form_becomes_a_wish(page: Served, verb: str, form: dict[str, Any], values: dict[str, Any]) -> None:
    answer = httpx.post(f"{page.url}/w/w1/wish/{verb}", data=form, headers={"origin": page.url})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/w/w1?sent={verb}")
    assert wishes(page) == [(verb, values)]


@pytest.mark.parametrize(
    ("verb", "form"),
    [
        ("diary", {}),
        ("diary", {"pain_back": "11"}),
        ("diary", {"pain_back": "-1"}),
        ("diary", {"pain_back": "nan"}),
        ("diary", {"note": "x" * 501}),
        ("diary", {"tags": ["a\x00b"]}),
        ("mode", {"mode": "shout"}),
        ("snooze", {"minutes": "0"}),
        ("nudge", {"nudge_ns": "9" * 30}),
        ("exercise", {"name": "headstand", "start": "true"}),
        ("calibrate", {"other": "1"}),
        ("mode", {}),
        ("mode", {"delay_s": "1"}),
        ("mode", {"quiet_start": "25:00"}),
        ("remind", {"at": "10:30"}),
        ("remind", {"at": "10:30", "text": "x", "remove": "y"}),
        ("remind", {"at": "10:30", "text": "x" * 201}),
        ("unknown", {}),
    ],
)
def test_a_form_that_makes_no_sense_is_refused(page: Served, verb: str, form: dict[str, Any]) -> None:
    answer = httpx.post(f"{page.url}/w/w1/wish/{verb}", data=form, headers={"origin": page.url})
    assert answer.status_code in (404, 422)
    assert page.live.sent == []


def note(at_ns: int, **marks: float | None) -> Event:
    return Event(t_ns=at_ns, event="diary", key=str(at_ns), values=dict(marks), text="garden", version=VERSION)


def test_the_diary_and_what_came_before_are_shown_as_a_description(page: Served) -> None:
    page.reader.add("w1", note(NOW_NS - 60 * NS_PER_S, pain_back=6.0))
    assert "Back 6 · garden" in httpx.get(f"{page.url}/w/w1").text
    html = httpx.get(f"{page.url}/w/w1/diary").text
    assert "Back 6 · garden" in html
    assert "Marks of 5 or more: 1. The half hours before them (29 worn minutes)" in html
    assert "not a cause" in html
    assert re.search(r"Sitting</th><td>9\d %</td><td>6\d %</td>", html)


def test_too_little_before_a_mark_is_not_compared(page: Served) -> None:
    page.reader.add("w1", note(NOW_NS - 8 * 3600 * NS_PER_S, pain_back=9.0))
    html = httpx.get(f"{page.url}/w/w1/diary").text
    assert "too little to compare" in html
    assert "<tbody>" not in html


def test_without_high_marks_nothing_is_compared(page: Served) -> None:
    page.reader.add("w1", note(NOW_NS, pain_knee_left=2.0))
    assert "nothing to compare" in httpx.get(f"{page.url}/w/w1/diary").text


def test_an_empty_field_of_the_choices_takes_a_choice_back(page: Served) -> None:
    form = {"choices": "1", "delay_s": "90", "threshold_deg": "", "per_hour": "3", "quiet_start": "22:00"}
    form |= {"quiet_end": "07:30", "break_after_min": ""}
    answer = httpx.post(f"{page.url}/w/w1/wish/mode", data=form, headers={"origin": page.url})
    assert answer.status_code == 303
    chosen = {"delay_s": 90.0, "threshold_deg": "own", "per_hour": 3, "quiet_start": "22:00", "quiet_end": "07:30"}
    assert wishes(page) == [("mode", chosen | {"break_after_min": "off"})]


def test_what_holds_is_shown_from_the_newest_word_on_it(page: Served) -> None:
    values: dict[str, float | None] = {"delay_s": 90.0, "per_hour": 3.0, "quiet_start_h": 22.5, "quiet_end_h": 7.0}
    page.reader.add("w1", Event(t_ns=NOW_NS, event="mode", values=values, tags=["train"], version=VERSION))
    kept = Event(
        t_ns=NOW_NS, event="reminder_set", key="r1", text="Dr C: tilt", values={"at_min": 630.0}, version=VERSION
    )
    page.reader.add("w1", kept, replace(kept, t_ns=NOW_NS + 1, key="r2", tags=["removed"]))
    html = httpx.get(f"{page.url}/w/w1").text
    assert "After 1 min held, at most 3 an hour, quiet from 22:30 to 07:00." in html
    assert "<time>10:30</time> Dr C: tilt" in html
    assert "r2" not in html


def test_a_session_says_what_was_counted(page: Served) -> None:
    def session(at_s: int, tag: str, **values: float | None) -> Event:
        t_ns, key = NOW_NS + at_s * NS_PER_S, str(at_s)
        tags = ["sit_to_stand", tag]
        lasts = 60.0 if tag == "stop" else 0.0
        return Event(
            t_ns=t_ns, event="exercise", key=key, tags=tags, duration_s=lasts, values=dict(values), version=VERSION
        )

    page.reader.add("w1", session(-90, "start"), session(-30, "stop", sit_to_stands=8.0, bends=2.0))
    page.reader.add("w1", session(-5, "start"))
    html = httpx.get(f"{page.url}/w/w1").text
    assert "today 1 ×, 1 min, 8 times up · running since 14:26" in html


def test_a_nudge_may_be_called_wrong_until_it_was(page: Served) -> None:
    nudge = Event(t_ns=NOW_NS - 60 * NS_PER_S, event="nudge", text="Sitting slouched.", version=VERSION)
    page.reader.add("w1", nudge)
    asked = f'name="nudge_ns" value="{nudge.t_ns}"'
    assert asked in httpx.get(f"{page.url}/w/w1").text
    page.reader.add("w1", Event(t_ns=NOW_NS, event="nudge_wrong", version=VERSION))
    time.sleep(4.1)
    html = httpx.get(f"{page.url}/w/w1").text
    assert asked not in html
    assert "the limit is a little wider now" in html


def test_the_api_gives_what_is_stored(page: Served) -> None:
    api = f"{page.url}/api/v1/wearers"
    assert httpx.get(api).json()["wearers"] == ["w1"]
    now = httpx.get(f"{api}/w1/now").json()
    assert (now["posture"]["posture"], now["age_s"]) == ("sitting", 0.0)
    walks = httpx.get(f"{api}/w1/walks", params=DAY).json()
    assert (len(walks["items"]), walks["next_ns"]) == (4, None)
    assert httpx.get(f"{api}/w1/days", params=DAY).json()["items"][0]["date"] == "2026-11-24"


def test_a_program_follows_live(page: Served) -> None:
    with httpx.Client(timeout=10) as client, client.stream("GET", f"{page.url}/api/v1/wearers/w1/live") as answer:
        lines = answer.iter_lines()
        next(lines)
        page.live.result("w1", posture(NOW_NS))
        event = next(line for line in lines if line.startswith("event:"))
        assert (event, json.loads(next(lines).removeprefix("data: "))["posture"]) == ("event: posture", "sitting")


def test_every_refusal_is_declared(page: Served) -> None:
    schema = httpx.get(f"{page.url}/api/v1/openapi.json").json()
    for path, methods in schema["paths"].items():
        for method, about in methods.items():
            assert {"400", "401", "404", "422", "503"} <= about["responses"].keys(), (path, method)
            assert "403" in about["responses"] or method == "get", path


def test_pages_of_a_list_join_without_loss_or_repetition(page: Served) -> None:
    url = f"{page.url}/api/v1/wearers/w1/minutes"
    whole = httpx.get(url, params=DAY | {"limit": 5000}).json()["items"]
    joined: list[Any] = []
    query: dict[str, Any] = DAY | {"limit": 97}
    while True:
        some = httpx.get(url, params=query).json()
        joined += some["items"]
        if some["next_ns"] is None:
            break
        query["from_ns"] = some["next_ns"]
    assert joined == whole
    assert len(whole) > 800


def test_a_wish_by_the_api_needs_the_same_site_or_a_token(page: Served) -> None:
    url = f"{page.url}/api/v1/wearers/w1/wishes/snooze"
    assert httpx.post(url, json={"minutes": 5}).status_code == 403
    bad = {"authorization": "Bearer wrong"}
    assert httpx.post(url, json={"minutes": 5}, headers=bad).status_code == 401
    assert httpx.post(url, json={"minutes": 5}, headers={"origin": page.url}).status_code == 202
    assert wishes(page) == [("snooze", {"minutes": 5})]


@dataclass
class Guarded:
    """A page with log-in, two wearers, and their book of access."""

    url: str
    access: Access
    live: MemoryLive
    app: Any


@pytest.fixture
def guarded(tmp_path: Path, serve_app: Callable[[Any], str]) -> Guarded:
    settings = Settings(data_dir=tmp_path, wearers=[Wearer(id="w1"), Wearer(id="w2")])
    reader, live = MemoryReader(), MemoryLive()
    a_day(reader, "w1")
    a_day(reader, "w2")
    app = create_app(lambda: reader, live, settings, now_ns=lambda: NOW_NS, log_in=True)
    access = app.state.page.access
    access.add_actor("anna", Role.WEARER, "w1", "correct horse")
    access.add_actor("ben", Role.WEARER, "w2", "battery staple")
    access.add_actor("dr-c", Role.CLINICIAN, None, "and a third")
    access.add_actor("prog", Role.PROGRAM, "w1")
    return Guarded(serve_app(app), access, live, app)


PLACES = (
    "/w/{w}",
    "/w/{w}?day=2026-11-24",
    "/w/{w}/days",
    "/w/{w}/rights",
    "/w/{w}/live",
    "/api/v1/wearers/{w}/now",
    "/api/v1/wearers/{w}/devices",
    "/api/v1/wearers/{w}/rights",
    "/api/v1/wearers/{w}/live",
    "/api/v1/wearers/{w}/export/fhir?start=2026-11-24T00:00:00Z&end=2026-11-25T00:00:00Z",
    "/api/v1/wearers/{w}/export/ieee1752?start=2026-11-24T00:00:00Z&end=2026-11-25T00:00:00Z",
    *(
        f"/api/v1/wearers/{{w}}/{kind}?start=2026-11-24T00:00:00Z&end=2026-11-25T00:00:00Z"
        for kind in ("posture", "minutes", "days", "walks", "events", "gaps")
    ),
)


def status(url: str, **headers: str) -> int:
    with httpx.Client(headers=headers) as client, client.stream("GET", url) as answer:
        return answer.status_code


def test_two_wearers_cannot_see_each_other(guarded: Guarded) -> None:
    anna = {"authorization": f"Bearer {guarded.access.token('anna')}"}
    cookie = {"cookie": f"sagittal={guarded.access.open_session('anna')}"}
    refused = 0
    for place in PLACES:
        for shown in (anna, cookie):
            assert status(guarded.url + place.format(w="w1"), **shown) == 200, place
            assert status(guarded.url + place.format(w="w2"), **shown) == 404, place
            refused += 1
        assert status(guarded.url + place.format(w="w1")) == 401, place
        assert status(guarded.url + place.format(w="w1"), authorization="Bearer wrong") == 401, place
    for verb in ("diary", "calibrate", "snooze"):
        body = {"note": "x"} if verb == "diary" else {}
        url = f"{guarded.url}/api/v1/wearers/w2/wishes/{verb}"
        assert httpx.post(url, json=body, headers=anna).status_code == 404
        refused += 1
    assert guarded.live.sent == []
    assert httpx.get(f"{guarded.url}/api/v1/wearers", headers=anna).json()["wearers"] == ["w1"]
    rows = [row for row in guarded.access.audit("w2") if row.outcome == "refused"]
    print(f"\nrefused attempts at w2, all recorded: {refused}")
    assert len(rows) == refused


def test_a_clinician_sees_who_agreed_for_as_long_as_it_holds_and_changes_nothing(guarded: Guarded) -> None:
    token = {"authorization": f"Bearer {guarded.access.token('dr-c')}"}
    assert status(f"{guarded.url}/w/w1", **token) == 404
    guarded.access.give_consent("w1", "dr-c", "consent-1")
    assert status(f"{guarded.url}/w/w1", **token) == 200
    assert status(f"{guarded.url}/w/w2", **token) == 404
    wish = httpx.post(f"{guarded.url}/api/v1/wearers/w1/wishes/snooze", json={}, headers=token)
    assert wish.status_code == 403
    guarded.access.withdraw_consent("w1", "dr-c")
    assert status(f"{guarded.url}/w/w1", **token) == 404
    [consent] = guarded.access.consents("w1")
    assert consent.withdrawn is not None


async def test_an_open_stream_ends_when_consent_is_withdrawn(guarded: Guarded) -> None:
    guarded.access.give_consent("w1", "dr-c", "consent-1")
    headers = {"authorization": f"Bearer {guarded.access.token('dr-c')}"}
    async with (
        httpx.AsyncClient(timeout=20) as client,
        client.stream("GET", f"{guarded.url}/w/w1/live", headers=headers) as s,
    ):
        lines = s.aiter_lines()
        await anext(lines)
        await asyncio.to_thread(guarded.access.withdraw_consent, "w1", "dr-c")
        async for _line in lines:
            pass


def test_a_wearer_gives_and_takes_back_consent_on_the_page(guarded: Guarded) -> None:
    anna = {"cookie": f"sagittal={guarded.access.open_session('anna')}", "origin": guarded.url}
    with httpx.Client(base_url=guarded.url, headers=anna) as client:
        assert client.post("/w/w1/consent/give", data={"actor": "dr-c"}).status_code == 303
        assert "Take back" in client.get("/w/w1/rights").text
        assert client.post("/w/w1/consent/give", data={"actor": "ben"}).status_code == 422
        assert client.post("/w/w2/consent/give", data={"actor": "dr-c"}).status_code == 404
        clinician = Viewer("dr-c", Role.CLINICIAN)
        assert guarded.access.may_see(clinician, "w1")
        assert client.post("/w/w1/consent/withdraw", data={"actor": "dr-c"}).status_code == 303
        assert not guarded.access.may_see(clinician, "w1")


def test_logging_in_and_out(guarded: Guarded) -> None:
    with httpx.Client(base_url=guarded.url, headers={"origin": guarded.url}) as client:
        assert client.get("/").status_code == 401
        assert client.post("/login", data={"name": "anna", "password": "wrong"}).status_code == 401
        answer = client.post("/login", data={"name": "anna", "password": "correct horse"})
        assert answer.status_code == 303
        assert "HttpOnly" in answer.headers["set-cookie"]
        assert "SameSite=strict" in answer.headers["set-cookie"]
        assert client.get("/w/w1").status_code == 200
        session = client.cookies["sagittal"]
        assert client.post("/logout").status_code == 303
        assert status(f"{guarded.url}/w/w1", cookie=f"sagittal={session}") == 401


def test_a_pairing_code_opens_once(guarded: Guarded) -> None:
    code = guarded.access.pairing_code("anna")
    origin = {"origin": guarded.url}
    assert httpx.post(f"{guarded.url}/pair", data={"code": code}, headers=origin).status_code == 303
    assert httpx.post(f"{guarded.url}/pair", data={"code": code}, headers=origin).status_code == 401


def test_log_ins_are_rate_limited_before_hashing(guarded: Guarded) -> None:
    origin = {"origin": guarded.url}
    answers = [httpx.post(f"{guarded.url}/pair", data={"code": "guess"}, headers=origin).status_code for _ in range(12)]
    assert answers == [401] * 10 + [429] * 2
    right = {"name": "anna", "password": "correct horse"}
    assert httpx.post(f"{guarded.url}/login", data=right, headers=origin).status_code == 429


def test_what_expires_opens_nothing(tmp_path: Path) -> None:
    now = [1e9]
    access = Access(tmp_path / "access.sqlite", clock=lambda: now[0])
    access.add_actor("anna", Role.WEARER, "w1", "pw")
    code, token, session = access.pairing_code("anna"), access.token("anna"), access.open_session("anna")
    assert access.viewer(token, "token") is not None
    assert access.viewer(token, "session") is None
    now[0] += PAIRING_S + 1
    with pytest.raises(AccessRefused):
        access.pair(code, "here")
    now[0] += 31 * 86_400
    assert access.viewer(session, "session") is None
    now[0] += 400 * 86_400
    assert access.viewer(token, "token") is None
    stored = (tmp_path / "access.sqlite").read_bytes()
    access.close()
    assert not any(secret.encode() in stored for secret in (code, token, session, "pw"))


def test_erasing_a_wearer_takes_rights_and_secrets(tmp_path: Path) -> None:
    access = Access(tmp_path / "access.sqlite")
    access.add_actor("anna", Role.WEARER, "w1", "pw")
    access.add_actor("dr-c", Role.CLINICIAN, None)
    access.give_consent("w1", "dr-c", "consent-1")
    token = access.token("anna")
    access.erase("w1")
    assert access.viewer(token, "token") is None
    assert access.consents("w1") == []
    assert not access.may_see(access.viewer(access.token("dr-c"), "token"), "w1")  # type: ignore[arg-type]
    access.close()


def test_the_book_is_for_its_owner_only(tmp_path: Path) -> None:
    Access(tmp_path / "access.sqlite").close()
    assert (tmp_path / "access.sqlite").stat().st_mode & 0o077 == 0
    assert issubclass(TooManyTries, AccessRefused)
