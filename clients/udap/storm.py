"""What partners can make a server fetch: many lists at once from hosts that hang, and addresses that are none of theirs.

Environment: HANDRAIL. `--registrations N` (200): how many come at once with certificates whose lists hang. Meanwhile
another client reads, others register and ask for tokens: what they get is compared with what they get while as many
registrations come whose lists are there. Rows D9, F60.
"""

import argparse
import asyncio
import json
import multiprocessing
import resource
import select
import socket
import ssl
import sys
import threading
import time
import urllib.parse

import world
from lists import Hanging, Lists
from partners import Client, Community, fresh_uri

# Registrations that begin in a second.
PACE = 100
# A reader's percentile under this many seconds is good, whatever it was before: two cores are shared with this program.
FLOOR_S = 0.100

failed = []


def told(is_right, what):
    print(f"{'ok' if is_right else 'not ok'} - udap: {what}", flush=True)
    if not is_right:
        failed.append(what)


def resting(connection):
    """Whether the server has not closed it: what rests may have to give way."""
    return not select.select([connection.sock], [], [], 0)[0]


def read(port, ca, path, token, stop, results):
    """Another process: reads and reads, fifty times a second. Gives back (second, seconds that it took, status)."""
    import http.client

    tls, connection, seen = ssl.create_default_context(cafile=ca), None, []
    while not stop.is_set():
        began = time.monotonic()
        try:
            if connection and not resting(connection):
                connection = None
            connection = connection or http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=tls)
            connection.request("GET", path, headers={"authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            answer.read()
            status = answer.status
        except (OSError, http.client.HTTPException):
            connection, status = None, 0
        took = time.monotonic() - began
        seen.append((began, took, status))
        time.sleep(max(0, 0.02 - took))
    results.put(seen)


class Reader:
    def __init__(self, server, token):
        context = multiprocessing.get_context("spawn")
        self.stop, self.results = context.Event(), context.Queue()
        ca, path = str(server.data / "tls/ca.pem"), "/fhir/Patient/member"
        self.process = context.Process(target=read, args=(server.port, ca, path, token, self.stop, self.results))
        self.process.start()

    def end(self):
        self.stop.set()
        seen = self.results.get(timeout=60)
        self.process.join()
        return seen


def percentile(seen, share):
    times = sorted(took for _, took, _ in seen)
    return times[min(len(times) - 1, int(len(times) * share))] if times else 0.0


class Memory(threading.Thread):
    """The most that the server held, looked at ten times a second."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.most_kb, self.goes_on = server, 0, True
        self.start()

    def run(self):
        while self.goes_on:
            self.most_kb = max(self.most_kb, self.server.memory_kb())
            time.sleep(0.1)

    def end(self):
        self.goes_on = False
        self.join()
        return self.most_kb


async def one(server, tls, number, statement, seen):
    """A registration from an address of its own; its status, how long it took, and when it was sent."""
    await asyncio.sleep(number / PACE)
    body = json.dumps({"software_statement": statement(), "udap": "1"}).encode()
    head = (
        f"POST /oauth/udap/register HTTP/1.1\r\nhost: 127.0.0.1:{server.port}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    began = sent = time.monotonic()
    try:
        async with asyncio.timeout(60):
            reading, writing = await asyncio.open_connection(
                "127.0.0.1", server.port, ssl=tls, local_addr=(world.address(), 0)
            )
            writing.write(head.encode() + body)
            await writing.drain()
            sent = time.monotonic()
            line = await reading.readline()
            await reading.read()
            writing.close()
        status = int(line.split()[1]) if line else "closed"
    except (OSError, TimeoutError) as why:
        status = type(why).__name__
    seen.append((status, time.monotonic() - began, sent))


async def all_of(server, statements):
    seen = []
    await asyncio.gather(*(one(server, server.tls, number, each, seen) for number, each in enumerate(statements)))
    return seen


def storm(server, community, urls, meanwhile):
    """As many registrations as there are URLs of lists; `meanwhile` is done over and over."""
    held = [community.authority.leaf(fresh_uri(), crl=url) for url in urls]
    # Signed when it is sent: it is good for some minutes only.
    statements = [lambda each=each: world.jws(world.statement(server, each.uri), each) for each in held]
    results = []
    thread = threading.Thread(target=lambda: results.extend(asyncio.run(all_of(server, statements))))
    memory = Memory(server)
    began = time.monotonic()
    thread.start()
    done = []
    while thread.is_alive():
        done += meanwhile()
        thread.join(0.5)
    return results, done, time.monotonic() - began, memory.end()


def summed(results):
    counts = {}
    for status, *_ in results:
        counts[status] = counts.get(status, 0) + 1
    return ", ".join(f"{count} x {status}" for status, count in sorted(counts.items(), key=str))


def storms(count):
    lists, hanging = Lists(), Hanging()
    with world.Server(allow=["127.0.0.0/8"]) as server:
        north = Community(server, lists, "north", ["--registrations", "5000"])
        token = server.system()
        server.put(token, {"resourceType": "Patient", "id": "member"})
        known = Client(north)

        def meanwhile():
            began = time.monotonic()
            asked = known.ask()
            between = time.monotonic()
            registered = north.register()
            return [
                ("token", asked.status, between - began),
                ("registration", registered.status, time.monotonic() - between),
            ]

        def at(moment, until):
            return [one for one in seen if moment <= one[0] < until]

        reader = Reader(server, token)
        time.sleep(1.5)
        marks = [time.monotonic()]
        while time.monotonic() < marks[0] + 5:
            meanwhile()
            time.sleep(0.5)
        marks.append(time.monotonic())
        calm_kb = server.memory_kb()
        places = [lists.place(north.authority.crl()) for _ in range(20)]
        good = [places[number % len(places)] for number in range(count)]
        for place in places:
            north.register(north.authority.leaf(fresh_uri(), crl=place))
        marks.append(time.monotonic())
        results, done, good_s, good_kb = storm(server, north, good, meanwhile)
        told(
            all(status == 201 for status, *_ in results),
            f"{count} registrations whose lists are there: {summed(results)} in {good_s:.1f} s",
        )
        marks.append(time.monotonic())
        time.sleep(1)
        # Each list at a host of its own, so that none is known to hang before it is asked.
        bad = [f"http://{world.address()}:{hanging.port}/{number}.crl" for number in range(count)]
        marks.append(time.monotonic())
        results, done, bad_s, bad_kb = storm(server, north, bad, meanwhile)
        marks.append(time.monotonic())
        last = max(sent for *_, sent in results)
        told(
            {status for status, *_ in results} <= {400, 503},
            f"{count} registrations whose lists hang: {summed(results)} in {bad_s:.1f} s, {len(hanging.connections)} connections to those hosts",
        )
        refused = sum(status == 400 for status, *_ in results)
        told(
            refused <= 150, f"{refused} of them heard that nobody speaks of their certificate, the others to come again"
        )
        longest = max(took for _, took, _ in results)
        told(longest < 15, f"the longest of them waited {longest:.1f} s")
        time.sleep(1)
        began, answer = time.monotonic(), north.register(north.with_list(lambda _: north.authority.crl()))
        told(
            answer.status == 201,
            f"after them a registration with a new list: {answer.status} in {time.monotonic() - began:.2f} s",
        )
        new = Lists("127.0.0.11")
        began, status = time.monotonic(), 0
        while status != 201 and time.monotonic() - began < 20:
            url = new.place(north.authority.crl())
            status = north.register(north.authority.leaf(fresh_uri(), crl=url)).status
        told(
            status == 201,
            f"and one with a list at a host that was never asked: {status} in {time.monotonic() - began:.2f} s",
        )
        after_kb = server.memory_kb()
        seen = reader.end()
        # The first tells what the hanging costs; the last two, what so many connections cost two cores, and hanging
        # must not add to that.
        parts = {
            "calm": at(marks[0], marks[1]),
            "all have come, lists hang": at(last, marks[5]),
            "they come, lists are there": at(marks[2], marks[3]),
            "they come, lists hang": at(marks[4], last),
        }
        for name, part in parts.items():
            bad_ones = sum(status != 200 for *_, status in part)
            times = f"p50 {percentile(part, 0.5) * 1000:.1f} ms, p99 {percentile(part, 0.99) * 1000:.1f} ms"
            print(f"     reads, {name}: {len(part)}, {times}, {bad_ones} not 200")
        calm, hang, busy, both = (percentile(part, 0.99) for part in parts.values())
        told(all(status == 200 for *_, status in at(marks[4], marks[5])), "while lists hang every read is answered")
        for ours, before, what in [(hang, calm, "calm"), (both, busy, "with lists that are there")]:
            limit = 2 * max(before, FLOOR_S / 2)
            told(
                ours <= limit,
                f"p99 of reads {ours * 1000:.1f} ms, {what} {before * 1000:.1f} ms; at most {limit * 1000:.1f} ms",
            )
        wrong = [one for one in done if one[1] not in (200, 201)]
        slowest = max(took for _, _, took in done)
        told(
            not wrong and slowest < 2,
            f"{len(done)} tokens and registrations meanwhile, the slowest in {slowest:.2f} s{wrong or ''}",
        )
        # What a connection and a request take, and what is remembered of each list and host.
        most_kb = max(good_kb, calm_kb) + 32 * 1024 + 16 * count
        told(
            bad_kb < most_kb,
            f"memory: calm {calm_kb // 1024} MiB, most {good_kb // 1024} MiB with lists there, {bad_kb // 1024} MiB with lists that hang, {after_kb // 1024} MiB after",
        )
    hanging.close()


class Canary:
    """Listens wherever it may on this machine; whoever comes was sent by the server, where it never should."""

    def __init__(self):
        self.visits, self.sockets = [], []
        first = self.listen(socket.AF_INET, "0.0.0.0", 0)
        self.port = first.getsockname()[1]
        # The usual ports too, where this machine lets us: nothing then speaks against them but their addresses.
        self.ports = [self.port, *(port for port in (80, 443) if self.listen(socket.AF_INET, "0.0.0.0", port))]
        for port in self.ports:
            self.listen(socket.AF_INET6, "::", port)

    def listen(self, family, host, port):
        listening = socket.socket(family, socket.SOCK_STREAM)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listening.bind((host, port))
            listening.listen(64)
        except OSError:
            return None
        self.sockets.append(listening)
        threading.Thread(target=self.take, args=(listening,), daemon=True).start()
        return listening

    def take(self, listening):
        while True:
            connection, who = listening.accept()
            self.visits.append((listening.getsockname(), who))
            connection.close()


def own_address():
    """This machine's address in its network: nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return [probe.getsockname()[0]]
        except OSError:
            return []


def inner_hosts():
    """Ways to write an address that a partner has no business with."""
    return [
        "127.0.0.1", "127.1", "2130706433", "017700000001", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "127.0.0.1.",
        "0.0.0.0", "0", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]", "localhost", "LOCALHOST", "localhost.", "ip6-localhost", socket.gethostname(), *own_address(),
        "169.254.169.254", "[::ffff:169.254.169.254]", "2852039166", "[fd00:ec2::254]", "metadata.google.internal",
        "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "[fe80::1]", "[fd00::1]", "list@127.0.0.1",
    ]  # fmt: skip


def forged():
    canary, lists = Canary(), Lists("127.0.0.9")
    with socket.create_connection(("127.0.0.1", canary.port)):
        pass
    time.sleep(0.2)
    assert len(canary.visits) == 1, "the canary is deaf"
    canary.visits.clear()
    with world.Server(allow=["127.0.0.9/32"]) as server:
        # That fetching works at all is seen by the lists of the community itself, at 127.0.0.9.
        north = Community(server, lists, "north", ["--identity-providers"])
        client = Client(north)
        assert client.ask().status == 200 and lists.asked
        ca = north.authority
        tried = {}

        def expect(field, url, answer, *statuses):
            """What was answered, and that nobody came."""
            tried[field] = tried.get(field, 0) + 1
            if answer.status not in statuses or canary.visits:
                told(False, f"{field} {url}: {answer}; visits: {canary.visits}")
                canary.visits.clear()

        urls = [f"http://{host}{at}/x" for host in inner_hosts() for at in ["", f":{canary.port}"]]
        urls += [f"https://{host}:{canary.port}/x" for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]")]
        urls += [f"ftp://127.0.0.1:{canary.port}/x", f"ldap://127.0.0.1:{canary.port}/x", "file:///etc/passwd"]
        base = lists.base.removeprefix("http://")
        urls += [f"http://{base}@127.0.0.1:{canary.port}/x", f"http://127.0.0.1:{canary.port}#@{base}/x"]
        urls += [f"http://127.0.0.1:{canary.port}\\@{base}/x"]
        for url in urls:
            expect("CRL distribution point", url, north.register(ca.leaf(fresh_uri(), crl=url)), 400)
            expect("OCSP responder", url, north.register(ca.leaf(fresh_uri(), ocsp_url=url)), 400)

        def sent_away():
            """A list server that we may ask, and that sends us elsewhere."""
            lists.redirects[path] = f"http://127.0.0.1:{canary.port}/x"
            return north.register(ca.leaf(fresh_uri(), crl=lists.base + path))

        path = "/away"
        expect("redirect of a list server", path, sent_away(), 400)
        authority = north.root.below("with a bad list", path_length=0, crl=f"http://127.0.0.1:{canary.port}/x")
        expect(
            "CRL distribution point of an intermediate",
            "",
            north.register(authority.leaf(fresh_uri(), crl=lists.place(authority.crl()))),
            400,
        )

        # An app's logo is fetched, beside the request; of the other addresses none is. How many logos are fetched is
        # limited, so these are the few that matter.
        for host in [
            "127.0.0.1",
            "localhost",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "2130706433",
            *own_address(),
            "169.254.169.254",
        ]:
            for at in ["", f":{canary.port}"]:
                url = f"https://{host}{at}/logo.png"
                expect("logo_uri", url, north.register(app=True, logo_uri=url), 201, 400)
        inner = f"https://127.0.0.1:{canary.port}/x"
        for field in [
            "client_uri",
            "policy_uri",
            "tos_uri",
            "jwks_uri",
            "sector_identifier_uri",
            "software_statement_uri",
        ]:
            expect(field, inner, north.register(app=True, **{field: inner}), 201)
        expect("redirect_uris", inner, north.register(app=True, redirect_uris=[inner]), 201)
        for header in [{"jku": inner, "kid": "1"}, {"x5u": inner}]:
            name = next(iter(header))
            expect(f"{name} beside x5c", inner, north.register(sign={"header": header}), 201, 400)
            expect(f"{name} in place of x5c", inner, north.register(sign={"header": {"x5c": None, **header}}), 400)
            expect(f"{name} at the token endpoint", inner, client.ask(sign={"header": {"x5c": None, **header}}), 400)
        extension = world.b2b(consent_policy=[inner], consent_reference=[inner], organization_id=inner)
        expect("consent_reference", inner, client.ask(extension=extension), 200)
        app = Client(north, app=True, scope="openid udap patient/Patient.rs offline_access")
        idps = [f"https://{host}{at}/fhir" for host in inner_hosts() for at in ["", f":{canary.port}"]]
        for idp in [*idps, f"http://127.0.0.1:{canary.port}/fhir"]:
            query = urllib.parse.urlencode({
                "response_type": "code", "client_id": app.id, "redirect_uri": "https://app.example.org/back", "state": "s" * 22,
                "scope": "openid udap patient/Patient.rs", "code_challenge": "c" * 43, "code_challenge_method": "S256",
                "aud": server.fhir, "idp": idp,
            })  # fmt: skip
            answer = server.send("GET", f"{server.origin}/oauth/authorize?{query}")
            # As a browser does, until it is sent to the app.
            while (answer.headers["location"] or "").startswith("/"):
                answer = server.send("GET", server.origin + answer.headers["location"])
            expect("idp", idp, answer, 303)
            if "error=invalid_idp" not in answer.headers["location"]:
                told(False, f"idp {idp}: {answer.headers['location']}")
        community = urllib.parse.quote(inner, safe="")
        expect("community", inner, server.send("GET", f"{server.fhir}/.well-known/udap?community={community}"), 200)
        # Logos come beside the requests.
        time.sleep(2)
        told(
            not canary.visits,
            f"nobody came to the canary (ports {', '.join(map(str, canary.ports))}) by "
            + ", ".join(f"{count} x {field}" for field, count in tried.items()),
        )
        log = (server.folder / "log").read_text()
        told(log.count("is not public") >= 30, f"{log.count('is not public')} addresses were refused by what they are")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--registrations", type=int, default=200)
    count = options.parse_args().registrations
    # Files: both ends of a connection are this program's, or the server's and this program's.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65536) if most > 0 else 65536, most))
    forged()
    storms(count)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
