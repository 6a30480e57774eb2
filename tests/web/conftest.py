from tests.web.browser import browser, pages

__all__ = ["browser", "pages"]
