"""The front desk's pages. Importing them registers them."""

from booking.admin import configuration, feeds, patients, visits

__all__ = ["configuration", "feeds", "patients", "visits"]
