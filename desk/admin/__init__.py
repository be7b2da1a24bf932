"""The front desk's pages. Importing this package registers them."""

from desk.admin import catalogue, feeds, hours, patients, series, visits, waitlist

__all__ = ["catalogue", "feeds", "hours", "patients", "series", "visits", "waitlist"]
