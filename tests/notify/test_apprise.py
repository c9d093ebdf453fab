"""Every other service, through the real library."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from seatrial.errors import PassingError
from seatrial.notify import Telling, check
from seatrial.notify.apprise import Apprise

from .test_webhook import ENVELOPE

if TYPE_CHECKING:
    from .conftest import Office, Receiver

# apprise imports what newer versions of Python do without
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def _send(url: str, *, private: bool = True) -> None:
    Apprise(url_env="OPS_CHAT").send(
        Telling(
            envelope=ENVELOPE,
            at=datetime.now(UTC),
            allow_private=private,
            environment={"OPS_CHAT": url},
        )
    )


def test_a_service_is_told_the_sentence(hook: Receiver) -> None:
    _send(f"json://127.0.0.1:{hook.port}/chat")
    ((_, body),) = hook.got
    assert json.loads(body)["message"] == "It serves: Grüße."
    assert json.loads(body)["type"] == "info"


def test_a_service_that_fails_is_no_success(
    hook: Receiver, capfd: pytest.CaptureFixture[str]
) -> None:
    hook.script = ["500"]
    with pytest.raises(PassingError, match=r"apprise could not tell \$OPS_CHAT"):
        _send(f"json://user:hush-hush@127.0.0.1:{hook.port}/chat")
    assert "hush-hush" not in "".join(capfd.readouterr())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "10.0.0.1"])
def test_a_private_address_is_refused(hook: Receiver, host: str) -> None:
    with pytest.raises(PassingError, match="no public address"):
        _send(f"json://{host}:{hook.port}/chat", private=False)
    assert not hook.got


@pytest.mark.parametrize("url", ["nonsense", "nosuchservice://token", "://"])
def test_an_address_that_it_does_not_know(url: str) -> None:
    with pytest.raises(PassingError, match="no such address as the one in OPS_CHAT") as raised:
        _send(url)
    assert url not in str(raised.value)


def test_without_the_library_it_says_how_to_get_it() -> None:
    program = """
import sys
sys.modules["apprise"] = None
from datetime import UTC, datetime
from seatrial.notify import Telling
from seatrial.notify.apprise import Apprise
told = Telling(envelope={}, at=datetime.now(UTC), allow_private=False, environment={"U": "x://y"})
try:
    Apprise(url_env="U").send(told)
except Exception as error:
    print(error)
"""
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert told == 'apprise is not installed\n  fix: pip install "seatrial[notify]"\n'


def test_an_address_in_the_file_is_a_mistake(office: Office) -> None:
    (mistake,) = check(office.pipeline("apprise: {url_env: 'slack://a/b/c'}"))
    assert "no name of a variable" in mistake.what
    assert "slack" not in str(mistake)
    (missing,) = check(office.pipeline("apprise: {}"))
    assert "needs `url_env`" in missing.what
