from django.db import models


class RateLimit(models.Model):
    """A leaky bucket per key, in the database so that it holds across processes.

    ``full_until`` is the theoretical arrival time of the next conforming request, in microseconds
    since 1970-01-01T00:00Z: a number, so that one statement can add to it on both engines.
    """

    key = models.CharField(max_length=120, primary_key=True)
    full_until = models.BigIntegerField(db_index=True)

    def __str__(self) -> str:
        return self.key
