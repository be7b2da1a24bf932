"""The front desk's pages. Importing them registers them."""

from booking.admin import configuration, hours, patients, series, visits, waitlist

__all__ = ["configuration", "hours", "patients", "series", "visits", "waitlist"]
