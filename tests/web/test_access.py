"""Who may look, who may change something, and who meant it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

import pytest

from control_port import HOSTILE
from seatrial.registry import tokens
from seatrial.registry.tokens import Role
from seatrial.web import body
from seatrial.web.access import sessions
from seatrial.web.drawing import is_ours

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from control_port import Site
    from visiting import Browser

EVERYWHERE = str(IPv4Address(0))
REASON = {"reason": "because"}
NAVIGATES = {
    "Sec-Fetch-Site": "cross-site",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
}


def ours(browser: Browser) -> str:
    """The text of the session's cookie."""
    return next(v for k, v in browser.cookies.items() if k.startswith(sessions.COOKIE))


def changes(browser: Browser, word: str | None = None, **headers: str | None) -> int:
    """The status of a form that changes something."""
    fields = REASON if word is None else {**REASON, "csrf": word}
    return browser.post("/change", fields, headers=headers).status_code


class TestLooking:
    def test_on_this_machine_needs_nothing(self, site: Site) -> None:
        assert site.browser().get("/look").text.startswith("anybody looks at")

    @pytest.mark.parametrize(
        ("host", "names"), [("10.0.0.7", ()), (EVERYWHERE, ()), ("127.0.0.1", ("ml.example.com",))]
    )
    def test_from_elsewhere_needs_a_token(
        self, site: Site, host: str, names: tuple[str, ...]
    ) -> None:
        browser = site.browser(host, *names, base="http://127.0.0.1:8081")
        answer = browser.get("/look?a=1")
        assert answer.status_code == 303
        assert answer.headers["location"] == "/login?next=%2Flook%3Fa%3D1"
        refused = browser.get("/api/v1/look")
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Bearer")
        assert "token" in refused.json()["error"]
        browser.log_in(site.token(role=Role.VIEWER))
        assert browser.get("/look").text.startswith("anna looks")

    def test_through_a_proxy_that_nobody_told_of_needs_a_token(self, site: Site) -> None:
        forwarded = site.browser().get("/look", headers={"X-Forwarded-For": "203.0.113.9"})
        assert forwarded.status_code == 303

    def test_files_of_the_login_are_everybodys(self, site: Site) -> None:
        browser = site.browser("10.0.0.7")
        page = browser.get("/login")
        assert page.status_code == 200
        style = page.text.partition('rel="stylesheet" href="')[2].partition('"')[0]
        answer = browser.get(style)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"

    def test_a_wrong_token_is_told_even_where_none_is_needed(self, site: Site) -> None:
        for shown in ("Bearer x", "Basic YTpi", f"Bearer {site.token()[:-4]}aaaa"):
            answer = site.browser().get("/api/v1/look", headers={"Authorization": shown})
            assert answer.status_code == 401, shown


class TestChanging:
    def test_needs_a_login_on_this_machine_too(self, site: Site) -> None:
        browser = site.browser()
        answer = browser.post("/change", REASON)
        assert answer.status_code == 401
        assert 'href="/login"' in answer.text
        assert browser.ask("POST", "/api/v1/change").status_code == 401

    def test_is_done_in_the_name_of_the_token(self, site: Site) -> None:
        browser = site.browser()
        assert browser.log_in(site.token(), "/look").headers["location"] == "/look"
        answer = browser.post("/change", {**REASON, "csrf": browser.word()})
        assert answer.status_code == 303
        shown = browser.get("/login").text
        assert "anna: because" in shown
        assert "anna: because" not in browser.get("/login").text  # once

    def test_a_viewer_changes_nothing(self, site: Site) -> None:
        browser, text = site.browser(), site.token(role=Role.VIEWER)
        browser.log_in(text)
        assert changes(browser, browser.word()) == 403
        shown = {"Authorization": f"Bearer {text}"}
        answer = browser.ask("DELETE", "/api/v1/change", headers=shown)
        assert answer.status_code == 403
        assert "viewer" in answer.json()["error"]

    def test_a_program_shows_its_token_and_needs_nothing_else(self, site: Site) -> None:
        shown = {"Authorization": f"Bearer {site.token()}"}
        answer = site.browser().ask("POST", "/api/v1/change", headers=shown)
        assert answer.text == "anna did it"

    def test_what_no_page_answers_is_refused_before_it_is_looked_for(self, site: Site) -> None:
        assert site.browser().ask("PUT", "/look").status_code == 401
        assert site.browser().ask("POST", "/nowhere").status_code == 401


