"""The download page in a real browser: nothing that its own policy forbids, the button works, everybody can read it.
PICTURES=FOLDER keeps pictures of it."""

import os

from browser import Browser
from download import NAME, Download, sha256
from rig import main

CLIENT = os.urandom(8_400_000)
SCREENS = {"desktop": (1280, 900, 1), "phone": (390, 844, 2)}

# Every text's contrast with what lies behind it (WCAG 2.1, 1.4.3 and 1.4.6), the worst first.
CONTRAST = """(() => {
  const parse = c => c.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !e.checkVisibility()) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))];
    found.push([(Math.max(a, b) + .05) / (Math.min(a, b) + .05), walk.currentNode.data.trim().slice(0, 40)]);
  }
  return found.sort((x, y) => x[0] - y[0]).slice(0, 3);
})()"""

# What a reader with a screen reader goes by.
OUTLINE = """({
  lang: document.documentElement.lang, title: document.title,
  h1: document.querySelectorAll('h1').length, main: document.querySelectorAll('main').length,
  warning: document.querySelector('main').firstElementChild.className,
  unnamed: [...document.querySelectorAll('a, summary')].filter(e => !e.textContent.trim()).length,
  pictures: [...document.querySelectorAll('img')].filter(e => !e.hasAttribute('alt')).length,
  drawings: [...document.querySelectorAll('svg')].filter(e => e.getAttribute('aria-hidden') !== 'true').length,
  sections: [...document.querySelectorAll('[aria-labelledby]')].filter(e => !document.getElementById(e.getAttribute('aria-labelledby'))).length,
  steps: document.querySelectorAll('ol > li').length, scripts: document.scripts.length,
  button: (r => r && [r.width, r.height])(document.querySelector('.button')?.getBoundingClientRect()),
  broad: document.documentElement.scrollWidth > innerWidth,
})"""


def open_all(rig, page, d, name):
    for language in ("ja", "en"):
        for screen, (width, height, scale) in SCREENS.items():
            for dark in (False, True):
                page.look(width, height, dark, language, scale)
                page.go(d.url("/"))
                folder = os.environ.get("PICTURES")
                if folder:
                    os.makedirs(folder, exist_ok=True)
                    page.picture(os.path.join(folder, f"{name}-{screen}-{language}{'-dark' if dark else ''}.png"))
                yield language, screen, dark


def check(page, language, has_client=True):
    o = page.js(OUTLINE)
    assert o["lang"] == language and o["title"] and o["h1"] == o["main"] == 1 and o["warning"] == "warning", o
    assert o["unnamed"] == o["pictures"] == o["drawings"] == o["sections"] == o["scripts"] == 0, o
    assert not o["broad"], o
    assert o["steps"] == (3 if has_client else 0), o
    if has_client:
        assert o["button"][0] >= 200 and o["button"][1] >= 48, o
    else:
        assert o.get("button") is None, o
    worst = page.js(CONTRAST)
    assert worst[0][0] >= 5, worst


def test_the_page_is_clean_and_readable(rig):
    d = Download(rig, CLIENT)
    page = Browser(rig, {NAME: d.host}).page()
    for language, screen, dark in open_all(rig, page, d, "page"):
        check(page, language)
    assert page.complaints() == [], page.complaints()
    paths = {url.removeprefix(d.url("")).split("?")[0] for url in page.requests()}
    assert paths == {"/", "/style.css", "/favicon.svg"}, paths
    # The policy is in force: what is not ours and what is a script is refused.
    assert page.js("new Promise(done => { document.addEventListener('securitypolicyviolation', e => done(e.violatedDirective));"
                   " const s = document.createElement('script'); s.textContent = 'document.title = 1'; document.body.append(s); })"
                   ).startswith("script-src")
    assert page.complaints(), "a violation is told"


def test_without_a_file_there_is_no_button(rig):
    d = Download(rig)
    page = Browser(rig, {NAME: d.host}).page()
    for language, screen, dark in open_all(rig, page, d, "absent"):
        check(page, language, has_client=False)
    assert page.complaints() == [], page.complaints()


def test_the_button_downloads_the_file_in_both_languages(rig):
    d = Download(rig, CLIENT)
    browser = Browser(rig, {NAME: d.host})
    page = browser.page()
    for language, other in (("ja", "en"), ("en", "ja")):
        page.look(1280, 900, language=language)
        page.go(d.url("/"))
        page.click(".button")
        begun = browser.wait("Browser.downloadWillBegin")
        assert begun["suggestedFilename"].startswith("tasuki-client"), begun
        browser.wait("Browser.downloadProgress", lambda p: p["guid"] == begun["guid"] and p["state"] == "completed")
        newest = max((os.path.join(browser.downloads, n) for n in os.listdir(browser.downloads)), key=os.path.getmtime)
        with open(newest, "rb") as f:
            assert sha256(f.read()) == sha256(CLIENT)
        # And the link to the other language.
        page.loads("the other language", lambda: page.click("nav a"))
        assert page.js("document.documentElement.lang") == other
    assert page.complaints() == [], page.complaints()


if __name__ == "__main__":
    main(test_the_page_is_clean_and_readable, test_without_a_file_there_is_no_button,
         test_the_button_downloads_the_file_in_both_languages)
