"""The front desk's pages. Importing them registers them."""

from desk.admin import feeds, hours, patients, series, services, visits, waitlist

__all__ = ["feeds", "hours", "patients", "series", "services", "visits", "waitlist"]
