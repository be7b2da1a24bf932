from django.contrib.staticfiles.apps import StaticFilesConfig


class StaticFiles(StaticFilesConfig):
    """Collects only files that a page needs, so that a first start compresses half as much."""

    ignore_patterns = [
        *StaticFilesConfig.ignore_patterns,
        # Bootstrap's complete style sheet is used, not its parts, its source or its RTL version.
        *("bootstrap-*", "bootstrap.css*", "bootstrap.rtl*"),
        # htmx 2 is used, not its successor or its extensions.
        *("ext", "htmx-4*", "htmax-*"),
    ]
