"""The admin as the front desk's home: who may enter, how, and what today looks like."""

