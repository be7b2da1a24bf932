"""Exit 0 when the web server in this container answers `/healthz`."""

import os
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

# The server answers only to the clinic's own name.
host = urlsplit(os.environ["BASE_URL"]).netloc
url = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/healthz"
with urlopen(Request(url, headers={"Host": host}), timeout=4) as response:
    assert response.status == 200
