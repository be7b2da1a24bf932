"""The front desk's pages. Importing them registers them."""

from booking.admin import configuration, hours, patients, visits

__all__ = ["configuration", "hours", "patients", "visits"]
