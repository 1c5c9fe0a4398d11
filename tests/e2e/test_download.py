"""The download server as customers' browsers meet it, on HTTP/1.1 and HTTP/2, and as those do who wish it ill."""

import os
import random
import signal
import socket
import ssl
import subprocess
import time
import urllib.request

from download import NAME, ORGANISATION, VERSIONS, Download, etag, sha256
from rig import Failed, main, run, until

CLIENT = random.Random(1).randbytes(300_007)
OTHER = random.Random(2).randbytes(200_003)
MEBI = 1024 * 1024
NOBODY = 65534


def test_the_page_has_what_it_must_have(rig):
    d = Download(rig, CLIENT)
    words = {"ja": ["突然の電話で案内された場合は、操作せず電話を切ってください", "受付番号", "chmod +x", "削除します"],
             "en": ["If a stranger called you, stop and hang up", "operator tells you", "chmod +x", "removes itself"]}
    for version in VERSIONS:
        for language, expected in words.items():
            page = d.curl(version, "/", "-H", f"Accept-Language: {language}")
            assert page.status == 200 and page.headers["content-type"] == "text/html; charset=utf-8", page.headers
            assert page.headers["content-language"] == language and page.headers["vary"] == "Accept-Language", page.headers
            assert page.headers["referrer-policy"] == "no-referrer", page.headers
            assert page.headers["x-content-type-options"] == "nosniff", page.headers
            assert page.headers["strict-transport-security"].startswith("max-age="), page.headers
            policy = dict(p.strip().split(" ", 1) for p in page.headers["content-security-policy"].split(";"))
            assert policy == {"default-src": "'none'", "style-src": "'self'", "img-src": "'self'", "base-uri": "'none'",
                              "form-action": "'none'", "frame-ancestors": "'none'"}, policy
            for text in expected + [f'<html lang="{language}">', sha256(CLIENT), "300,007", "301 kB",
                                    "タスキ &lt;&amp;&quot;&#39;&gt; サポート", f'href="/client?v={sha256(CLIENT)[:32]}"']:
                assert text in page.text, text
            for text in ("<script", "http://", "https://", "style=", "{{", "<サポート", "Windows", ORGANISATION):
                assert text not in page.text, text
            assert page.text.index(expected[0]) < page.text.index("<h1>")


def test_the_language_follows_browser_and_address(rig):
    d = Download(rig, CLIENT)
    for query, header, language in (("", "ja-JP,ja;q=0.9,en;q=0.8", "ja"), ("", "fr", "en"), ("?lang=en", "ja", "en"),
                                    ("?lang=ja", "en", "ja"), ("?lang=fr", "ja", "ja"), ("?lang=%6aa", "en", "ja"),
                                    ("?lang=%zz", "ja", "ja"), ("?lang=" + "j" * 300, "ja", "ja"), ("?x=1&lang=en", "ja", "en")):
        for version in VERSIONS:
            page = d.curl(version, "/" + query, "-H", f"Accept-Language: {header}")
            assert page.headers["content-language"] == language, (query, header)
    assert d.curl("--http2", "/").headers["content-language"] == "en"


def test_what_pages_need_is_there_and_kept_by_browsers(rig):
    d = Download(rig, CLIENT)
    for version in VERSIONS:
        page = d.curl(version, "/")
        again = d.curl(version, "/", "-H", f"If-None-Match: {page.headers['etag']}")
        assert (again.status, again.body) == (304, b"") and again.headers["etag"] == page.headers["etag"], again.headers
        assert d.curl(version, "/", "-H", f"If-None-Match: {page.headers['etag']}", "-H", "Accept-Language: ja").status == 200
        href = page.text.split('<link rel="stylesheet" href="')[1].split('"')[0]
        style = d.curl(version, href)
        assert style.status == 200 and style.headers["content-type"] == "text/css; charset=utf-8"
        assert "immutable" in style.headers["cache-control"], style.headers
        for path in ("/style.css", "/style.css?v=old"):
            plain = d.curl(version, path)
            assert plain.body == style.body and plain.headers["cache-control"] == "no-cache", plain.headers
            assert d.curl(version, path, "-H", f"If-None-Match: {plain.headers['etag']}").status == 304
        assert b"@import" not in style.body and b"url(" not in style.body
        assert d.curl(version, "/robots.txt").text == "User-agent: *\nDisallow: /client\n"
        icon = d.curl(version, "/favicon.svg")
        assert icon.headers["content-type"] == "image/svg+xml" and icon.body.startswith(b"<svg "), icon.headers


