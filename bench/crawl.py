"""Every kind of page of a demo: for a visitor, for patients, and for each role of staff."""

import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from http.cookiejar import CookieJar
from urllib.parse import urlencode, urljoin, urlsplit

from django.conf import settings
from django.urls import Resolver404, resolve

from demo.views.roles import SAMPLE_ACCOUNTS
from tests.guest import HEALTHY

LINK = re.compile(r'<a [^>]*?href="([^"#]+)')
CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


def pages(site: str) -> Iterator[tuple[str, str]]:
    """Yield a name and the HTML, once for each view, session and language."""
    for language, _name in settings.LANGUAGES:
        sessions: dict[str, tuple[str, Mapping[str, str]]] = {
            "visitor": ("/", {}),
            "guest": ("/book/safety/?service=pt-eval", HEALTHY),
            "patient": ("/demo/mail/", {}),
            **{role: ("/demo/", {"role": role}) for role in SAMPLE_ACCOUNTS},
        }
        for name, (start, posted) in sessions.items():
            for view, html in Session(site, language).crawl(start, posted):
                yield f"{name}-{view}.{language}".replace(":", "-"), html


class Session:
    """One browser, without rendering; it submits no form but the first one."""

    def __init__(self, site: str, language: str) -> None:
        self.site = site
        self.language = language
        self.open = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(CookieJar())
        ).open

    def crawl(self, start: str, posted: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """Post ``posted`` at ``start``, then follow the links to one page for each view."""
        url, html = self.fetch(self.site + start)
        if posted:
            (token, *_others) = CSRF.findall(html)
            url, html = self.fetch(url, {**posted, "csrfmiddlewaretoken": token})
        seen: set[str] = set()
        found = [(url, html)]
        while found:
            url, html = found.pop(0)
            if (view := view_of(url)) and html and view not in seen:
                seen.add(view)
                yield view, html
            for href in LINK.findall(html):
                target = urljoin(url, href.replace("&amp;", "&"))
                view = view_of(target) if target.startswith(self.site) else None
                if view and view not in seen and f"link to {view}" not in seen:
                    seen.add(f"link to {view}")
                    found.append(self.fetch(target))

    def fetch(self, url: str, posted: Mapping[str, str] | None = None) -> tuple[str, str]:
        """Return the final URL and the page, empty for anything but HTML."""
        request = urllib.request.Request(
            url,
            data=urlencode(posted).encode() if posted else None,
            headers={"Accept-Language": self.language, "Referer": url},
        )
        try:
            with self.open(request) as answer:
                is_page = answer.headers.get_content_type() == "text/html"
                return answer.url, answer.read().decode() if is_page else ""
        except urllib.error.HTTPError as error:
            if error.code >= 500:
                raise
            return url, error.read().decode()


def view_of(url: str) -> str | None:
    try:
        return resolve(urlsplit(url).path).view_name
    except Resolver404:
        return None
