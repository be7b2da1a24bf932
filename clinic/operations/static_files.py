from django.contrib.staticfiles.apps import StaticFilesConfig


class StaticFiles(StaticFilesConfig):
    """Collects only what a page asks for: a first start compresses half as much."""

    ignore_patterns = [
        *StaticFilesConfig.ignore_patterns,
        # Bootstrap's whole style sheet is used, not its parts, its source or its mirror image.
        *("bootstrap-*", "bootstrap.css*", "bootstrap.rtl*"),
        # htmx 2 is used, not its successor and its extensions.
        *("ext", "htmx-4*", "htmax-*"),
    ]
