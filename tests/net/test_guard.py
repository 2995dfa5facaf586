"""The guard: which addresses it permits, and that HTTP through it goes to vetted addresses only, whatever names say."""

from __future__ import annotations

import asyncio
import socket
import ssl

import httpx
import pytest

from engine.errors import ForbiddenTarget
from engine.net.guard import Guard, is_public, system_addresses, transport
from tests.lab.certificates import self_signed
from tests.lab.running import LabServer

PUBLIC = """
    1.1.1.1 9.9.9.9 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0
    192.0.1.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255 8.8.8.8 168.63.129.17
    2606:4700:4700::1111 2001:4860:4860::8888 2a00:1450:4001::1a 2001:200::1 64:ff9b::8.8.8.8
""".split()
SPECIAL = {
    "this network": "0.0.0.0 0.0.0.1 0.255.255.255",
    "private": "10.0.0.1 10.255.255.255 172.16.0.0 172.31.255.255 192.168.0.1 192.168.255.255",
    "shared (RFC 6598)": "100.64.0.0 100.127.255.255 100.100.100.200",
    "loopback": "127.0.0.1 127.0.0.2 127.255.255.255 ::1",
    "link-local": "169.254.0.1 169.254.169.254 169.254.255.255 fe80::1 febf::1 fe80::1%eth0",
    "IETF protocols": "192.0.0.0 192.0.0.8 192.0.0.192 192.0.0.255 2001::1 2001:1::1",
    "documentation": "192.0.2.1 198.51.100.1 203.0.113.1 2001:db8::1 3fff::1",
    "anycast and AS112": "192.31.196.1 192.52.193.1 192.88.99.1 192.175.48.1 2620:4f:8000::1",
    "benchmarks": "198.18.0.0 198.19.255.255 2001:2::1",
    "multicast": "224.0.0.1 239.255.255.255 ff02::1 ff0e::1",
    "reserved": "240.0.0.1 255.255.255.254 4000::1 5f00::1 1::1",
    "broadcast": "255.255.255.255",
    "a cloud's own": "168.63.129.16",
    "unspecified": "::",
    "unique local": "fc00::1 fd00:ec2::254 fdff::1",
    "site-local": "fec0::1",
    "IPv4-mapped": "::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:10.0.0.1 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1",
    "IPv4-compatible": "::127.0.0.1 ::8.8.8.8",
    "6to4": "2002:7f00:1:: 2002:a00:1::1 2002:808:808::1",
    "Teredo": "2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:0:808:808::1",
    "NAT64 of a special address": "64:ff9b::127.0.0.1 64:ff9b::a00:1 64:ff9b::169.254.169.254 64:ff9b::0.0.0.0",
    "local NAT64": "64:ff9b:1::808:808",
    "discard": "100::1",
}
NO_ADDRESS = [
    "",
    "localhost",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "127.0.0.1 ",
    "[::1]",
    "1.1.1.1:80",
    "1.1.1.1\n",
    "①.1.1.1",
]


@pytest.mark.parametrize("ip", PUBLIC)
def test_public_addresses_are_permitted(ip):
    assert Guard().permits(ip)
    assert Guard(allow_private=True).permits(ip)


@pytest.mark.parametrize("ip", [pytest.param(ip, id=f"{kind} {ip}") for kind, ips in SPECIAL.items() for ip in ips.split()])
def test_special_addresses_are_permitted_only_where_private_networks_are(ip):
    assert not Guard().permits(ip)
    assert not is_public(ip.upper())
    assert Guard(allow_private=True).permits(ip)


@pytest.mark.parametrize("text", NO_ADDRESS)
def test_what_is_no_address_is_never_permitted(text):
    assert not Guard().permits(text)
    assert not Guard(allow_private=True).permits(text)


def test_vetting_keeps_the_order_and_each_address_once():
    assert Guard().vetted(["9.9.9.9", "10.0.0.1", "1.1.1.1", "9.9.9.9", "::1"]) == ["9.9.9.9", "1.1.1.1"]


def test_a_trusted_address_is_permitted_at_its_port_and_no_other_is():
    guard = Guard(trusted=frozenset({("127.0.0.1", 2525), ("::1", 25)}))
    assert guard.permits("127.0.0.1", 2525)
    assert guard.permits("0:0::1", 25)
    assert guard.vetted(["127.0.0.1", "127.0.0.2", "1.1.1.1"], 2525) == ["127.0.0.1", "1.1.1.1"]
    for ip, port in (("127.0.0.1", 2526), ("127.0.0.2", 2525), ("::1", 2525), ("127.0.0.1", None), ("10.0.0.1", 25)):
        assert not guard.permits(ip, port)
        with pytest.raises(ForbiddenTarget):
            guard.check(ip, port)
    guard.check("127.0.0.1", 2525)


def test_a_trusted_name_is_permitted_where_it_was_found_and_only_then():
    guard = Guard(trusted=frozenset({("Relay.internal", 2525)}))
    assert not guard.permits("10.0.0.5", 2525)
    found = guard.found("relay.INTERNAL.", 2525, ["10.0.0.5"])
    assert found.permits("10.0.0.5", 2525)
    assert not found.permits("10.0.0.6", 2525)
    assert not found.permits("10.0.0.5", 25)
    assert guard.found("relay.internal", 25, ["10.0.0.5"]) == guard
    assert guard.found("other.internal", 2525, ["10.0.0.5"]) == guard
    assert not guard.permits("relay.internal", 2525), "a name is no address"


