from demo.environment import prepare_environment


def test_the_demo_makes_up_what_is_missing(tmp_path):
    environ: dict[str, str] = {}
    prepare_environment(["--state", str(tmp_path / "state"), "--port", "8123"], environ)

    key = environ.pop("SECRET_KEY")
    assert len(key) > 50
    assert environ == {
        "STATE_DIR": str(tmp_path / "state"),
        "DEMO": "1",
        "PORT": "8123",
        "BASE_URL": "http://127.0.0.1:8123",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
    }


def test_the_demo_keeps_what_is_set(tmp_path):
    given = {
        "STATE_DIR": str(tmp_path),
        "PORT": "9000",
        "BASE_URL": "http://localhost:9000",
        "ALLOWED_HOSTS": "localhost",
        "SECRET_KEY": "mine",
        "DATABASE_URL": "postgres://db/demo",
    }
    environ = dict(given)
    prepare_environment(["--fresh"], environ)
    assert environ == {**given, "DEMO": "1"}


def test_the_secret_key_is_made_once_and_readable_by_its_owner_only(tmp_path):
    first: dict[str, str] = {}
    second: dict[str, str] = {}
    prepare_environment(["--state", str(tmp_path)], first)
    prepare_environment(["--state", str(tmp_path)], second)
    assert first["SECRET_KEY"] == second["SECRET_KEY"]
    assert (tmp_path / "secret-key").stat().st_mode & 0o777 == 0o600