class TestMeaningIt:
    def test_a_form_without_the_word_of_the_session_is_refused(self, site: Site) -> None:
        browser, other = site.browser(), site.browser()
        browser.log_in(site.token())
        other.log_in(site.token("bert"))
        assert changes(browser) == 403
        assert changes(browser, "0" * 64) == 403
        assert changes(browser, "ü") == 403
        assert changes(browser, other.word()) == 403
        assert changes(browser, browser.word()) == 303

    def test_a_script_sends_the_word_as_a_header(self, site: Site) -> None:
        browser = site.browser()
        browser.log_in(site.token())
        word = browser.word()
        assert browser.post("/api/v1/change").status_code == 403
        answer = browser.post("/api/v1/change", headers={"X-CSRF-Token": word})
        assert answer.text == "anna did it"

    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "https://evil.example", "Sec-Fetch-Site": None},
            {"Origin": "null", "Sec-Fetch-Site": None},
            {"Origin": "http://127.0.0.1:9999", "Sec-Fetch-Site": None},
            {"Origin": "file://127.0.0.1:8081", "Sec-Fetch-Site": None},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "none"},
            {"Origin": None, "Sec-Fetch-Site": None},
        ],
    )
    def test_a_form_of_another_site_is_refused(
        self, site: Site, headers: dict[str, str | None]
    ) -> None:
        browser, text = site.browser(), site.token()
        browser.log_in(text)
        assert changes(browser, browser.word(), **headers) == 403
        other = site.browser()  # nor may it log somebody in as somebody else
        answer = other.post("/login", {"token": text}, headers=headers)
        assert answer.status_code == 403
        assert not other.cookies
        out = {"csrf": browser.word()}
        assert browser.post("/logout", out, headers=headers).status_code == 403

    def test_behind_a_proxy_the_origin_is_the_name_that_was_said(self, site: Site) -> None:
        browser = site.browser("127.0.0.1", "ml.example.com", base="http://ml.example.com")
        through_tls = {"Origin": "https://ml.example.com"}
        answer = browser.post("/login", {"token": site.token()}, headers=through_tls)
        assert answer.status_code == 303


class TestHosts:
    @pytest.mark.parametrize("host", ["localhost:8081", "127.0.0.1:8081", "[::1]:8081"])
    def test_of_this_machine_are_known(self, site: Site, host: str) -> None:
        assert site.browser().get("/look", headers={"Host": host}).status_code == 200

    @pytest.mark.parametrize(
        "host",
        [
            "evil.example:8081",
            "evil.example",
            "localhost",
            "localhost:80",
            "localhost.evil.example:8081",
            "10.0.0.7:8081",
            "127.0.0.1:8081:8081",
            "[::1]evil:8081",
            "[::1%evil]:8081",
            "",
        ],
    )
    def test_of_others_are_refused_whatever_is_asked(self, site: Site, host: str) -> None:
        for path in ("/look", "/api/v1/look", "/login", "/static/x/style.css"):
            assert site.browser().get(path, headers={"Host": host}).status_code == 421

    def test_that_were_said_are_known(self, site: Site) -> None:
        browser = site.browser("127.0.0.1", "ml.example.com", "lab:9000")
        for host, status in (
            ("ml.example.com", 303),
            ("ML.example.com:8081", 303),
            ("ml.example.com:80", 421),
            ("lab:9000", 303),
            ("lab:8081", 421),
        ):
            assert browser.get("/look", headers={"Host": host}).status_code == status, host

    def test_that_are_numbers_are_known_where_others_reach_the_port(self, site: Site) -> None:
        browser = site.browser(EVERYWHERE)
        assert browser.get("/look", headers={"Host": "10.0.0.7:8081"}).status_code == 303
        assert browser.get("/look", headers={"Host": "evil.example:8081"}).status_code == 421


