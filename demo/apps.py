from django.apps import AppConfig


class DemoConfig(AppConfig):
    """The sample clinic, and pages that exist in a demo only. No models."""

    name = "demo"
