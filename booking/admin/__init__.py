"""The front desk's pages. Importing them registers them."""

from booking.admin import configuration, feeds, hours, patients, series, visits, waitlist

__all__ = ["configuration", "feeds", "hours", "patients", "series", "visits", "waitlist"]