def test_the_file_comes_whole(rig):
    d = Download(rig, CLIENT)
    for version in VERSIONS:
        got = d.curl(version, "/client")
        assert (got.status, got.body) == (200, CLIENT)
        assert got.headers["content-type"] == "application/octet-stream", got.headers
        assert got.headers["content-disposition"] == 'attachment; filename="tasuki-client"', got.headers
        assert got.headers["content-length"] == str(len(CLIENT)) and got.headers["accept-ranges"] == "bytes", got.headers
        assert got.headers["etag"] == etag(CLIENT) and got.headers["cache-control"] == "no-cache", got.headers
        head = d.curl(version, "/client", "-I")
        assert head.status == 200 and head.body == b"", head.body
        for name in ("content-length", "etag", "content-disposition", "accept-ranges", "content-type"):
            assert head.headers[name] == got.headers[name], name
        checksum = d.curl(version, "/client.sha256")
        assert checksum.text == f"{sha256(CLIENT)}  tasuki-client\n", checksum.text
        assert checksum.headers["content-type"] == "text/plain; charset=utf-8"
        assert d.curl(version, "/", "-I").body == b""
    run(d.curl_argv("--http2", "/client", "-O", "-J"), cwd=rig.dir)
    with open(rig.path("tasuki-client.sha256"), "w") as f:
        f.write(checksum.text)
    run(["sha256sum", "--check", "tasuki-client.sha256"], cwd=rig.dir)
    metrics = d.metrics()
    assert metrics["files_total"] == 5 and metrics["client"] == 1 and metrics["client_bytes"] == len(CLIENT), metrics


def test_who_has_the_file_does_not_get_it_again(rig):
    d = Download(rig, CLIENT)
    tag = etag(CLIENT)
    for version in VERSIONS:
        for header in (tag, f'"x", {tag}', f"W/{tag}", "*"):
            got = d.curl(version, "/client", "-H", f"If-None-Match: {header}")
            assert (got.status, got.body) == (304, b"") and got.headers["etag"] == tag, (header, got.headers)
            assert "content-length" not in got.headers and "content-disposition" not in got.headers, got.headers
        for header in ('"x"', tag.strip('"'), etag(OTHER)):
            assert d.curl(version, "/client", "-H", f"If-None-Match: {header}").body == CLIENT, header
        # What is known already comes before what part is wanted (RFC 9110 section 13.2.2).
        assert d.curl(version, "/client", "-H", f"If-None-Match: {tag}", "-H", "Range: bytes=0-0").status == 304


def test_parts_of_the_file(rig):
    d = Download(rig, CLIENT)
    n = len(CLIENT)
    parts = {"0-0": (0, 1), "0-": (0, n), f"0-{n - 1}": (0, n), "100-199": (100, 200), f"{n - 1}-": (n - 1, n), "-1": (n - 1, n),
             f"-{n}": (0, n), f"-{n + 1}": (0, n), f"65530-{n * 9}": (65530, n), "65535-65536": (65535, 65537),
             "5-99999999999999999999999": (5, n), "-99999999999999999999999": (0, n)}
    for version in VERSIONS:
        for text, (first, end) in parts.items():
            got = d.curl(version, "/client", "-H", f"Range: bytes={text}")
            assert got.body == CLIENT[first:end], text
            if end - first == n:
                assert got.status == 200 and "content-range" not in got.headers, (text, got.headers)
            else:
                assert got.status == 206 and got.headers["content-range"] == f"bytes {first}-{end - 1}/{n}", (text, got.headers)
            assert got.headers["content-length"] == str(end - first) and got.headers["etag"] == etag(CLIENT), got.headers
        for text in (f"{n}-", f"{n}-{n + 5}", "-0", "99999999999999999999999-"):
            got = d.curl(version, "/client", "-H", f"Range: bytes={text}")
            assert got.status == 416 and got.headers["content-range"] == f"bytes */{n}", (text, got.headers)
            assert got.headers["content-type"] == "application/problem+json" and "etag" in got.headers, got.headers
        for text in ("bytes=0-1,5-9", "bytes=", "bytes=5", "bytes=9-5", "lines=0-1", "bytes=a-b", "bytes=0-1;", "x" * 2000):
            got = d.curl(version, "/client", "-H", f"Range: {text}")
            assert (got.status, got.body) == (200, CLIENT), text
    # A download goes on where it was cut.
    part = rig.path("part")
    with open(part, "wb") as f:
        f.write(CLIENT[:123_456])
    run(d.curl_argv("--http2", f"/client?v={sha256(CLIENT)[:32]}", "-C", "-", "-o", part))
    with open(part, "rb") as f:
        assert f.read() == CLIENT


