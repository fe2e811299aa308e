"""Goes through the pages as a person does, by hand, keyboard and screen reader: pages.py CHROMIUM URL QUESTION IMAGES.

QUESTION is JSON: the sequence, the user, until when, the columns to pick and the window to choose. A line is printed for
each thing that is wrong; nothing, if all is well. Pictures go to the directory IMAGES.
"""

import json
import sys

import chromium

SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
CONTROLS = {"link", "button", "textbox", "combobox", "checkbox", "spinbutton", "image", "region", "table", "form", "DisclosureTriangle"}

# Elements whose text differs too little from what is behind it, by WCAG's formula.
CONTRAST = """
(() => {
  const parse = text => { const n = text.match(/[0-9.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
  const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const found = [];
  for (const e of document.querySelectorAll('main *, header *')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) || !e.checkVisibility()) continue;
    let back = e;
    while (back && parse(getComputedStyle(back).backgroundColor)[3] === 0) back = back.parentElement;
    const a = light(parse(getComputedStyle(e).color).slice(0, 3));
    const b = light(back ? parse(getComputedStyle(back).backgroundColor).slice(0, 3) : [255, 255, 255]);
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push(`${e.tagName} '${e.textContent.trim().slice(0, 30)}' has a contrast of ${ratio.toFixed(2)}`);
  }
  return [...new Set(found)].slice(0, 5);
})()
"""

FOCUSABLE = """
[...document.querySelectorAll('a[href], button, input, select, summary, [tabindex="0"]')].filter(e => e.checkVisibility())
"""

FOCUSED = f"""
(() => {{
  const e = document.activeElement, s = getComputedStyle(e), r = e.getBoundingClientRect();
  return [{FOCUSABLE}.indexOf(e), s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 1,
    r.width > 0 && r.height > 0 && r.right > 0 && r.x < innerWidth, e.outerHTML.slice(0, 60)];
}})()
"""


class Walk:
    """One way through the pages, in one size and at one time of day."""

    def __init__(self, browser, url, question, images, size, dark):
        self.browser, self.url, self.question, self.images = browser, url, question, images
        self.name = f"{size}-{'night' if dark else 'day'}"
        self.problems = []
        browser.show(*SIZES[size], dark)

    def check(self, is_well, what):
        if not is_well:
            self.problems.append(f"{self.name}: {what}")

    def look(self, page):
        """What holds of every page."""
        run = self.browser.run
        self.browser.screenshot(f"{self.images}/{page}-{self.name}.png")
        wide = run("[document.documentElement.scrollWidth, innerWidth]")
        self.check(wide[0] <= wide[1], f"{page} is {wide[0]} wide in {wide[1]}")
        for text in run(CONTRAST):
            self.check(False, f"{page}: {text}")
        for role, name in self.browser.accessible_nodes():
            self.check(role not in CONTROLS or name.strip(), f"{page}: a {role} has no name")
        self.check(run("document.documentElement.lang") == "en" and run("document.title"), f"{page} has no language or title")
        self.check(run("document.querySelectorAll('main').length") == 1, f"{page} has no main part")
        levels = run("[...document.querySelectorAll('h1, h2, h3')].map(e => Number(e.tagName[1]))")
        steps = all(after <= before + 1 for before, after in zip(levels, levels[1:]))
        self.check(levels[:1] == [1] and levels.count(1) == 1 and steps, f"{page}: headings are {levels}")
        hidden = run(
            "[...document.querySelectorAll('table')].filter(t => t.checkVisibility()).filter(t => { const"
            " c = t.querySelector('tbody td'); return c && c.getBoundingClientRect().x > innerWidth }).length")
        self.check(hidden == 0, f"{page}: {hidden} tables show their first column alone")
        twice = run("(() => { const i = [...document.querySelectorAll('[id]')].map(e => e.id); return i.length - new Set(i).size })()")
        self.check(twice == 0, f"{page}: {twice} ids are there twice")

    def tab_through(self, page):
        """The keyboard reaches everything, in the order in which it stands, and one sees where one is."""
        self.browser.run("document.activeElement.blur(); scrollTo(0, 0)")
        count = self.browser.run(f"{FOCUSABLE}.length")
        for place in range(count):
            self.browser.press("Tab")
            index, has_outline, is_seen, text = self.browser.run(FOCUSED)
            self.check(index == place, f"{page}: stop {place} of the keyboard is {text}")
            self.check(has_outline and is_seen, f"{page}: the focus on {text} is not seen")

    def overview(self):
        self.browser.open(self.url + "/")
        self.look("overview")
        self.tab_through("overview")
        for section in ["anomalies", "freshness", "requests", "completeness", "definitions", "storage"]:
            self.check(self.browser.run(f"!!document.getElementById('{section}')"), f"no section '{section}'")
        self.browser.run("document.querySelectorAll('details').forEach(e => e.open = true)")
        self.look("overview-details")

    def explore(self):
        run, question = self.browser.run, self.question
        self.browser.loading(lambda: self.browser.click('nav a[href="/explore"]'))
        self.look("explorer-empty")
        run(f"document.querySelector('select[name=sequence]').value = {json.dumps(question['sequence'])}")
        self.fill("input[name=user]", question["user"])
        self.fill("input[name=until]", question["until"])
        self.browser.loading(lambda: self.browser.press("Enter"))
        address = run("location.href")
        everything = self.events("all columns")
        self.look("explorer")
        self.tab_through("explorer")

        for name in run("[...document.querySelectorAll('input[type=checkbox]')].map(e => e.name)"):
            if name.removeprefix("column.") not in question["columns"]:
                self.browser.click(f"input[name='{name}']")
        self.browser.loading(lambda: self.browser.click("form button"))
        head = run("[...document.querySelectorAll('main table thead th')].map(e => e.textContent)")
        self.check(head[1:] == question["columns"], f"columns are {head}")
        boxes = run("[...document.querySelectorAll('input:checked')].map(e => e.name.slice(7))")
        self.check(boxes == question["columns"], f"boxes that are ticked: {boxes}")
        self.check(len(self.events("some columns")) == len(everything), "columns change how many events there are")
        self.look("explorer-columns")

        self.browser.open(address)
        self.fill("input[name=window]", question["window"])
        self.browser.loading(lambda: self.browser.click("form button"))
        self.check(0 < len(self.events("a window")) < len(everything), "the window changes nothing")

    def fill(self, selector, text):
        self.browser.click(selector)
        self.browser.run(f"document.querySelector({json.dumps(selector)}).select()")
        self.browser.type(text)

    def events(self, what):
        """The events that the page shows, compared with what its link to the JSON gives."""
        run = self.browser.run
        shown = run("document.querySelectorAll('main tbody tr:not(.gap)').length")
        marks = run("document.querySelectorAll('.track i').length")
        address = run("location.href")
        self.browser.loading(lambda: self.browser.click("h2 a"))
        answer = json.loads(run("document.body.innerText"))
        self.browser.open(address)
        events = answer["events"]
        count = len(next(iter(events.values()))) if isinstance(events, dict) else len(events)
        self.check(shown == marks == count > 0, f"{what}: {shown} rows, {marks} marks and {count} events of JSON")
        return range(count)


def main(program, url, question, images):
    problems = []
    browser = chromium.Browser(program)
    try:
        for size in SIZES:
            for dark in [False, True]:
                walk = Walk(browser, url, json.loads(question), images, size, dark)
                walk.overview()
                walk.explore()
                problems += walk.problems
        problems += browser.complaints(url)
    finally:
        browser.close()
    print(*problems, sep="\n", end="\n" if problems else "")


main(*sys.argv[1:])
