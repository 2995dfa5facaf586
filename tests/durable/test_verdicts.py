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
from sqlalchemy import func, select

from engine.durable import control, verdict_pages, verdicts
from engine.durable.database import Database
from engine.durable.tables import probe_permits
from engine.durable.vault import Vault
from engine.durable.verdicts import Fresh, Known
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
