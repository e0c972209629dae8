"""The application and its browsers, as for the tests of views."""

from tests.views.conftest import (  # noqa: F401  fixtures
    app,
    browser_of,
    desk,
    morning,
    queries,
    stranger,
    world,
)