def test_a_download_is_not_completed_with_another_version(rig):
    d = Download(rig, CLIENT)
    path = f"/client?v={sha256(CLIENT)[:32]}"
    assert d.curl("--http2", path, "-H", "Range: bytes=100-").status == 206
    d.put(OTHER)
    d.hang_up("reloaded")
    for version in VERSIONS:
        for old in (path, "/client?v=", "/client?v=%00", "/client?v=" + "0" * 999):
            got = d.curl(version, old, "-H", "Range: bytes=100-")
            assert (got.status, got.body) == (200, OTHER), (old, got.status)
        assert d.curl(version, f"/client?v={sha256(OTHER)[:32]}", "-H", "Range: bytes=100-").body == OTHER[100:]


def test_what_is_served_changes_with_hup_only(rig):
    d = Download(rig, CLIENT)
    page = d.curl("--http2", "/")

    def serves(data):
        got = d.curl("--http2", "/client")
        assert (got.body, got.headers["etag"]) == (data, etag(data)), d.program.log()
        assert sha256(data) in d.curl("--http2", "/").text and sha256(data) in d.curl("--http2", "/client.sha256").text

    d.put(OTHER)
    serves(CLIENT)
    with open(d.file, "r+b") as f:  # worse: the same file becomes another
        f.write(b"X" * 1000)
        f.truncate(2000)
    serves(CLIENT)
    d.put(OTHER)
    d.hang_up("reloaded")
    serves(OTHER)
    assert d.curl("--http2", "/", "-H", f"If-None-Match: {page.headers['etag']}").status == 200

    for spoil, why in ((os.unlink, "No such file"), (lambda f: open(f, "w").close(), "empty"),
                       (lambda f: (os.unlink(f), os.mkfifo(f)), "not a file"), (lambda f: (os.unlink(f), os.mkdir(f)), "not a file")):
        spoil(d.file)
        d.hang_up("reload_refused")
        last = d.program.log().splitlines()[-1]
        assert why in last and '"kept":"client"' in last, last
        serves(OTHER)
    assert d.metrics()["kept_total"] == 4
    os.rmdir(d.file)
    d.put(CLIENT)
    d.options["organisation"] = "Renamed"
    d.write_conf()
    d.hang_up("reloaded")
    serves(CLIENT)
    assert "Renamed" in d.curl("--http2", "/").text
    with open(d.conf, "a") as f:
        f.write("colour = 7\n")
    d.hang_up("reload_refused")
    assert '"kept":"all"' in d.program.log().splitlines()[-1] and d.conf + ":" in d.program.log().splitlines()[-1]
    serves(CLIENT)


def test_a_file_that_shrinks_while_it_is_read_is_not_taken(rig):
    """Grown and cut without pause while HUP comes again and again: whatever is taken is told of as it is. (That the very
    moment is noticed shows tests/unit/test_os_file.c.)"""
    d = Download(rig, CLIENT)
    for _ in range(50):
        d.program.kill(signal.SIGHUP)
        for size in (len(OTHER), 1000, len(OTHER)):
            with open(d.file, "wb") as f:
                f.write(OTHER[:size])
        got = d.curl("--http2", "/client")
        assert got.headers["etag"] == etag(got.body) and int(got.headers["content-length"]) == len(got.body)
    with open(d.file, "wb") as f:
        f.write(OTHER)
    d.hang_up("reloaded")


def test_renewed_certificates_do_not_wait_for_the_file(rig):
    d = Download(rig, CLIENT)
    os.unlink(d.file)
    before = ssl.get_server_certificate((d.host, d.port))
    for path in (d.crt, d.key):
        os.unlink(path)
    rig.make_cert(NAME)
    d.hang_up("reload_refused")
    assert ssl.get_server_certificate((d.host, d.port)) != before
    assert d.curl("--http1.1", "/client").body == CLIENT


