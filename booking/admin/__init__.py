"""The front desk's pages. Importing them registers them."""

from booking.admin import configuration, patients, visits

__all__ = ["configuration", "patients", "visits"]
