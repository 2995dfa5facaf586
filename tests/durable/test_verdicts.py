"""What is known of addresses: nothing counted is lost, nothing final forgotten, nothing asked twice, no cap exceeded."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from engine.durable import control, verdict_pages, verdicts
from engine.durable.database import Database
from engine.durable.tables import probe_permits, verifications
from engine.durable.vault import Vault
from engine.durable.verdict_pages import Wanted
from engine.durable.verdicts import Fresh, Known
from engine.errors import InvalidInput, NotFound
from tests.durable.store import complete, new_job

ROOT = Path(__file__).resolve().parents[2]
FAR = 10**14
"""A moment that none of these tests will live to see, in ms."""


def fresh(address: str = "ann@x.org", status: str = "valid", at: int = 1_000, **more: Any) -> Fresh:
    values: dict[str, Any] = {"reason": "mailbox_exists", "level": "mailbox", "score": 90, "data": {"mx": "mx.x.org"}}
    asked = {"checked_at": at, "job_id": "j1", "service": "smtp"}
    return Fresh(address=address, status=status, **{**values, **asked, **more})


def known(database: Database, address: str = "ann@x.org") -> Known:
    return verdicts.find(database, [address])[address]


def lines(database: Database, address: str = "ann@x.org") -> list[str]:
    return [line.status for line in verdict_pages.history(database, address)]


def at_once(works: list[Callable[[], Any]]) -> list[Any]:
    """Run them in threads of their own; their results."""
    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result(60) for future in [pool.submit(work) for work in works]]


def in_processes(database: Database, code: str, count: int) -> list[str]:
    """Run the code in several processes that open the same database as `database`; what each said."""
    start = "import sys; from engine.durable import verdicts; from engine.durable.database import Database; "
    url = database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", f"{start}database = Database(sys.argv[1]); number = int(sys.argv[2]); {code}", url]
    options: dict[str, Any] = {"cwd": ROOT, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    started = [subprocess.Popen([*command, str(number)], **options) for number in range(count)]
    said = [process.communicate(timeout=120)[0] for process in started]
    assert [process.returncode for process in started] == [0] * count, "\n".join(said)
    return said


class TestFindAndSave:
    def test_what_was_saved_is_found(self, database: Database) -> None:
        data = {"mx": "mx.x.org", "catchAll": False, "detail": 'Größe "ok"\n', "n": 1.5, "list": [1, None]}
        verdicts.save(database, [fresh(data=data, at=123_456_789_012_345, job_id=None)])
        expected = Known("ann@x.org", "valid", "mailbox_exists", "mailbox", 90, data, 123_456_789_012_345, None, 1)
        assert verdicts.find(database, ["ann@x.org", "bob@x.org", "ann@x.org", "ann@y.org"]) == {"ann@x.org": expected}

    def test_nothing_is_asked_or_written_for_an_empty_list(self, database: Database) -> None:
        verdicts.save(database, [])
        assert verdicts.find(database, []) == {}

    @pytest.mark.parametrize(
        "address", ["no-at-sign", "a@b@c.org", "@x.org", "jörg@x.org", "o'neil%_\\@x.org", "日本@x.jp", '"q"@x']
    )
    def test_any_text_is_an_address_here(self, database: Database, address: str) -> None:
        verdicts.save(database, [fresh(address), fresh(address)])
        assert known(database, address).count == 2
        assert verdict_pages.get(database, address).address == address

    def test_addresses_that_differ_in_case_are_two_here(self, database: Database) -> None:
        verdicts.save(database, [fresh("a@x.org"), fresh("A@x.org")])
        assert len(verdicts.find(database, ["a@x.org", "A@x.org"])) == 2

    def test_many_at_once(self, database: Database) -> None:
        many = [fresh(f"user{n}@d{n % 40}.org", at=n) for n in range(5_000)]
        verdicts.save(database, many)
        found = verdicts.find(database, [one.address for one in many])
        assert [found[one.address].checked_at for one in many] == list(range(5_000))

    def test_each_verification_counts_and_has_its_line(self, database: Database) -> None:
        verdicts.save(database, [fresh(), fresh(status="risky", at=2_000)])
        verdicts.save(database, [fresh(status="invalid", at=3_000, job_id="j2", level="domain", score=5, data={})])
        assert known(database) == Known("ann@x.org", "invalid", "mailbox_exists", "domain", 5, {}, 3_000, "j2", 3)
        assert lines(database) == ["invalid", "risky", "valid"]

    def test_an_unknown_replaces_no_other_status_but_is_counted_and_written_down(self, database: Database) -> None:
        verdicts.save(database, [fresh()])
        before = known(database)
        verdicts.save(database, [fresh(status="unknown", reason="timeout", at=9_000, job_id="j2", data={"detail": "No answer."})])
        assert known(database) == before._replace(count=2)
        assert lines(database) == ["unknown", "valid"]

    def test_an_unknown_gives_way_to_whatever_comes_next(self, database: Database) -> None:
        verdicts.save(database, [fresh(status="unknown", reason="timeout")])
        verdicts.save(database, [fresh(status="unknown", reason="blocked", at=2_000)])
        assert (known(database).reason, known(database).checked_at) == ("blocked", 2_000)
        verdicts.save(database, [fresh(at=3_000)])
        assert (known(database).status, known(database).count) == ("valid", 3)

    def test_an_unknown_replaces_everything_when_told_so(self, database: Database) -> None:
        verdicts.save(database, [fresh()])
        verdicts.save(database, [fresh(status="unknown")], keep_final=False)
        assert known(database).status == "unknown"

    def test_creation_stays_and_the_last_change_moves(self, database: Database) -> None:
        verdicts.save(database, [fresh()])
        first = verdict_pages.get(database, "ann@x.org")
        verdicts.save(database, [fresh(status="risky")])
        second = verdict_pages.get(database, "ann@x.org")
        assert first.created_at == second.created_at <= second.updated_at

    @pytest.mark.parametrize("seed", range(5))
    def test_any_sequence_ends_as_a_plain_dictionary_would(self, database: Database, seed: int) -> None:
        rng = random.Random(seed)
        expected: dict[str, Known] = {}
        for _ in range(20):
            batch = [
                fresh(f"u{rng.randrange(6)}@x.org", rng.choice(["valid", "risky", "unknown"]), rng.randrange(9_999))
                for _ in "1234"
            ]
            verdicts.save(database, batch)
            for one in sorted(batch, key=lambda one: one.address):
                old = expected.get(one.address)
                row = Known._make([*(getattr(one, name) for name in Known._fields[:-1]), (old.count if old else 0) + 1])
                kept = old is not None and one.status == "unknown" != old.status
                expected[one.address] = old._replace(count=row.count) if kept and old else row
        assert verdicts.find(database, list(expected)) == expected

    def test_a_save_that_fails_leaves_nothing(self, database: Database) -> None:
        with pytest.raises(Exception, match=r"(?i)null"):
            verdicts.save(database, [fresh("a@x.org"), fresh("b@x.org", status=None)])  # type: ignore[arg-type]
        assert verdicts.find(database, ["a@x.org", "b@x.org"]) == {}

    def test_no_count_is_lost_among_threads(self, database: Database) -> None:
        addresses = [f"u{n}@x.org" for n in range(30)]

        def work(number: int) -> None:
            order = random.Random(number)
            for _ in range(10):
                verdicts.save(database, [fresh(one, order.choice(["valid", "unknown"])) for one in order.sample(addresses, 20)])
            verdicts.save(database, [fresh(addresses[0])])

        at_once([partial(work, number) for number in range(6)])
        found = verdicts.find(database, addresses)
        assert sum(one.count for one in found.values()) == 6 * (10 * 20 + 1)
        for address, one in found.items():
            said = lines(database, address)
            assert len(said) == one.count and (one.status == "valid" or "valid" not in said)

    def test_no_count_is_lost_among_processes(self, database: Database) -> None:
        code = (
            "fresh = [verdicts.Fresh(f'u{n}@x.org', 'valid', 'r', 'l', 1, {}, number, None, 's') for n in range(50)]\n"
            "for _ in range(10): verdicts.save(database, fresh if number else fresh[::-1])"
        )
        in_processes(database, code, 3)
        found = verdicts.find(database, [f"u{n}@x.org" for n in range(50)])
        assert {one.count for one in found.values()} == {30}


class TestClaims:
    def test_a_claim_keeps_others_away_until_it_is_released(self, database: Database) -> None:
        assert verdicts.claim(database, ["a", "b", "b"], "one", FAR) == {"a", "b"}
        assert verdicts.claim(database, ["b", "c"], "two", FAR) == {"c"}
        verdicts.release(database, ["b", "c"], "one")
        assert verdicts.claim(database, ["a", "b", "c"], "three", FAR) == {"b"}, "c is not the first one's to release"

    def test_nothing_is_claimed_for_an_empty_list(self, database: Database) -> None:
        assert verdicts.claim(database, [], "one", FAR) == set()
        verdicts.release(database, [], "one")

    def test_an_owner_may_claim_again(self, database: Database) -> None:
        verdicts.claim(database, ["a"], "one", FAR)
        assert verdicts.claim(database, ["a", "b"], "one", FAR) == {"a", "b"}

    def test_a_claim_that_ran_out_is_anybodys(self, database: Database) -> None:
        now = round(time.time() * 1000)
        verdicts.claim(database, ["a", "b"], "one", now - 1_000)
        verdicts.claim(database, ["c"], "one", now + 60_000)
        assert verdicts.claim(database, ["a", "b", "c"], "two", FAR) == {"a", "b"}

    def test_renewing_moves_the_end_of_what_is_still_held(self, database: Database) -> None:
        verdicts.claim(database, ["a", "b"], "one", 1)
        verdicts.claim(database, ["b"], "two", FAR)
        assert verdicts.renew(database, "one", FAR) == 1
        assert verdicts.claim(database, ["a", "b"], "three", FAR) == set()

    def test_saving_ends_the_owners_claims(self, database: Database) -> None:
        verdicts.claim(database, ["a@x.org", "b@x.org"], "one", FAR)
        verdicts.claim(database, ["c@x.org"], "two", FAR)
        verdicts.save(database, [fresh("a@x.org"), fresh("c@x.org")], owner="one")
        assert verdicts.claim(database, ["a@x.org", "b@x.org", "c@x.org"], "three", FAR) == {"a@x.org"}

    def test_claims_of_the_dead_and_those_that_ran_out_are_dropped(self, database: Database) -> None:
        assert verdicts.drop_claims(database, lambda owner: True) == 0
        verdicts.claim(database, ["a", "b"], "dead", FAR)
        verdicts.claim(database, ["c"], "alive", FAR)
        verdicts.claim(database, ["d"], "late", 1)
        assert verdicts.drop_claims(database, lambda owner: owner == "dead") == 3
        assert verdicts.claim(database, ["a", "b", "c", "d"], "next", FAR) == {"a", "b", "d"}

    def test_the_claims_of_a_process_that_has_gone_are_free_at_once(self, database: Database) -> None:
        code = f"print(verdicts.owner('batch 1')); verdicts.claim(database, ['a'], verdicts.owner('batch 1'), {FAR})"
        gone = in_processes(database, code, 1)[0].strip()
        assert verdicts.owner_dead(gone) and not verdicts.owner_dead(verdicts.owner())
        mine = verdicts.owner("batch 2")
        assert verdicts.claim(database, ["a"], mine, FAR) == set()
        assert verdicts.drop_claims(database) == 1
        assert verdicts.claim(database, ["a"], mine, FAR) == {"a"}
        assert verdicts.drop_claims(database) == 0

    @pytest.mark.parametrize("name", ["", "x", "elsewhere|1|2|", "||", "a|b|c|d|e"])
    def test_who_is_not_known_to_be_dead_is_alive(self, name: str) -> None:
        assert not verdicts.owner_dead(name)

    def test_labels_make_owners_of_one_process_differ(self) -> None:
        names = {verdicts.owner(), verdicts.owner("a"), verdicts.owner("b|c")}
        assert len(names) == 3 and not any(map(verdicts.owner_dead, names))

    def test_many_at_once_each_get_what_nobody_else_gets(self, database: Database) -> None:
        addresses = [f"u{n}" for n in range(200)]

        def work(number: int) -> set[str]:
            return verdicts.claim(database, random.Random(number).sample(addresses, 150), f"owner {number}", FAR)

        found = at_once([partial(work, number) for number in range(8)])
        granted = Counter(address for addresses in found for address in addresses)
        assert set(granted.values()) == {1} and len(granted) > 190


class TestPermits:
    @pytest.fixture
    def job_id(self, database: Database, vault: Vault) -> str:
        return new_job(database, vault)

    def test_never_more_than_the_cap(self, database: Database, job_id: str) -> None:
        assert verdicts.permit(database, job_id, "x.org", ["a", "b", "a", "c"], 2) == {"a", "b"}
        assert verdicts.permit(database, job_id, "x.org", ["d", "b"], 2) == {"b"}
        assert verdicts.permit(database, job_id, "x.org", ["d", "c", "a"], 3) == {"a", "d"}
        assert verdicts.permit(database, job_id, "x.org", ["e"], 0) == set()
        assert verdicts.permit(database, job_id, "x.org", ["a", "b", "d"], 1) == {"a", "b", "d"}, "permitted stays permitted"
        assert verdicts.permit(database, job_id, "x.org", [], 9) == set()

    def test_each_domain_and_job_has_its_own(self, database: Database, vault: Vault, job_id: str) -> None:
        other = new_job(database, vault)
        for job, domain in ((job_id, "x.org"), (job_id, "y.org"), (other, "x.org")):
            assert len(verdicts.permit(database, job, domain, list("abc"), 2)) == 2

    def test_permits_go_with_their_job(self, database: Database, vault: Vault) -> None:
        job_id = complete(database, vault)
        verdicts.permit(database, job_id, "x.org", ["a"], 2)
        verdicts.save(database, [fresh(job_id=job_id)])
        control.remove(database, job_id)
        with database.read() as connection:
            assert connection.execute(select(func.count()).select_from(probe_permits)).scalar() == 0
        assert verdicts.permit(database, job_id, "x.org", ["a"], 2) == set()
        assert known(database).job_id == job_id

    def test_whoever_asks_at_the_same_time_shares_the_cap(self, database: Database, job_id: str) -> None:
        def work(number: int) -> set[str]:
            asked = [f"{number}-{n}" for n in range(5)]
            return set().union(*(verdicts.permit(database, job_id, "x.org", [one], 17) for one in asked))

        granted = set().union(*at_once([partial(work, number) for number in range(8)]))
        assert len(granted) == 17


class TestPages:
    @pytest.fixture
    def stored(self, database: Database) -> Database:
        """a1@x.org … a9@x.org, oldest first, every third risky; b_1@mail.x.org, c@y.org."""
        many = [fresh(f"a{n}@x.org", "risky" if n % 3 == 0 else "valid", n * 1_000) for n in range(1, 10)]
        more = [fresh("b_1@mail.x.org", "invalid", 500, level="domain"), fresh("c@y.org", "unknown", 400, reason="timeout")]
        verdicts.save(database, [*many, *more])
        return database

    def found(self, database: Database, **wanted: Any) -> list[str]:
        page = verdict_pages.page(database, Wanted(**wanted))
        assert page.total == len(page.emails) and page.cursor is None
        streamed = [row.address for rows in verdict_pages.stream(database, Wanted(**wanted)) for row in rows]
        assert sorted(streamed) == sorted(email.address for email in page.emails)
        return [email.address for email in page.emails]

    @pytest.mark.parametrize("few", [0, 5_000], ids=["walked", "by domain"])
    def test_search_finds_parts_in_any_case(self, stored: Database, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(verdict_pages, "_FEW", few)
        assert self.found(stored, q="A9") == ["a9@x.org"]
        assert self.found(stored, q="@X.org") == [f"a{n}@x.org" for n in range(9, 0, -1)]
        assert self.found(stored, q="@x") == self.found(stored, q="@x.org")
        assert self.found(stored, q="9@x.") == ["a9@x.org"] and self.found(stored, q="c@") == ["c@y.org"]
        assert self.found(stored, q="x.org", level="domain") == ["b_1@mail.x.org"] and self.found(stored, q="@mail.y") == []
        for literal in ("%", "a_", "_@", "\\", "/", "''"):
            assert self.found(stored, q=literal) == []
        assert self.found(stored, q="b_1") == ["b_1@mail.x.org"]

    def test_filters_hold_together(self, stored: Database) -> None:
        assert self.found(stored, status="risky") == ["a9@x.org", "a6@x.org", "a3@x.org"]
        assert self.found(stored, status="risky", q="6") == ["a6@x.org"]
        assert self.found(stored, reason="timeout") == ["c@y.org"] and self.found(stored, reason="timeout", status="valid") == []
        assert len(self.found(stored, older_than_days=0)) == 11 and self.found(stored, older_than_days=30_000) == []

    def test_pages_go_on_where_they_stopped_whatever_is_verified_meanwhile(self, stored: Database) -> None:
        first = verdict_pages.page(stored, limit=4)
        assert [email.address for email in first.emails] == ["a9@x.org", "a8@x.org", "a7@x.org", "a6@x.org"] and first.total == 11
        verdicts.save(stored, [fresh("new@x.org", at=99_000)])
        seen, cursor = [], first.cursor
        while cursor:
            page = verdict_pages.page(stored, limit=4, cursor=cursor)
            seen += [email.address for email in page.emails]
            cursor = page.cursor
            assert page.total == 12
        assert seen == ["a5@x.org", "a4@x.org", "a3@x.org", "a2@x.org", "a1@x.org", "b_1@mail.x.org", "c@y.org"]

    def test_addresses_of_the_same_moment_are_each_on_one_page(self, database: Database) -> None:
        verdicts.save(database, [fresh(f"u{n}@x.org") for n in range(7)])
        seen: list[str] = []
        cursor = None
        while not seen or cursor:
            page = verdict_pages.page(database, limit=2, cursor=cursor)
            seen += [email.address for email in page.emails]
            cursor = page.cursor
        assert seen == [f"u{n}@x.org" for n in range(6, -1, -1)]

    @pytest.mark.parametrize("cursor", ["x", "MTIz", "ÄÖ", "!!!!", "a" * 9_999])
    def test_a_cursor_of_somewhere_else_is_refused(self, database: Database, cursor: str) -> None:
        with pytest.raises(InvalidInput, match="cursor"):
            verdict_pages.page(database, cursor=cursor)

    @pytest.mark.parametrize("limit", [0, 501])
    def test_a_page_has_bounds(self, database: Database, limit: int) -> None:
        with pytest.raises(InvalidInput, match="limit"):
            verdict_pages.page(database, limit=limit)

    def test_history_names_the_job_while_it_exists(self, database: Database, vault: Vault) -> None:
        job_id = complete(database, vault)
        verdicts.save(database, [fresh(job_id=job_id)])
        verdicts.save(database, [fresh(job_id=None, at=2_000, service="dns")])
        newest, oldest = verdict_pages.history(database, "ann@x.org")
        assert (newest.job_id, newest.job_type, newest.service, newest.at) == (None, None, "dns", 2_000)
        assert (oldest.job_id, oldest.job_type, oldest.service) == (job_id, "count", "smtp")
        control.remove(database, job_id)
        assert verdict_pages.history(database, "ann@x.org")[1].job_type is None
        assert verdict_pages.history(database, "bob@x.org") == []

    def test_forgetting_takes_the_history_along(self, stored: Database) -> None:
        verdict_pages.remove(stored, "a1@x.org")
        for act in (verdict_pages.remove, verdict_pages.get):
            with pytest.raises(NotFound, match="never verified"):
                act(stored, "a1@x.org")
        with stored.read() as connection:
            assert connection.execute(select(func.count()).select_from(verifications)).scalar() == 10
        verdicts.save(stored, [fresh("a1@x.org")])
        assert known(stored, "a1@x.org").count == 1 and lines(stored, "a1@x.org") == ["valid"]

    def test_forgetting_all_that_fit(self, stored: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(verdict_pages, "_BATCH", 2)
        assert verdict_pages.remove_where(stored, Wanted(status="valid")) == 6
        assert self.found(stored) == ["a9@x.org", "a6@x.org", "a3@x.org", "b_1@mail.x.org", "c@y.org"]
        assert verdict_pages.remove_where(stored, Wanted(q="@x.org")) == 3
        assert verdict_pages.remove_where(stored, Wanted(older_than_days=0)) == 2
        assert verdict_pages.remove_where(stored, Wanted(older_than_days=0)) == 0

    def test_an_address_verified_while_others_are_forgotten_stays(
        self, stored: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        honest = verdict_pages._take_away

        def verified_first(connection: Any, wanted: Wanted, ids: Any) -> int:
            connection.execute(text("UPDATE verified_email SET status = 'valid' WHERE address = 'c@y.org'"))
            return honest(connection, wanted, ids)

        monkeypatch.setattr(verdict_pages, "_take_away", verified_first)
        assert verdict_pages.remove_where(stored, Wanted(status="unknown")) == 0
        assert known(stored, "c@y.org").status == "valid"

    def test_a_stream_misses_nothing_that_is_verified_again_meanwhile(
        self, stored: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(verdict_pages, "STREAM_ROWS", 3)
        seen: list[str] = []
        for number, rows in enumerate(verdict_pages.stream(stored, Wanted())):
            assert len(rows) <= 3
            seen += [row.address for row in rows]
            verdicts.save(stored, [fresh(f"a{n}@x.org", at=10**6 + number) for n in range(1, 10)] + [fresh(f"new{number}@x.org")])
        assert len(seen) == len(set(seen)) == 11

    def test_only_a_filter_without_any_condition_is_empty(self) -> None:
        assert Wanted().empty and Wanted(q="", status=None).empty
        assert not Wanted(older_than_days=0).empty and not Wanted(level="domain").empty