class Web(LabServer):
    """Answers every request with what was asked and of whom; `replies` holds other answers by path. Counts connections."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        super().__init__()
        self.context = context
        self.replies: dict[str, str] = {}
        self.accepted = 0
        self.names: list[str | None] = []

    async def open(self) -> None:
        if self.context:
            self.context.sni_callback = lambda _, name, __: self.names.append(name)
        await self.listen(self.talk, ssl=self.context)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        while head := (await reader.readuntil(b"\r\n\r\n")).decode():
            path = head.split()[1]
            host = next(line[6:] for line in head.splitlines() if line.lower().startswith("host: "))
            extra = f"Location: {self.replies[path]}\r\n" if path in self.replies else ""
            body = f"{path} of {host}"
            status = "302 Found" if extra else "200 OK"
            writer.write(f"HTTP/1.1 {status}\r\n{extra}Content-Length: {len(body)}\r\n\r\n{body}".encode())
            await writer.drain()


class Names:
    """A resolver whose answers come one after another; the last stays. Remembers what was asked."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self.answers = {name.replace("_", "."): list(found) for name, found in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str) -> list[str]:
        self.asked.append(host)
        found = self.answers.get(host)
        if found is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return found.pop(0) if len(found) > 1 else found[0]


class Only(Guard):
    """Takes 127.0.0.1 for public and every other address for what it is."""

    def permits(self, ip: str, port: int | None = None) -> bool:
        return ip == "127.0.0.1" or super().permits(ip, port)


@pytest.fixture
def web():
    with Web() as server:
        yield server


def client(guard: Guard, names: Names, **options) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=transport(guard, names, **options), timeout=5, follow_redirects=True)


async def test_a_connection_goes_to_the_address_and_names_the_host(web):
    names = Names(site_test=[["127.0.0.1"]])
    async with client(Only(), names) as http:
        answer = await http.get(f"http://site.test:{web.port}/a")
    assert answer.text == f"/a of site.test:{web.port}"
    assert names.asked == ["site.test"]


async def test_connections_are_kept_alive_and_resolved_once(web):
    names = Names(site_test=[["127.0.0.1"], ["10.0.0.1"]])
    async with client(Only(), names) as http:
        for n in range(5):
            await http.get(f"http://site.test:{web.port}/{n}")
    assert (web.accepted, names.asked) == (1, ["site.test"])


async def test_a_name_that_changes_its_address_is_vetted_again_for_each_connection(web):
    names = Names(site_test=[["127.0.0.1"], ["127.0.0.2"]])
    async with client(Only(), names, limits=httpx.Limits(max_keepalive_connections=0)) as http:
        assert (await http.get(f"http://site.test:{web.port}/")).is_success
        with pytest.raises(ForbiddenTarget, match=r"site\.test has no public address"):
            await http.get(f"http://site.test:{web.port}/")
    assert web.accepted == 1


async def test_the_address_that_was_vetted_is_the_one_connected_to(web, monkeypatch):
    names = Names(site_test=[["127.0.0.1"], ["127.0.0.9"]])
    seen: list[str] = []
    usual = asyncio.get_running_loop().sock_connect

    async def watched(sock, address):
        seen.append(address[0])
        return await usual(sock, address)

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", watched)
    async with client(Only(), names) as http:
        await http.get(f"http://site.test:{web.port}/")
    assert (seen, names.asked) == (["127.0.0.1"], ["site.test"]), "the name is not resolved a second time"


@pytest.mark.parametrize(
    "target", ["http://inner.test:{port}/", "http://127.0.0.2:{port}/", "http://[::1]:{port}/", "http://127.1:{port}/"]
)
async def test_where_a_redirect_leads_is_vetted(web, target):
    web.replies["/go"] = target.format(port=web.port)
    names = Names(site_test=[["127.0.0.1"]], inner_test=[["10.0.0.1"]], **{"127_1": [["127.0.0.2"]]})
    async with client(Only(), names) as http:
        with pytest.raises(ForbiddenTarget):
            await http.get(f"http://site.test:{web.port}/go")
    assert web.accepted == 1


async def test_a_redirect_to_a_permitted_host_is_followed(web):
    web.replies["/go"] = f"http://other.test:{web.port}/there"
    async with client(Only(), Names(site_test=[["127.0.0.1"]], other_test=[["127.0.0.1"]])) as http:
        assert (await http.get(f"http://site.test:{web.port}/go")).text == f"/there of other.test:{web.port}"


async def test_only_the_permitted_addresses_of_a_name_are_used(web):
    async with client(Only(), Names(site_test=[["10.0.0.1", "169.254.169.254", "127.0.0.1"]])) as http:
        assert (await http.get(f"http://site.test:{web.port}/")).is_success