def test_nothing_is_offered_that_is_not_there(rig):
    d = Download(rig)
    assert '"event":"client_absent"' in d.program.log()
    for version in VERSIONS:
        for language, words in (("ja", "いまダウンロードできません"), ("en", "The download is not available now")):
            page = d.curl(version, f"/?lang={language}")
            assert page.status == 200 and words in page.text, page.text
            for text in ("/client", "button", "SHA-256", "{{"):
                assert text not in page.text, text
        for path in ("/client", "/client.sha256", "/client?v=x"):
            got = d.curl(version, path)
            assert got.status == 404 and '"code":"no_client"' in got.text, got.text
    assert d.metrics()["client"] == 0 and d.metrics()["absent_total"] == 4, d.metrics()
    d.hang_up("reloaded")  # still none: nothing is lost
    d.put(CLIENT)
    d.hang_up("reloaded")
    assert d.curl("--http2", "/client").body == CLIENT and "/client?v=" in d.curl("--http2", "/").text


def test_no_way_leads_elsewhere(rig):
    d = Download(rig, CLIENT)
    secret = os.path.join(d.folder, "secret")
    with open(secret, "w") as f:
        f.write("needle")
    paths = ["/../secret", "/./secret", "/secret", "/client/../secret", "/%2e%2e/secret", "/..%2fsecret", "/client%00", "/client/",
             "//client", "/client/x", "/CLIENT", "/client.sha256/", "/files/secret", "/tasuki-client", "/%2fetc%2fpasswd",
             "/etc/passwd", "/\\..\\secret", "/client?../secret", "/client;x", "/%", "/%zz", "/" + "a" * 5000, "/healthz", "/metrics"]
    for version in VERSIONS:
        for path in paths:
            got = d.curl(version, path)
            assert b"needle" not in got.body and b"root:" not in got.body, path
            allowed = (200,) if path == "/client?../secret" else (400, 404, 414)
            assert got.status in allowed, (path, got.status)
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "X"):
            for path in ("/", "/client"):
                got = d.curl(version, path, "-X", method)
                assert got.status == 405 and got.headers["allow"] == "GET, HEAD", (method, got.status, got.headers)
        got = d.curl(version, "/client", "-d", "x" * 100, "-X", "GET")
        assert got.status == 413, got.status
    assert d.curl("--http2", "/client").body == CLIENT


def test_plain_http_only_leads_to_https(rig):
    d = Download(rig, CLIENT)
    for path in ("/", "/client?v=1", "/nothing", "/%41?x=%0d%0aset-cookie:a=b"):
        got = d.plain(path, "-H", "Host: get.tasuki.test")
        assert got.status == 301 and got.headers["location"] == "https://get.tasuki.test" + path, got.headers
        assert CLIENT[:100] not in got.body and "set-cookie" not in got.headers
    for host, leads_to in (("get.tasuki.test:80", "get.tasuki.test"), ("GET.tasuki.test.", None), ("[::1]:80", None), ("", None),
                           ("a b", None), ("a/b", None), ("a@b", None), ("a\"b", None), ("x" * 5000, None), ("a:b:c", None), ("-", None),
                           ("evil.test/?get.tasuki.test", None), ("evil.test#", None)):
        got = d.plain("/x", "-H", f"Host: {host}" if host else "Host;")
        if leads_to:
            assert got.status == 301 and got.headers["location"] == f"https://{leads_to}/x", (host, got.headers)
        elif got.status == 301:
            # A name in another spelling: it must be that name, whole, and nothing else.
            where = got.headers["location"]
            assert where in (f"https://{host.removesuffix(':80')}/x", f"https://{host.rstrip('.')}/x"), (host, where)
            assert not set(host) & set(' /@"?#'), (host, where)
        else:
            assert got.status in (400, 431), (host, got.status)
    assert d.plain("/client", "-I").status == 301
    assert d.plain("/client", "-X", "POST").status == 405


