"""What one management server carries, on one machine with its clients: one JSON line per case, each with what the same
machine can do at the most in the same minutes ("limit"), and how many processors were busy with what does not belong to
the bench ("others"): on a busy machine only the ratios say something.

  login    good logins while 1,000 wrong ones a second arrive from 50 addresses, of what the Argon2 threads can do:
           goal >= 0.8, p99 <= 2 s. ratio_by_cpu: of what the hashing thread could do in the CPU time that it got
  streams  9,900 event streams, half HTTP/1.1 and half HTTP/2: memory, idle CPU, and 20 claims a second among them from the
           customer's request to the operator's event: goal p99 <= 50 ms
  claims   numbers issued and claimed per second, of one-row transactions per second, on SQLite and PostgreSQL;
           and wrong numbers, without and with work
  renew    tickets renewed per second, of what the signing process and the database can do

No case hangs: every wait has a limit, and the whole has one too."""

import hashlib
import hmac
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "e2e"))

from api import Api, Key, Operator, crockford_to_int, pad16  # noqa: E402
from pg import Postgres  # noqa: E402
from rig import Failed, Program, Rig, run  # noqa: E402
from service import PASSWORD, Service  # noqa: E402

LIMIT_S = 1500
RUNS = int(os.environ.get("MANAGER_RUNS", "3"))
STREAMS = int(os.environ.get("MANAGER_STREAMS", "9900"))
PER_OPERATOR = 16  # streams of one operator, the most there may be
SOURCES = 10
NOISE = 0.5  # processors busy with other things: more, and a long case is tried again
TICK = os.sysconf("SC_CLK_TCK")
DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
DAMM = ("0317598642", "7092154863", "4206871359", "1750983426", "6123045978", "3674209581", "5869720134", "8945362017",
        "9438617205", "2581436790")


# --- figures ---


def say(case, **figures):
    print(json.dumps({"bench": "manager", "case": case, **figures}), flush=True)


def percentile(values, p):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * p / 100))] if ordered else None


def ms(values, p):
    value = percentile(values, p)
    return None if value is None else round(value / 1000, 1)


