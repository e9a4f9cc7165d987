"""No file of the checkout or of the machine is served: only what lies in static folders is."""

from __future__ import annotations

import pytest
from django.test import Client

PATHS = (
    "/.git/config", "/static/.git/config", "/static/../.git/config", "/static/%2e%2e/%2e%2e/.git/config",
    "/static/console/../../../pyproject.toml", "/static/console/..%2f..%2f..%2fpyproject.toml", "/static//etc/passwd",
    "/static/", "/static/console/", "/pyproject.toml", "/.env", "/media/x",
)  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("path", PATHS)
def test_no_file_is_served_but_those_of_static_folders(path: str) -> None:
    answer = Client().get(path)
    assert answer.status_code == 404
    assert b"repositoryformatversion" not in answer.content
    assert b"root:" not in answer.content


@pytest.mark.django_db
def test_what_lies_in_a_static_folder_is_served() -> None:
    assert Client().get("/static/console/console.css").status_code == 200
