from django.apps import AppConfig


class DemoConfig(AppConfig):
    """The sample clinic, and pages that only a demo has. No models."""

    name = "demo"
