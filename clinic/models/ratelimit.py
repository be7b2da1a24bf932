from django.db import models


class RateLimit(models.Model):
    """A leaky bucket per key, in the database so that it holds across processes.

    ``full_until`` is the theoretical arrival time of the next conforming request.
    """

    key = models.CharField(max_length=120, primary_key=True)
    full_until = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.key
