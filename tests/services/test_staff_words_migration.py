"""Staff from before the list of staff are found in it after the migration."""

from typing import Any

from config import PROJECT_ROOT
from models import Staff
from services.migration import migrations_in


def test_it_gives_older_staff_their_words_and_changes_nothing_twice(db: Any) -> None:
    older = {"email": "an@example.com", "name": "Nguyễn Thị An", "fs_uniquifier": "a"}
    newer = {"email": "b@example.com", "name": "Bình", "fs_uniquifier": "b", "search": "kept"}
    db.staff.insert_many([older, newer])
    found = {one.name: one for one in migrations_in(PROJECT_ROOT / "migrations")}
    for _ in range(2):
        found["2026-11-21-find-staff-by-name"].run()
        first, second = Staff.objects.order_by("email")
        assert first.search == "nguyen thi an an@example.com"
        assert first.search_words == ["nguyen", "thi", "an", "an@example.com"]
        assert second.search == "kept"
