"""Finding a browser. None is downloaded: without one its tests are skipped, and the end of the run says so."""

import os
import shutil

NO_BROWSER = "no browser to look at the pages with"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def executable() -> str | None:
    """The browser to test with: TSUNAGI_CHROMIUM, which may be `none`, or one on the PATH."""
    if chosen := os.environ.get("TSUNAGI_CHROMIUM"):
        return None if chosen == "none" else chosen
    return next((found for name in NAMES if (found := shutil.which(name))), None)