class TestSessions:
    def test_outlive_a_restart(self, site: Site) -> None:
        before, after = site.browser(), site.browser()
        before.log_in(site.token())
        word = before.word()
        after.cookies = before.cookies
        assert changes(after, word) == 303

    def test_cookie_is_for_this_site_alone(self, site: Site) -> None:
        text = site.token()
        said = site.browser().log_in(text).headers.get_list("set-cookie")[-1]
        assert {"HttpOnly", "SameSite=strict", "Path=/", "Max-Age=43200"} <= set(said.split("; "))
        assert "Secure" not in said
        assert text.rpartition("_")[2] not in said
        tls = {"X-Forwarded-Proto": "https"}
        answer = site.browser().post("/login", {"token": text}, headers=tls)
        assert all("Secure" in each for each in answer.headers.get_list("set-cookie"))

    def test_end_when_the_token_is_revoked(self, site: Site) -> None:
        browser, text = site.browser(), site.token()
        browser.log_in(text)
        word = browser.word()
        tokens.revoke(site.opened.ledger, text.split("_")[1], "root")
        assert changes(browser, word) == 401
        assert browser.get("/look").text.startswith("anybody looks")
        shown = {"Authorization": f"Bearer {text}"}
        assert browser.get("/api/v1/look", headers=shown).status_code == 401

    def test_end_when_the_token_expires(self, site: Site) -> None:
        browser = site.browser()
        browser.log_in(site.token(days=1))
        word = browser.word()
        for _ in range(2):
            site.moved += timedelta(hours=11)
            browser.get("/look")  # in use, so it is renewed
        assert changes(browser, word) == 303
        site.moved += timedelta(hours=3)
        assert changes(browser, word) == 401

    def test_end_when_they_are_not_used(self, site: Site) -> None:
        browser = site.browser()
        browser.log_in(site.token())
        word = browser.word()
        site.moved = timedelta(hours=12)
        assert changes(browser, word) == 401

    def test_are_renewed_while_they_are_used_for_a_week(self, site: Site) -> None:
        browser = site.browser()
        browser.log_in(site.token())
        word, first = browser.word(), ours(browser)
        browser.get("/look")
        assert ours(browser) == first
        for _ in range(15):
            site.moved += timedelta(hours=11)
            browser.get("/look")
        assert ours(browser) != first
        assert changes(browser, word) == 303
        site.moved = timedelta(days=7)
        assert changes(browser, word) == 401

    def test_end_by_logging_out_for_a_copy_of_the_cookie_too(self, site: Site) -> None:
        browser = site.browser()
        browser.log_in(site.token())
        word, copied = browser.word(), ours(browser)
        name = next(k for k in browser.cookies if k.startswith(sessions.COOKIE))
        site.moved = timedelta(hours=2)  # when any answer would renew it
        assert browser.post("/logout", {"csrf": word}).headers["location"] == "/login"
        assert not [k for k in browser.cookies if k.startswith(sessions.COOKIE)]
        browser.cookies.set(name, copied)
        assert changes(browser, word) == 401

    def test_of_before_ends_when_somebody_else_logs_in(self, site: Site) -> None:
        browser, copied = site.browser(), site.browser()
        browser.log_in(site.token())
        copied.app = browser.app
        copied.cookies.update(browser.cookies)
        browser.log_in(site.token("bert"))
        assert browser.get("/look").text.startswith("bert looks")
        assert copied.get("/look").text.startswith("anybody looks")

    @pytest.mark.parametrize("at", range(6))
    def test_cannot_be_made_up(self, site: Site, at: int) -> None:
        browser = site.browser()
        browser.log_in(site.token())
        name = next(k for k in browser.cookies if k.startswith(sessions.COOKIE))
        parts = ours(browser).split(".")
        parts[at] = {0: "2", 1: "a" * 8, 2: "1", 3: "9" * 12, 4: "0" * 32, 5: "0" * 64}[at]
        for text in (".".join(parts), "", ".", "ü", "1." * 400):
            other = site.browser()
            answer = other.get("/look", headers={b"Cookie": f"{name}={text}".encode()})
            assert answer.text.startswith("anybody looks")

    def test_link_of_another_site_finds_who_is_logged_in(self, site: Site) -> None:
        browser = site.browser("10.0.0.7")
        cookies_stay_behind = browser.get('/look?a="<b>', headers=NAVIGATES)
        assert cookies_stay_behind.status_code == 200
        assert "<b>" not in cookies_stay_behind.text
        there = cookies_stay_behind.text.partition("url=")[2].partition('"')[0]
        assert there.startswith("/enter?to=%2Flook%3Fa%3D")
        assert browser.get(there).headers["location"].startswith("/look?a=")
        browser.log_in(site.token())
        assert browser.get("/look", headers=NAVIGATES).text.startswith("anna looks")

    def test_leads_nowhere_else(self, site: Site) -> None:
        browser, text = site.browser(), site.token()
        for to in ("//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example"):
            assert not is_ours(to)
            assert browser.log_in(text, to).headers["location"] == "/"
            assert browser.get("/enter", params={"to": to}).headers["location"] == "/"


class TestFailing:
    def test_five_times_at_once_then_now_and_then(self, site: Site) -> None:
        browser, text = site.browser(), site.token()
        wrong = f"{text[:-4]}aaaa"
        assert [browser.log_in(wrong).status_code for _ in range(6)] == [401] * 5 + [429]
        shown = {"Authorization": f"Bearer {text}"}
        refused = browser.get("/api/v1/look", headers=shown)
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["retry-after"]) <= 3
        browser.client = ("127.0.0.2", 1)
        assert browser.get("/api/v1/look", headers=shown).status_code == 200

    def test_is_logged_without_the_token(self, site: Site) -> None:
        browser, text = site.browser(), site.token()
        wrong = f"{text[:-4]}aaaa"
        browser.log_in(wrong)
        browser.get("/api/v1/look", headers={"Authorization": f"Bearer {wrong}"})
        assert [each["how"] for each in site.log if each["event"] == "refused"] == [
            "login",
            "token",
        ]
        browser.log_in(text)
        assert text.rpartition("_")[2][:20] not in str(site.log)

    def test_says_what_is_wrong_and_shows_no_token(self, site: Site) -> None:
        answer = site.browser().log_in("seatrial_x_y")
        assert answer.status_code == 401
        assert "unknown, has expired or was revoked" in answer.text
        assert "seatrial_x_y" not in answer.text


