"""The front desk's pages. Importing them registers them."""

from booking.admin import configuration, patients, series, visits, waitlist

__all__ = ["configuration", "patients", "series", "visits", "waitlist"]
