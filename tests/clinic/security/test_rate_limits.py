import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.http import HttpResponse
from django.test import RequestFactory

from clinic.models import RateLimit
from clinic.security.rate_limits import (
    HOLDS_PER_IP,
    Limit,
    RateLimited,
    RateLimitedMiddleware,
    client_ip,
    forget_empty_buckets,
)
from tests.factories import NOW, make_practice

MINUTELY = Limit("test", every=timedelta(minutes=1), burst=3)


def spend_all(limit, subject="somebody", *, now=NOW, tries=1000):
    """Spend until it is refused; return how many tries went through."""
    for count in range(tries):
        try:
            limit.hit(subject, now=now)
        except RateLimited:
            return count
    return tries


@pytest.mark.django_db
def test_a_burst_goes_through_and_then_one_more_each_interval():
    assert spend_all(MINUTELY) == 3
    assert spend_all(MINUTELY, now=NOW + timedelta(seconds=59)) == 0
    assert spend_all(MINUTELY, now=NOW + timedelta(seconds=60)) == 1
    assert spend_all(MINUTELY, now=NOW + timedelta(minutes=3)) == 2


@pytest.mark.django_db
def test_a_refused_try_does_not_push_the_next_one_back():
    spend_all(MINUTELY)
    for _ in range(50):
        with pytest.raises(RateLimited):
            MINUTELY.hit("somebody", now=NOW)
    MINUTELY.hit("somebody", now=NOW + timedelta(minutes=1))


@pytest.mark.django_db
def test_it_says_after_how_many_seconds_the_next_try_goes_through():
    spend_all(MINUTELY)
    with pytest.raises(RateLimited) as refused:
        MINUTELY.hit("somebody", now=NOW + timedelta(seconds=20, milliseconds=500))
    assert refused.value.retry_after == 40


@pytest.mark.django_db
def test_after_a_long_rest_the_burst_is_whole_again_and_no_larger():
    spend_all(MINUTELY)
    assert spend_all(MINUTELY, now=NOW + timedelta(days=1)) == 3


@pytest.mark.django_db
def test_subjects_and_limits_are_counted_apart():
    spend_all(MINUTELY)
    assert spend_all(MINUTELY, "somebody else") == 3
    assert spend_all(Limit("other", every=timedelta(minutes=1), burst=3)) == 3


@pytest.mark.django_db
def test_holds_may_burst_to_a_hundred_and_go_on_at_sixty_a_minute():
    assert spend_all(HOLDS_PER_IP) == 100
    assert spend_all(HOLDS_PER_IP, now=NOW + timedelta(minutes=1)) == 60


@pytest.mark.django_db
def test_neither_address_nor_mail_is_stored():
    MINUTELY.hit("ana@example.org", now=NOW)
    key = RateLimit.objects.get().key
    assert "ana" not in key
    assert len(key) <= RateLimit._meta.get_field("key").max_length


@pytest.mark.django_db
def test_empty_buckets_are_forgotten_and_full_ones_stay():
    MINUTELY.hit("somebody", now=NOW)
    assert forget_empty_buckets(now=NOW + timedelta(seconds=59)) == 0
    assert forget_empty_buckets(now=NOW + timedelta(seconds=61)) == 1


@pytest.mark.django_db(transaction=True)
def test_threads_at_once_get_exactly_the_burst():
    limit = Limit("race", every=timedelta(hours=1), burst=7)
    results, start = [], threading.Barrier(8)

    def run():
        start.wait()
        results.append(spend_all(limit, tries=5))
        connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(results) == 7


@pytest.mark.django_db
def test_a_try_that_goes_through_costs_one_query(django_assert_num_queries):
    with django_assert_num_queries(1):
        MINUTELY.hit("somebody", now=NOW)
    with django_assert_num_queries(1):
        MINUTELY.hit("somebody", now=NOW)


@pytest.mark.django_db
def test_too_many_tries_are_the_429_page_with_the_time_to_come_back():
    make_practice()
    request = RequestFactory().get("/")
    middleware = RateLimitedMiddleware(lambda request: HttpResponse())
    response = middleware.process_exception(request, RateLimited(90))
    assert response.status_code == 429
    assert response["Retry-After"] == "90"
    assert middleware.process_exception(request, ValueError()) is None


def request_from(peer, forwarded=None):
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return RequestFactory(REMOTE_ADDR=peer, headers=headers).get("/")


def test_without_a_trusted_proxy_the_forwarded_address_is_not_believed(settings):
    settings.TRUSTED_PROXY = False
    assert client_ip(request_from("192.0.2.1", "203.0.113.9")) == "192.0.2.1"


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("1.1.1.1, 203.0.113.9", "203.0.113.9"),
        ("spoofed, 203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, nonsense", "192.0.2.1"),
        ("", "192.0.2.1"),
        (None, "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
    ],
)
def test_behind_a_trusted_proxy_its_own_entry_counts(settings, forwarded, address):
    settings.TRUSTED_PROXY = True
    assert client_ip(request_from("192.0.2.1", forwarded)) == address