class TestErrors:
    def test_are_pages_with_what_to_do(self, site: Site) -> None:
        answer = site.browser().get("/mistaken")
        assert answer.status_code == 400
        assert "there is no &lt;script&gt;" in answer.text
        assert HOSTILE not in answer.text
        for said in ("here", "nearest", "fix"):
            assert said in answer.text
        part = site.browser().get("/mistaken", headers={"HX-Request": "true"})
        assert part.status_code == 400
        assert "<html" not in part.text

    def test_are_json_for_programs(self, site: Site) -> None:
        answer = site.browser().get("/api/v1/mistaken")
        assert answer.status_code == 400
        assert answer.json()["error"] == f"there is no {HOSTILE}"
        assert site.browser().get("/api/v1/nowhere").json()["error"] == (
            "nothing is at /api/v1/nowhere"
        )

    def test_of_ours_show_no_traceback(self, site: Site) -> None:
        answer = site.browser().get("/broken")
        assert answer.status_code == 500
        assert "Traceback" not in answer.text
        assert HOSTILE not in answer.text
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert [each for each in site.log if each["event"] == "failed"]

    def test_of_the_ledger_say_nothing_of_it_to_who_was_not_let_in(self, site: Site) -> None:
        browser, text = site.browser("10.0.0.7"), site.token()
        site.opened.ledger.close()
        site.opened.workspace.ledger.unlink()
        answer = browser.get("/api/v1/look", headers={"Authorization": f"Bearer {text}"})
        assert answer.status_code == 503
        assert str(site.opened.workspace.folder) not in answer.text


class TestEveryAnswer:
    @pytest.mark.parametrize("path", ["/look", "/login", "/nowhere", "/mistaken", "/broken"])
    def test_has_its_headers(self, site: Site, path: str) -> None:
        headers = site.browser().get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cross-origin-opener-policy"] == "same-origin"

    def test_carries_no_style_or_script_of_its_own(self, site: Site) -> None:
        text = site.browser().get("/login").text
        assert "style=" not in text
        assert "<style" not in text
        assert text.count("<script") == text.count("<script src=")


class TestBodies:
    def test_too_long_are_refused(self, site: Site) -> None:
        shown = {"Authorization": f"Bearer {site.token()}"}
        answer = site.browser().ask(
            "POST", "/api/v1/change", headers=shown, content=b"x" * (1 << 20) + b"x"
        )
        assert answer.status_code == 413

    def test_that_never_end_are_dropped(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(body, "PATIENCE_S", 0.02)

        async def endless() -> AsyncIterator[bytes]:
            while True:
                yield b"x"
                await asyncio.sleep(0.01)

        answer = site.browser().ask("POST", "/api/v1/change", content=endless())
        assert answer.status_code == 408

    def test_of_another_kind_are_refused(self, site: Site) -> None:
        shown = {"Authorization": f"Bearer {site.token()}", "Content-Type": "multipart/form-data"}
        assert site.browser().ask("POST", "/change", headers=shown).status_code == 415
        shown["Content-Type"] = "application/x-www-form-urlencoded"
        for content in (b"reason=%ff", b"\xff", b"&".join([b"a=1"] * 1001)):
            answer = site.browser().ask("POST", "/change", headers=shown, content=content)
            assert answer.status_code == 400


class TestFiles:
    @pytest.mark.parametrize(
        "path",
        [
            "/static/0000000000000000/style.css",
            "/static/x/../../web.key",
            "/static/x/%2e%2e%2f%2e%2e%2fweb.key",
            "/static//etc/passwd",
            "/static/x/htmx.LICENSE",
        ],
    )
    def test_that_are_not_served_are_not_there(self, site: Site, path: str) -> None:
        assert site.browser().get(path).status_code == 404

    def test_come_compressed_to_who_takes_that(self, site: Site) -> None:
        browser = site.browser()
        page = browser.get("/login").text
        script = page.partition('<script src="')[2].partition('"')[0]
        packed = browser.get(script)
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.headers["vary"] == "Accept-Encoding"
        plain = browser.get(script, headers={"Accept-Encoding": "identity"})
        assert plain.content == packed.content
        assert "content-encoding" not in plain.headers