def median(values):
    return sorted(values)[len(values) // 2]


def counted(values):
    counts = {}
    for v in values:
        counts[v] = counts.get(v, 0) + 1
    return counts


def machine_s():
    """CPU seconds that all programs of the machine have used."""
    with open("/proc/stat") as f:
        fields = list(map(int, f.readline().split()[1:9]))
    return (sum(fields) - fields[3] - fields[4]) / TICK


class Process:
    """CPU and memory of a process, its threads included."""

    def __init__(self, pid):
        self.pid = pid

    def cpu_s(self):
        with open(f"/proc/{self.pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def threads(self):
        """{name and id of a thread: CPU seconds}"""
        used = {}
        for tid in os.listdir(f"/proc/{self.pid}/task"):
            used[tid] = Process(f"{self.pid}/task/{tid}").cpu_s()
        return used

    def rss(self):
        with open(f"/proc/{self.pid}/status") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:")) * 1024


# --- the clients ---


class Load:
    """manager_load, and what it saw."""

    made = 0

    def __init__(self, service):
        rig = service.rig
        Load.made += 1
        self.service = service
        self.path = rig.path(f"samples{Load.made}")
        self.program = Program(rig, f"load{Load.made}", [
            rig.exe("manager_load", "bench"), service.addresses[1][0], "manager.tasuki.test", rig.path("ca.pem")])
        self.events = []
        self.replies = []

    def plan(self, name, mode, n=1, keeps=False, again=False):
        self.program.say(f"plan\t{name}\t{mode}\t{n}\t{int(keeps)}")
        if again:
            self.program.say(f"again\t{name}")

    def ask(self, plan, tag, method, target, authorization=None, body=None):
        text = json.dumps(body) if body is not None else "-"
        self.program.say("\t".join(["req", plan, str(tag), method, target, authorization or "-", text]))

    def open(self, plan, source, n, kind="h1"):
        self.program.say(f"open\t{plan}\t{source}\t{kind}\t{n}")
        got = self.program.wait("opened", 200)
        if got["broken"]:
            raise Failed(f"{got['broken']} of {n} connections from {source} broke\n{self.program.tail()}")
        return got

    def ours_s(self):
        pids = [self.program.pid, os.getpid(), *self.service.more_pids()]
        return self.service.process.cpu_s() + sum(Process(pid).cpu_s() for pid in pids)

    def run(self, seconds):
        """Afterwards `replies` are (plan, tag, status, sent_us since the beginning, took_us, body). "others": how many
        processors were busy with what does not belong to the bench."""
        all_s, ours_s = machine_s(), self.ours_s()
        self.program.say(f"run\t{seconds}\t{self.path}")
        ran = self.program.wait("ran", seconds + 60)
        ran["others"] = round(max(0, machine_s() - all_s - self.ours_s() + ours_s) / ran["seconds"], 2)
        self.replies, self.events = [], []
        with open(self.path, errors="replace") as f:
            for line in f:
                kind, *fields = line.rstrip("\n").split("\t", 6)
                if kind == "r":
                    plan, tag, status, sent, took, body = fields
                    self.replies.append((plan, tag, int(status), int(sent) - ran["began_us"], int(took), body))
                else:
                    self.events.append((int(fields[0]), int(fields[1]) - ran["began_us"], fields[2]))
        os.unlink(self.path)
        if ran["broken"] or ran["unanswered"]:
            raise Failed(f"{ran['broken']} connections broke, {ran['unanswered']} requests have no answer\n{self.program.tail()}")
        return ran

    def of(self, plan, tag=None, status=None):
        return [r for r in self.replies if r[0] == plan and (tag is None or r[1] == tag) and (status is None or r[2] == status)]

    def end(self):
        self.program.proc.stdin.close()
        self.program.exit_code()


def own(rig, *args):
    """What a part does by itself: "per_second", and "per_cpu_second", which does not depend on what else runs."""
    return json.loads(run([rig.exe("manager_own", "bench"), *map(str, args)], timeout=120))


# --- what is in the database before ---


def encode_id(number):
    return "".join(DIGITS[number >> shift & 31] for shift in range(60, -1, -5))


class Store:
    """The few rows that would take minutes through the API, put in by hand on either database."""

    def __init__(self, service, pg=None):
        self.service, self.pg = service, pg
        with open(os.path.join(service.keys, "server.keys")) as f:
            self.token_key = bytes.fromhex(re.search(r'token\s*=\s*"?([0-9a-f]{64})', f.read()).group(1))

    def sql(self, text):
        if self.pg:
            return self.pg.sql(text)
        with sqlite3.connect(self.service.database.removeprefix("sqlite:"), timeout=30) as db:
            rows = [db.execute(one).fetchall() for one in text.split(";\n") if one.strip()]
        db.close()
        return "\n".join("|".join(map(str, row)) for row in rows[-1])

    def operators(self, n):
        """n more operators like the first, with its password; their ids. None may be short of numbers or be locked out."""
        self.sql("UPDATE company SET max_live = 100000, lock_after = 1000000")
        first = 1 << 40
        self.sql(";\n".join(
            "INSERT INTO operator (id, company_id, login, name, password, state, failures, locked_until, created_at) "
            f"SELECT {first + i}, company_id, 'op{i}', 'Operator {i}', password, state, 0, 0, created_at FROM operator "
            "WHERE login = 'tanaka'" for i in range(n)))
        return [first + i for i in range(n)]

    def logins(self, operators, each, key):
        """(login's token) for each login of each operator, all with one device key."""
        blob = f"'\\x{key.pk.hex()}'" if self.pg else f"x'{key.pk.hex()}'"
        now = int(time.time() * 1000)
        tokens, rows = [], []
        for operator in operators:
            for _ in range(each):
                ident = (1 << 41) + len(tokens)
                rows.append(f"({ident}, (SELECT company_id FROM operator WHERE id = {operator}), {operator}, {blob}, "
                            f"'127.0.0.1', '0.1.0', {now}, {now + 12 * 3600 * 1000})")
                tokens.append(self.token("o", ident, key))
        for i in range(0, len(rows), 400):
            self.sql("INSERT INTO tool_login (id, company_id, operator_id, device_pk, address, tool_version, created_at, "
                     "expires_at) VALUES " + ", ".join(rows[i:i + 400]))
        return tokens

    def token(self, kind, ident, key):
        said = pad16("TSK1 token") + kind.encode() + ident.to_bytes(8, "big") + key.pk
        return f"{kind}.{encode_id(ident)}.{hmac.new(self.token_key, said, hashlib.sha256).hexdigest()}"


def started(rig, database=None, extra="", pg=None, operators=0):
    """A server with a company and its operators; and the store."""
    s = Service(rig, database=database, extra=extra)
    s.add_company()
    s.add_operator()
    store = Store(s, pg)
    store.ids = store.operators(operators) if operators else []
    s.start_manager()
    s.process = Process(s.managers[1].pid)
    s.more_pids = pg.children if pg else list
    return s, store


def signed(token, key, method, target, body=None):
    data = json.dumps(body).encode() if body is not None else b""
    api = Api(None)
    api.token, api.key = token, key
    return api.authorization(method, target, data)


# --- login ---

GOOD_ADDRESSES, GOOD_EACH, BAD_ADDRESSES, BAD_EACH = 4, 4, 50, 8
QUIET_S, FIRST_S, ATTACK_S, STEADY_S = 12, 5, 45, 20


def put_logins(load, plan, service, logins, password, again=True, with_nonces=True):
    """One nonce, and so one signature, for all of them: what the server has to do is the same."""
    api = Operator(service.server(), source="127.12.0.1")
    key, body = api.login_body("acme", logins[0], password)
    api.drop()
    for login in logins:
        if with_nonces:
            load.ask(plan, "nonce", "POST", "/v1/nonce", body={})
        load.ask(plan, "login", "POST", "/v1/login", body={**body, "id": login, "password": password})


def login_figures(load, plan, begin_s, end_s):
    """Rate of logins that were done in that time, and their times."""
    done = [r for r in load.of(plan, "login") if begin_s * 1e6 <= r[3] + r[4] < end_s * 1e6]
    good = [r for r in done if r[2] == 200]
    return {"per_s": round(len(good) / (end_s - begin_s), 2), "p50_ms": ms([r[4] for r in good], 50),
            "p99_ms": ms([r[4] for r in good], 99), "not_200": counted(r[2] for r in done if r[2] != 200)}


def attackers(load, begin_s, end_s):
    sent = [r for r in load.of("bad") if begin_s * 1e6 <= r[3] < end_s * 1e6]
    return {str(status): round(n / (end_s - begin_s), 2) for status, n in sorted(counted(r[2] for r in sent).items())}


def good_clients(service, logins):
    load = Load(service)
    load.plan("good", "closed", 2, again=True)
    put_logins(load, "good", service, logins, PASSWORD)
    for i in range(GOOD_ADDRESSES):
        load.open("good", f"127.10.{i}.1", GOOD_EACH)
    return load


def attack(s, good, victims):
    """Good clients and attackers together. The load, how it ran, and the server's CPU."""
    load = good_clients(s, good)
    load.plan("bad", "open", 1000, again=True)
    put_logins(load, "bad", s, victims, "wrong-Pass-7", with_nonces=False)
    for i in range(BAD_ADDRESSES):
        load.open("bad", f"127.11.{i}.1", BAD_EACH)
    cpu, threads = s.process.cpu_s(), s.process.threads()
    ran = load.run(ATTACK_S)
    ran["cpu"] = round((s.process.cpu_s() - cpu) / ATTACK_S, 2)
    used = sorted((after - threads.get(tid, 0) for tid, after in s.process.threads().items()), reverse=True)
    ran["busiest_s"] = used[0]
    ran["busiest_threads"] = [round(t / ATTACK_S, 2) for t in used[:3]]
    load.end()
    return load, ran


def quiet(s, good, seconds):
    load = good_clients(s, good)
    cpu = s.process.cpu_s()
    ran = load.run(seconds)
    ran["cpu"] = round((s.process.cpu_s() - cpu) / seconds, 2)
    load.end()
    return load, ran


def login_once():
    """All of it on a fresh server: (the pool's own rates, quiet load, how it ran, attacked load, how it ran)."""
    with Rig() as rig:
        s, _ = started(rig, operators=100)
        good, victims = [f"op{i}" for i in range(60)], [f"op{i}" for i in range(60, 100)] + [f"nobody{i}" for i in range(10)]
        quiet(s, good, 4)  # each good address has logged in before
        rates = [own(rig, "hashes", 1, 4)]
        calm, calm_ran = quiet(s, good, QUIET_S)
        rates.append(own(rig, "hashes", 1, 4))
        load, ran = attack(s, good, victims)
        rates.append(own(rig, "hashes", 1, 4))
        return rates, calm, calm_ran, load, ran


def case_login():
    tries = []
    while len(tries) < RUNS and (not tries or tries[-1][4]["others"] > NOISE):
        tries.append(login_once())
    rates, calm, calm_ran, load, ran = min(tries, key=lambda t: t[4]["others"])
    limit = sum(r["per_second"] for r in rates) / len(rates)
    # Of what the hashing threads did, whatever share of the machine they had.
    good = len(load.of("good", "login", 200))
    by_cpu = good / ran["busiest_s"] / (sum(r["per_cpu_second"] for r in rates) / len(rates))
    common = {"limit": round(limit, 2), "limits": [r["per_second"] for r in rates]}
    got = login_figures(calm, "good", 2, QUIET_S)
    say("login_quiet", **got, cpu=calm_ran["cpu"], others=calm_ran["others"], **common, ratio=round(got["per_s"] / limit, 3))
    got = login_figures(load, "good", 0, FIRST_S)
    say("login_attack_first_5_s", **got, attackers_per_s=attackers(load, 0, FIRST_S), **common,
        ratio=round(got["per_s"] / limit, 3))
    got = login_figures(load, "good", ATTACK_S - STEADY_S, ATTACK_S)
    say("login_attack", **got, attackers_per_s=attackers(load, ATTACK_S - STEADY_S, ATTACK_S), attackers_unsent=ran["unsent"],
        attackers_p99_ms=ms([r[4] for r in load.of("bad")], 99), cpu=ran["cpu"], busiest_threads=ran["busiest_threads"],
        others=ran["others"], **common, ratio=round(got["per_s"] / limit, 3), ratio_by_cpu=round(by_cpu, 3),
        goal_ratio=0.8, goal_p99_ms=2000)


# --- streams ---

IDLE_S, CLAIMS_S, CLAIMS_RATE = 20, 15, 20


def claim_line(load, plan, tag, number, nonce, key):
    load.ask(plan, tag, "POST", "/v1/claims", body=claim_body(number, nonce, key))


def claim_body(number, nonce, key, work=None):
    sig = key.sign("TSK1 claim", number.encode(), key.pk, nonce)
    body = {"number": number, "pop_pk": key.pk.hex(), "nonce": nonce.hex(), "sig": sig.hex(), "host_name": "PC-7",
            "os": "Debian 12", "tool_version": "0.1.0", "language": "ja", "terms_version": "1"}
    if work:
        body["pow"] = work.hex()
    return body


def issue_line(load, plan, token, key):
    body = {"request": os.urandom(16).hex(), "customer": "山田"}
    load.ask(plan, "issue", "POST", "/v1/sessions", signed(token, key, "POST", "/v1/sessions", body), body)


def issue(service, tokens, key, n):
    """n numbers of these logins in turn: (session, number)."""
    load = Load(service)
    load.plan("issue", "closed", 1, keeps=True)
    for i in range(n):
        issue_line(load, "issue", tokens[i % len(tokens)], key)
    load.open("issue", "127.12.0.1", 8)
    load.run(120)
    load.end()
    made = [json.loads(r[5]) for r in load.of("issue", status=201)]
    if len(made) != n:
        raise Failed(f"{len(made)} numbers of {n}: {counted(r[2] for r in load.replies)}")
    return [(m["id"], m["number"]) for m in made]


def open_streams(load, tokens, key):
    load.plan("stream", "stream")
    target = "/v1/stream"
    each = -(-len(tokens) // SOURCES)
    seconds = 0
    for i in range(SOURCES):
        part = tokens[i * each:(i + 1) * each]
        for token in part:
            load.ask("stream", "stream", "GET", target, signed(token, key, "GET", target))
        half = len(part) // 2
        for kind, n in (("h1", half), ("h2", len(part) - half)):
            got = load.open("stream", f"127.13.{i}.1", n, kind)
            seconds += got["seconds"]
    return got["streams"], seconds


def pushes(load):
    """us from the sending of each claim to its event at each of the operator's streams; claims without an event."""
    sent = {r[1]: r[3] for r in load.of("claim", status=200)}
    took, seen = [], set()
    for _, at, data in load.events:
        if '"state":"waiting"' in data.replace(" ", ""):
            session = json.loads(data)["id"]
            if session in sent:
                took.append(at - sent[session])
                seen.add(session)
    return took, len(sent) - len(seen)


def case_streams():
    with Rig() as rig:
        operators = -(-STREAMS // PER_OPERATOR)
        s, store = started(rig, operators=operators)
        key = Key()
        tokens = store.logins(store.ids, PER_OPERATOR, key)[:STREAMS]
        n_claims = CLAIMS_S * CLAIMS_RATE
        made = issue(s, tokens[::PER_OPERATOR], key, n_claims)
        before = s.process.rss()
        load = Load(s)
        cpu = s.process.cpu_s()
        streams, open_s = open_streams(load, tokens, key)
        open_cpu = s.process.cpu_s() - cpu
        time.sleep(2)  # what was freed goes back, and CPU seconds are counted in ticks
        after, cpu = s.process.rss(), s.process.cpu_s()
        idle = load.run(IDLE_S)
        idle_cpu = (s.process.cpu_s() - cpu) / IDLE_S
        say("streams_idle", streams=streams, opened_per_s=round(streams / open_s),
            open_cpu_ms_each=round(1000 * open_cpu / streams, 2),
            rss_before_mib=round(before / 2**20, 1), rss_after_mib=round(after / 2**20, 1),
            kib_each=round((after - before) / streams / 1024, 2), idle_cpu=round(idle_cpu, 4), others=idle["others"],
            streams_after=idle["streams"])
        load.plan("claim", "open", CLAIMS_RATE)
        nonce, _ = Api(s.server(), source="127.12.0.2").nonce()
        for session, number in made:
            claim_line(load, "claim", session, number, nonce, Key())
        for i in range(8):
            load.open("claim", f"127.14.{i}.1", 2)
        cpu = s.process.cpu_s()
        ran = load.run(CLAIMS_S + 2)
        took, missed = pushes(load)
        load.end()
        say("claim_to_push", streams=ran["streams"], claims=len(load.of("claim", status=200)), pushes=len(took),
            without_push=missed, statuses=counted(r[2] for r in load.of("claim")),
            claim_p50_ms=ms([r[4] for r in load.of("claim")], 50), claim_p99_ms=ms([r[4] for r in load.of("claim")], 99),
            p50_ms=ms(took, 50), p99_ms=ms(took, 99), max_ms=ms(took, 100),
            cpu=round((s.process.cpu_s() - cpu) / (CLAIMS_S + 2), 3), others=ran["others"], goal_p99_ms=50)


# --- claims ---

BURST_S = 4
OPERATORS = 400  # of one company; few live numbers each, as it is in life


def commits(rig, url):
    """One-row transactions per second of this database, the better of one and four at once."""
    best = 0
    for threads in (1, 4):
        out = run([rig.exe("store-client", "tests/e2e"), url, "speed", "2000", str(threads)], timeout=60)
        best = max(best, next(e["per_second"] for e in map(json.loads, out.splitlines()) if e["event"] == "speed"))
    return best


def one_burst(s, tokens, key):
    """Numbers issued, and then claimed, as fast as goes on eight connections."""
    load = Load(s)
    load.plan("issue", "closed", 1, keeps=True)
    for i in range(8):
        load.open("issue", f"127.12.{i}.1", 1)
    for i in range(8000):
        issue_line(load, "issue", tokens[i % len(tokens)], key)
    issued = load.run(BURST_S)
    made = [json.loads(r[5]) for r in load.of("issue", status=201)]
    issue_took = [r[4] for r in load.of("issue")]
    other = counted(r[2] for r in load.of("issue") if r[2] != 201)
    load.end()
    load = Load(s)
    load.plan("claim", "closed", 1)
    nonce, _ = Api(s.server(), source="127.12.0.2").nonce()
    for m in made:
        claim_line(load, "claim", m["id"], m["number"], nonce, Key())
    for i in range(8):
        load.open("claim", f"127.14.{i}.1", 1)
    claimed = load.run(BURST_S)
    done = load.of("claim", status=200)
    other |= counted(r[2] for r in load.of("claim") if r[2] != 200)
    load.end()
    return {"issues": len(made) / issued["seconds"], "claims": len(done) / claimed["seconds"], "issue_took": issue_took,
            "claim_took": [r[4] for r in done], "not_done": other, "others": max(issued["others"], claimed["others"])}


def bursts(rig, s, store, name, limit_url):
    key = Key()
    tokens = store.logins(store.ids, 1, key)
    results, limits = [], []
    for _ in range(RUNS):
        limits.append(commits(rig, limit_url))
        cpu = s.process.cpu_s()
        results.append(one_burst(s, tokens, key))
        results[-1]["cpu"] = s.process.cpu_s() - cpu
    limit = median(limits)
    for what in ("issue", "claim"):
        rate = median([r[what + "s"] for r in results])
        took = sum((r[what + "_took"] for r in results), [])
        say(f"{what}s_{name}", per_s=round(rate), runs=[round(r[what + "s"]) for r in results],
            p50_ms=ms(took, 50), p99_ms=ms(took, 99), not_done=[r["not_done"] for r in results if r["not_done"]],
            others=[r["others"] for r in results], limit=limit, limits=limits, ratio=round(rate / limit, 3))


def case_claims():
    with Rig() as rig:
        s, store = started(rig, operators=OPERATORS)
        bursts(rig, s, store, "sqlite", f"sqlite:{rig.path('store')}/limit.db")
    with Rig() as rig:
        pg = Postgres(rig)
        pg.sql("CREATE DATABASE speed OWNER tasuki", database="postgres")
        s, store = started(rig, database=pg.url(), pg=pg, operators=OPERATORS)
        bursts(rig, s, store, "postgresql", pg.url("speed"))


def wrong_number(i):
    text = f"{i * 7919 % 10**8:08d}"
    state = "0"
    for c in text:
        state = DAMM[int(state)][int(c)]
    return text + state


def work(nonce, number, key, bits):
    head, n = pad16("TSK1 pow") + nonce + number.encode() + key.pk, 0
    while int.from_bytes(hashlib.sha256(head + n.to_bytes(8, "big")).digest()[:4], "big") >> (32 - bits):
        n += 1
    return n.to_bytes(8, "big")


def case_wrong():
    with Rig() as rig:
        s, _ = started(rig, extra="misses_per_hour = 1000000\n")
        for name, n, bits in (("wrong_without_work", 6000, 0), ("wrong_with_work", 40, 17)):
            load = Load(s)
            load.plan("wrong", "closed", 1)
            api = Api(s.server(), source="127.12.0.2")
            nonce, asked = api.nonce()
            began = time.monotonic()
            for i in range(n):
                key, number = Key(), wrong_number(n + i)
                load.ask("wrong", number, "POST", "/v1/claims",
                         body=claim_body(number, nonce, key, work(nonce, number, key, bits) if bits else None))
            worked_s = time.monotonic() - began
            for i in range(8):
                load.open("wrong", f"127.14.{i}.1", 1)
            cpu = s.process.cpu_s()
            ran = load.run(4)
            load.end()
            took = [r[4] for r in load.of("wrong")]
            say(name, per_s=round(len(took) / ran["seconds"]), statuses=counted(r[2] for r in load.of("wrong")),
                p50_ms=ms(took, 50), p99_ms=ms(took, 99), cpu=round((s.process.cpu_s() - cpu) / ran["seconds"], 2),
                pow_bits=asked,
                client_work_ms_each=round(1000 * worked_s / n, 1) if bits else 0)


# --- renew ---

SESSIONS = 300


def answered(s, tokens, key, made):
    """Claims and answers all of them: (session, customer's key, operator's key)."""
    nonce, _ = Api(s.server(), source="127.12.0.2").nonce()
    load = Load(s)
    load.plan("claim", "closed", 1, keeps=True)
    load.plan("answer", "closed", 1)
    customers = {session: Key() for session, _ in made}
    for session, number in made:
        claim_line(load, "claim", session, number, nonce, customers[session])
    for i in range(8):
        load.open("claim", f"127.14.{i}.1", 1)
    load.run(60)
    viewer = Key()
    owner = {session: tokens[i % len(tokens)] for i, (session, _) in enumerate(made)}
    for r in load.of("claim", status=200):
        body = {"claim": json.loads(r[5])["claim"], "pop_pk": viewer.pk.hex()}
        target = f"/v1/sessions/{r[1]}/answer"
        load.ask("answer", r[1], "POST", target, signed(owner[r[1]], key, "POST", target, body), body)
    load.open("answer", "127.12.0.1", 8)
    load.run(60)
    load.end()
    done = [(r[1], customers[r[1]], viewer) for r in load.of("answer", status=200)]
    if len(done) != len(made):
        raise Failed(f"{len(done)} sessions of {len(made)} were answered: {counted(r[2] for r in load.of('answer'))}")
    return done


def renew_body(session, role, key, nonce):
    said = crockford_to_int(session).to_bytes(8, "big") + bytes([role, role - 1])
    return {"session": session, "role": role, "slot": role - 1, "nonce": nonce.hex(),
            "sig": key.sign("TSK1 renew", said, nonce).hex()}


def case_renew():
    with Rig() as rig:
        s, store = started(rig, operators=8)
        s.start_relay(1)
        key = Key()
        tokens = store.logins(store.ids, 1, key)
        # issue() gives the numbers back as they were answered: one operator each, so that it is known whose they are
        made = [issue(s, [token], key, SESSIONS // len(tokens)) for token in tokens]
        sessions = [done for token, part in zip(tokens, made) for done in answered(s, [token], key, part)]
        rates, signs, limits, took, others = [], [], [], [], []
        for _ in range(RUNS):
            signs.append(own(rig, "tickets", os.path.join(s.keys, "signer.keys"), 4, 2)["per_second"])
            limits.append(commits(rig, f"sqlite:{rig.path('store')}/limit.db"))
            load = Load(s)
            load.plan("renew", "closed", 1, again=True)
            nonce, _ = Api(s.server(), source="127.12.0.2").nonce()
            for session, customer, viewer in sessions:
                load.ask("renew", "renew", "POST", "/v1/renew", body=renew_body(session, 1, customer, nonce))
                load.ask("renew", "renew", "POST", "/v1/renew", body=renew_body(session, 2, viewer, nonce))
            for i in range(8):
                load.open("renew", f"127.14.{i}.1", 1)
            ran = load.run(BURST_S)
            good = load.of("renew", status=200)
            rates.append(len(good) / ran["seconds"])
            took += [r[4] for r in good]
            others.append(ran["others"])
            not_done = counted(r[2] for r in load.of("renew") if r[2] != 200)
            load.end()
        rate, signer, limit = median(rates), median(signs), median(limits)
        say("renew", per_s=round(rate), runs=[round(r) for r in rates], p50_ms=ms(took, 50), p99_ms=ms(took, 99),
            not_done=not_done, others=others, signer_per_s=round(signer), commits_per_s=round(limit),
            limit=round(min(signer, limit)), ratio=round(rate / min(signer, limit), 3), ratio_of_signer=round(rate / signer, 3))


# --- all ---

CASES = {"login": [case_login], "streams": [case_streams], "claims": [case_claims, case_wrong], "renew": [case_renew]}


def on_alarm(signo, frame):
    raise Failed(f"the bench did not end within {LIMIT_S} s")


def main():
    wanted = sys.argv[1:] or list(CASES)
    unknown = set(wanted) - set(CASES)
    if unknown:
        sys.exit(f"no case {', '.join(sorted(unknown))}; there are: {', '.join(CASES)}")
    signal.signal(signal.SIGALRM, on_alarm)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # in order: what was started is ended
    signal.alarm(LIMIT_S)
    failed = 0
    for name in wanted:
        for case in CASES[name]:
            try:
                case()
            except (Failed, OSError, ValueError, sqlite3.Error, subprocess.SubprocessError) as e:
                failed = 1
                print(f"{name}: {e}", file=sys.stderr, flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