def begin(d, context=None):
    """A download of which only the head has been read. (socket, what came of the body)"""
    context = context or ssl.create_default_context(cafile=d.rig.path("ca.pem"))
    plain = socket.socket()
    plain.settimeout(60)
    plain.connect((d.host, d.port))
    s = context.wrap_socket(plain, server_hostname=NAME)
    s.sendall(f"GET /client HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
    got = b""
    while b"\r\n\r\n" not in got:
        got += s.recv(4096)
    assert got.startswith(b"HTTP/1.1 200 "), got[:100]
    return s, got.partition(b"\r\n\r\n")[2]


def read_rest(s, got, size):
    parts = [got]
    have = len(got)
    while have < size:
        more = s.recv(65536)
        if not more:
            break
        parts.append(more)
        have += len(more)
    return b"".join(parts)


def test_a_slow_download_is_finished_before_the_end(rig):
    big = random.Random(3).randbytes(6 * MEBI)
    d = Download(rig, big)
    s, got = begin(d)
    d.program.kill(signal.SIGTERM)
    until("draining", lambda: '"event":"draining"' in d.program.log())
    until("no new connections", lambda: refuses(d))
    assert d.program.proc.poll() is None
    assert read_rest(s, got, len(big)) == big
    assert d.program.exit_code() == 0
    assert '"event":"stopped"' in d.program.log()


def refuses(d):
    with socket.socket() as s:
        return s.connect_ex((d.host, d.port)) != 0


def test_an_endless_download_does_not_keep_it_from_ending(rig):
    d = Download(rig, random.Random(3).randbytes(6 * MEBI), drain_seconds=1)
    s, _ = begin(d)
    start = time.monotonic()
    d.program.kill(signal.SIGTERM)
    assert d.program.exit_code() == 0
    assert 0.9 < time.monotonic() - start < 20
    s.close()


def link_of(path):
    """"" when it goes away while we look: the server closes descriptors meanwhile."""
    try:
        return os.readlink(path)
    except FileNotFoundError:
        return ""


def test_a_new_version_does_not_cut_downloads(rig):
    big = random.Random(3).randbytes(6 * MEBI)
    d = Download(rig, big)
    s, got = begin(d)
    d.put(OTHER)
    d.hang_up("reloaded")
    assert d.curl("--http2", "/client").body == OTHER
    assert read_rest(s, got, len(big)) == big
    s.close()
    fds = f"/proc/{d.program.pid}/fd"
    until("the old version is let go", lambda: sum(
        link_of(os.path.join(fds, f)).startswith("/memfd:") for f in os.listdir(fds)) == 1)


def test_wrong_configurations_are_named(rig):
    d = Download(rig, CLIENT, start=False)

    def check(wrong=None, *args):
        done = subprocess.run([*d.argv, *(args or ["--check"])], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert done.returncode == (78 if wrong else 0), (wrong, done)
        assert not wrong or wrong in done.stderr, (wrong, done.stderr)
        return done.stdout + done.stderr

    assert f"{d.conf}: ok" in check()
    printed = check(None, "--print-config")
    for text in ("organisation", "tasuki-client", "max_connections", "drain_seconds"):
        assert text in printed, text
    good = dict(d.options)
    for option, value, wrong in (
            ("listen", [], "listen must name"), ("listen", ["x"], "listen must name"), ("listen", ["127.0.0.1:1"] * 4, "listen must name"),
            ("redirect_listen", ["80"], "redirect_listen may"), ("http", "x", "http: an address"), ("folder", "files", "folder must be"),
            ("client", "../x", "client must be"), ("client", "", "client must be"), ("client", ".x", "client must be"),
            ("client", 'a"b', "client must be"), ("client", "x" * 65, "client must be"), ("organisation", "", "organisation must be"),
            ("organisation", "x" * 97, "organisation must be"), ("organisation", "a\u202eb", "organisation must be"),
            ("clock", "maybe", "clock must be"), ("log_level", "loud", "log_level must be"), ("max_connections", 1, d.conf + ":"),
            ("drain_seconds", 99999, d.conf + ":"), ("colour", 7, d.conf + ":"), ("certificate", "/no/such", "/no/such"),
            ("private_key", d.crt, d.crt)):
        d.options = {**good, option: value}
        d.write_conf()
        check(wrong)
    d.options = good
    d.write_conf()
    os.truncate(d.file, 0)
    check("tasuki-client: empty")
    os.unlink(d.file)
    assert "client_absent" in check()
    assert subprocess.run([*d.argv, "--nonsense"], stderr=subprocess.DEVNULL).returncode == 2
    busy = socket.socket()
    busy.bind((d.host, d.port))
    busy.listen()
    d.put(CLIENT)
    assert subprocess.run(d.argv, stderr=subprocess.DEVNULL).returncode == 75


def test_it_needs_no_rights_once_it_runs(rig):
    if os.geteuid() != 0:
        return
    d = Download(rig, CLIENT, start=False, user="nobody")
    d.start()
    assert '"event":"certificate_unreadable"' in d.program.log()
    d.stop()
    os.chown(d.key, NOBODY, NOBODY)
    d.start()
    with open(f"/proc/{d.program.pid}/status") as f:
        status = dict(line.split(":", 1) for line in f)
    assert status["Uid"].split() == [str(NOBODY)] * 4 and status["NoNewPrivs"].strip() == "1", status
    assert int(status["CapEff"], 16) == 0, status
    assert d.curl("--http2", "/client").body == CLIENT
    d.put(OTHER)
    d.hang_up("reloaded")
    assert d.curl("--http2", "/client").body == OTHER
    d.stop()
    # What it could not read at the next HUP is told at the start.
    os.chmod(d.folder, 0o700)
    done = subprocess.run(d.argv, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 78 and "client_unreadable" in done.stderr, done
    d.options["user"] = "no-such-user"
    d.write_conf()
    done = subprocess.run(d.argv, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 78 and "cannot_become_user" in done.stderr, done


def test_it_tells_the_service_manager(rig):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        path = rig.path("notify")
        notify.bind(path)
        notify.settimeout(60)
        d = Download(rig, CLIENT, start=False)
        d.start(env=dict(os.environ, NOTIFY_SOCKET=path))
        assert notify.recv(100) == b"READY=1"
        assert urllib.request.urlopen(f"http://{d.local}/healthz", timeout=10).read() == b"ok\n"
        d.stop()
        assert notify.recv(100) == b"STOPPING=1"


def rss_kib(pid, field="VmHWM"):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith(field))


def test_crowd(rig):
    """1,000 downloads of 8 MB at a time, all under way at once, and memory that is bounded."""
    big = random.Random(3).randbytes(8_000_000)
    crowd, per_curl = 1000, 250
    d = Download(rig, big, max_connections_per_source=2000)
    d.curl("--http2", "/")
    before = rss_kib(d.program.pid)
    # Each begins and then reads nothing: all of them are under way (the server waits 30 s for one who does not read).
    context = ssl.create_default_context(cafile=rig.path("ca.pem"))
    start = time.monotonic()
    waiting = [begin(d, context) for _ in range(crowd)]
    connections = d.metrics()["http_connections"]
    assert connections >= crowd or time.monotonic() - start > 25, connections
    held = rss_kib(d.program.pid)
    assert read_rest(*waiting[0], len(big)) == big
    for s, _ in waiting:
        s.close()
    until("all have gone", lambda: d.metrics()["http_connections"] <= 1)
    # Then as many that take what they can get.
    lines = ["output = /dev/null\n" f"url = {d.url('/client')}\n"] * per_curl
    conf = rig.path("crowd.conf")
    with open(conf, "w") as f:
        f.write("\n".join(lines))
    argv = ["curl", "-s", "-S", "--http1.1", "--parallel", "--parallel-immediate", "--parallel-max", str(per_curl), "--cacert",
            rig.path("ca.pem"), "--connect-to", f"{NAME}:{d.port}:{d.host}:{d.port}", "-w", "%{http_code} %{size_download}\\n", "-K", conf]
    start = time.monotonic()
    curls = [subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(crowd // per_curl)]
    most = 0
    for curl in curls:
        while curl.poll() is None:
            try:
                most = max(most, d.metrics()["http_connections"])
                curl.wait(0.2)
            except subprocess.TimeoutExpired:
                pass
    seconds = time.monotonic() - start
    for curl in curls:
        out, err = curl.communicate()
        if curl.returncode != 0 or out.split("\n")[:-1] != [f"200 {len(big)}"] * per_curl:
            raise Failed(f"curl: {curl.returncode} {err[:500]} {sorted(set(out.splitlines()))[:5]}")
    peak = rss_kib(d.program.pid)
    print(f"     {connections} waiting: {held} KiB ({(held - before) / crowd:.1f} each), {most} at once reading: peak {peak} KiB,"
          f" {crowd * len(big) / seconds / 1e6:.0f} MB/s", flush=True)
    assert most > crowd * 0.8, most
    assert peak - before < crowd * 384, (before, peak)
    d.stop()


SLOW = [test_crowd]
TESTS = [t for name, t in list(globals().items()) if name.startswith("test_") and t not in SLOW]

if __name__ == "__main__":
    import sys

    if sys.argv[1:] == ["slow"]:
        del sys.argv[1]
        main(*SLOW)
    else:
        main(*TESTS, *(SLOW if sys.argv[1:] else []))