async def test_an_address_that_refuses_is_followed_by_the_next(web):
    names = Names(site_test=[["127.0.0.77", "127.0.0.1"]])
    async with client(Guard(allow_private=True), names) as http:
        assert (await http.get(f"http://site.test:{web.port}/")).is_success


async def test_without_permission_nothing_private_is_reached(web):
    async with client(Guard(), Names(site_test=[["127.0.0.1"]])) as http:
        for url in (f"http://site.test:{web.port}/", f"http://127.0.0.1:{web.port}/"):
            with pytest.raises(ForbiddenTarget):
                await http.get(url)
    assert web.accepted == 0


async def test_other_ports_need_permission(web):
    names = Names(site_test=[["127.0.0.1"]])
    async with client(Only(), names, ports=(80, 443)) as http:
        with pytest.raises(ForbiddenTarget, match=r"is not one of 80, 443"):
            await http.get(f"http://site.test:{web.port}/")
    async with client(Guard(allow_private=True), names, ports=(80, 443)) as http:
        assert (await http.get(f"http://site.test:{web.port}/")).is_success


async def test_what_the_server_trusts_is_reached_in_a_private_network_and_nothing_beside_it(web):
    names = Names(model_test=[["127.0.0.1"]], other_test=[["127.0.0.1"]])
    for host in ("model.test", "127.0.0.1"):
        web.replies["/go"] = f"http://other.test:{web.port}/"
        async with client(Guard(trusted=frozenset({(host, web.port)})), names, ports=(80, 443)) as http:
            assert (await http.get(f"http://{host}:{web.port}/a")).text == f"/a of {host}:{web.port}"
            for elsewhere in (f"http://other.test:{web.port}/", f"http://127.0.0.2:{web.port}/", f"http://{host}:{web.port}/go"):
                with pytest.raises(ForbiddenTarget):
                    await http.get(elsewhere)
        async with client(Guard(trusted=frozenset({(host, web.port + 1)})), names) as http:
            with pytest.raises(ForbiddenTarget):
                await http.get(f"http://{host}:{web.port}/")


async def test_a_plain_connection_reaches_what_is_trusted(web):
    with pytest.raises(ForbiddenTarget):
        await Guard(trusted=frozenset({("127.0.0.1", web.port + 1)})).connect("127.0.0.1", web.port, 5)
    reader, writer = await Guard(trusted=frozenset({("127.0.0.1", web.port)})).connect("127.0.0.1", web.port, 5)
    writer.write(b"GET /x HTTP/1.1\r\nHost: y\r\n\r\n")
    assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
    writer.close()
    await writer.wait_closed()


async def test_a_host_without_an_address_is_a_connect_error():
    async with client(Guard(), Names(empty_test=[[]])) as http:
        for host in ("nothing.test", "empty.test"):
            with pytest.raises(httpx.ConnectError, match=f"{host} has no address"):
                await http.get(f"http://{host}/")


async def test_a_name_that_takes_too_long_is_a_connect_timeout():
    async def never(host: str) -> list[str]:
        await asyncio.Event().wait()
        return []

    async with httpx.AsyncClient(transport=transport(Guard(), never), timeout=0.05) as http:
        with pytest.raises(httpx.ConnectTimeout):
            await http.get("http://slow.test/")


@pytest.fixture
def secure(tmp_path):
    pair = tmp_path / "pair.pem"
    pair.write_bytes(self_signed("secure.test"))
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(pair)
    with Web(served) as server:
        yield server, ssl.create_default_context(cafile=str(pair))


async def test_tls_is_started_and_verified_for_the_name_not_for_the_address(secure):
    server, trusting = secure
    names = Names(secure_test=[["127.0.0.1"]], other_test=[["127.0.0.1"]])
    async with client(Only(), names, context=trusting) as http:
        assert (await http.get(f"https://secure.test:{server.port}/a")).text == f"/a of secure.test:{server.port}"
        with pytest.raises(httpx.ConnectError, match=r"not valid for 'other\.test'"):
            await http.get(f"https://other.test:{server.port}/")
    assert server.names == ["secure.test", "other.test"]


async def test_an_authority_that_is_not_known_is_refused(secure):
    server, _ = secure
    async with client(Only(), Names(secure_test=[["127.0.0.1"]])) as http:
        with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
            await http.get(f"https://secure.test:{server.port}/")


async def test_a_plain_connection_is_vetted_too(web):
    with pytest.raises(ForbiddenTarget, match=r"127\.0\.0\.1 is not a public address"):
        await Guard().connect("127.0.0.1", web.port, 5)
    with pytest.raises(ForbiddenTarget):
        await Guard(allow_private=True).connect("localhost", web.port, 5)
    assert web.accepted == 0
    reader, writer = await Guard(allow_private=True).connect("127.0.0.1", web.port, 5, limit=4096)
    writer.write(b"GET /x HTTP/1.1\r\nHost: y\r\n\r\n")
    assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
    writer.close()
    await writer.wait_closed()


async def test_the_system_resolves_names_and_says_when_it_cannot():
    assert await system_addresses("127.0.0.1") == ["127.0.0.1"]
    with pytest.raises(OSError, match="not a name"):
        await system_addresses("a..b")
