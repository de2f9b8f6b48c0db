"""The browser for the page's tests and measurements: Debian's Chromium, or Playwright's own."""

import os
import shutil
import subprocess
from pathlib import Path

from playwright.sync_api import Browser, Playwright

from local.lock import locked
from local.paths import DEV

OFF = (
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup"),
    # Playwright turns these off, and the browser heeds the last list only.
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades", "MediaRouter"),
    *("OptimizationHints", "PaintHolding", "ThirdPartyStoragePartitioning"),
)
"""Features that tests have no use for. Each new window would load the pages of its address bar, which takes a second of
CPU time, three times as long as the rest of it."""

FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--enable-precise-memory-info", "--js-flags=--expose-gc", f"--disable-features={','.join(OFF)}"),
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
INSTALL = (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", "chromium"])
HOW_TO_INSTALL = (
    "No Chromium: install it with the system's packages (Debian: apt-get install chromium), "
    "or run `python -m playwright install chromium`"
)


def launched(playwright: Playwright) -> Browser | None:
    """The system's Chromium, or Playwright's own, or Debian's, which is installed now; None if there is none."""
    if path := system_chromium():
        return playwright.chromium.launch(executable_path=path, args=FLAGS)
    if Path(playwright.chromium.executable_path).exists():
        return playwright.chromium.launch(args=FLAGS)
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        with locked(DEV / "chromium.lock", waiting="Waiting for another process to install Chromium …"):
            for command in [] if system_chromium() else INSTALL:
                subprocess.run(command, check=False, capture_output=True, timeout=600)  # noqa: S603 - fixed commands
        if path := system_chromium():
            return playwright.chromium.launch(executable_path=path, args=FLAGS)
    return None


def system_chromium() -> str | None:
    """The path of the system's Chromium, if it has one."""
    return next(filter(None, map(shutil.which, NAMES)), None)
