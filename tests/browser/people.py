"""A person at a browser, by mouse or by keyboard, with or without scripts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, Response

PATIENCE_MS = 30_000
MANY = 300
"""So often nobody presses Tab to come anywhere."""

LEFT = "net::ERR_ABORTED"
"""What becomes of a request when the browser leaves the page, or keeps the answer as a file."""

SEEN = """each => {
  const style = getComputedStyle(each);
  return each.matches(":focus-visible")
    && ((style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0)
      || style.boxShadow !== "none");
}"""

expect.set_options(timeout=PATIENCE_MS)


@dataclass  # no slots: playwright keeps what it calls beside it
class Person:
    """Does things at a page. ``troubles`` are what the browser complained of.

    A person with ``keys`` never touches a mouse. What is ``foreseen`` in a complaint is none.
    """

    page: Page
    keys: bool = False
    troubles: list[str] = field(default_factory=list)
    foreseen: list[str] = field(default_factory=list)

    @classmethod
    def at(
        cls,
        browser: Browser,
        *,
        keys: bool = False,
        scripts: bool = True,
        width: int = 1280,
        scheme: Any = "light",
    ) -> Person:
        """Somebody before a window of their own."""
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            java_script_enabled=scripts,
            color_scheme=scheme,
            reduced_motion="reduce",  # colours are the last ones at once
        )
        context.set_default_timeout(PATIENCE_MS)
        made = cls(context.new_page(), keys)
        made.page.on("console", made._hears)
        made.page.on("pageerror", lambda error: made.complain(f"fails: {error}"))
        made.page.on("requestfailed", made._misses)
        made.page.on("response", made._gets)
        return made

    def goes(self, address: str) -> None:
        """By the bar of addresses."""
        self.page.goto(address)

    def log_in(self, address: str, token: str) -> None:
        """On the page of the login, whose field has the focus."""
        self.goes(f"{address}/login")
        expect(self.page.locator("#token")).to_be_focused()
        self.page.keyboard.type(token)
        self.page.keyboard.press("Enter")
        expect(self.page.locator(".who")).to_contain_text("(")

    def press(self, name: str, role: Any = "link", within: str = "main") -> None:
        """A link or a button that is called so."""
        found = self.page.locator(within).get_by_role(role, name=name).first
        if self.keys:
            self.tab_to(found)
            self.page.keyboard.press("Enter")
        else:
            found.click()

    def write(self, label: str, text: str) -> None:
        """Into a field."""
        found = self.page.get_by_label(label, exact=False).first
        if self.keys:
            self.tab_to(found)
            self.page.keyboard.insert_text(text)
        else:
            found.fill(text)

    def tab_to(self, wanted: Locator) -> None:
        """Press Tab until it has the focus, which must then be seen."""
        expect(wanted).to_be_visible()
        for _ in range(MANY):
            if wanted.evaluate("each => each === document.activeElement"):
                assert wanted.evaluate(SEEN), f"nobody sees the focus on {wanted}"
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"no Tab leads to {wanted}")

    def complain(self, what: str) -> None:
        """Note it, unless it was foreseen."""
        if not any(each in what for each in self.foreseen):
            self.troubles.append(f"{self.page.url}: {what}")

    def _hears(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complain(f"{message.type}: {message.text}")

    def _misses(self, request: Request) -> None:
        if request.failure != LEFT:
            self.complain(f"no answer from {request.url}: {request.failure}")

    def _gets(self, response: Response) -> None:
        if response.status >= 400:
            self.complain(f"{response.status} from {response.url}")
