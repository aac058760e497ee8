#!/usr/bin/python3
"""A sweep's page in a real browser, offline: sort, filter, clicks, keys, themes, paper, 10,000 points.  suite: 20 s

    sweep_page.py [WORD]...          only the cases with every WORD in their name
    sweep_page.py picture REPORT PNG light|dark    a picture of a page
"""
import json, pathlib, shlex, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from browser import Browser
from cases import Suite, check, until
from lstm import little_spec, lstmgen, scratch

suite = Suite()
AXES = {"sparsity.pattern": ["dense", "bank_balanced"], "engine.pes": [1, 2, 4], "precision.weight": [4, 8, 12, 16]}
PAINT = """new Promise(done => new PerformanceObserver(list =>
    done(list.getEntriesByName("first-contentful-paint")[0].startTime)).observe({type: "paint", buffered: true}))"""
DRAWN = "performance.getEntriesByType('navigation')[0].loadEventEnd"
DOTS = "scatter.data.datasets.filter(d => patterns.includes(d.label)).reduce((n, d) => n + d.data.length, 0)"
HEAD = "[...document.querySelectorAll('#head button')].findIndex(b => b.textContent.split(' ')[0] === %s)"
CELLS = "[...document.querySelectorAll('#body tr')].map(tr => parseFloat(tr.children[%d].textContent))"
POINT = "document.getElementById('point').textContent"
BACK = "getComputedStyle(document.body).backgroundColor"


def report(folder, axes=AXES, **more):
    path = pathlib.Path(folder, "sweep.yaml")
    base = str(little_spec(folder, inputs=8, hidden=8, sparsity={"keep": {"R": 1.0}}))
    path.write_text(json.dumps(dict({"name": "little", "base": base, "axes": axes,
                                "front": ["cycles.interval", "resources.lut"]}, **more)))
    r = lstmgen("sweep", str(path), "-o", folder + "/o", cwd=folder)
    check(r.status == 0, "exit %s: %s", r.status, r.last())
    return folder + "/o/report.html"


def dots(page):
    return page.value(DOTS)


def head(page, name):
    """The index of a column."""
    return page.value(HEAD % json.dumps(name))


def column(page, name):
    """What the table shows in a column, as numbers."""
    return page.value(CELLS % head(page, name))


@suite.case("it loads without a word in the console and without a network, and has all points", ["chromium"])
def _():
    with scratch() as folder, Browser(folder) as page:
        page.open(report(folder))
        check(page.complaints() == [], "%s", page.complaints())
        check(page.value("rows.length") == 24 and dots(page) == 24, "%s rows, %s dots", page.value("rows.length"),
              dots(page))
        check(page.value("scatter.scales.x.type + parallel.data.datasets.length") == "logarithmic24", "the plots")
        check(page.value("document.querySelectorAll('#body tr').length") == 24, "the table")
        check("24 of 24" in page.value("document.getElementById('shown').textContent"), "the count")
        page.value("console.error('seen')")
        check(len(page.complaints()) == 1, "an error in the console would not be seen")


@suite.case("a click on a head sorts, another the other way; words and conditions filter", ["chromium"])
def _():
    with scratch() as folder, Browser(folder) as page:
        page.open(report(folder))
        for down in (False, True):
            page.click("#head button", head(page, "cycles.interval"))
            v = column(page, "cycles.interval")
            check(v == sorted(v, reverse=down) and len(set(v)) > 2, "down %s: %s", down, v)
        page.click("#filter")
        page.type("dense engine.pes=2 precision.weight<=8")
        until(lambda: page.value("shown.length === 2"), "row that fits the filter")
        check(dots(page) == 2 and set(column(page, "engine.pes")) == {2}, "%s dots", dots(page))
        check("2 of 24" in page.value("document.getElementById('shown').textContent"), "the count")
        page.value("document.getElementById('filter').value = ''; refresh()")
        page.click("#only")
        check(page.value("shown.length === onFront.size && shown.length > 0 && shown.length < 24"), "front only")


@suite.case("a click in the plot, in the table and in the parallel coordinates shows spec, command, figures",
            ["chromium"])
def _():
    with scratch() as folder, Browser(folder) as page:
        page.open(report(folder))
        page.value("scrollTo(0, 0)")
        where = page.value("""(() => { const k = scatter.data.datasets.findIndex(d => d.label === "dense"), i = 5;
            const e = scatter.getDatasetMeta(k).data[i], b = scatter.canvas.getBoundingClientRect();
            return [b.x + e.x, b.y + e.y, scatter.data.datasets[k].data[i].row[at["engine.pes"]]]; })()""")
        page.point(*where[:2])
        text = page.value(POINT)
        check("--set engine.pes=%d" % where[2] in text and "cycles.interval" in text and "little.npz" in text, "%s",
              text)
        page.click("#body td", 0)
        text = page.value(POINT)
        check(text.startswith("Point 1") and "lstmgen check base.yaml --set 'sparsity.pattern=\"dense\"'" in text, "%s",
              text)
        check(page.value("document.querySelector('#body tr').getAttribute('aria-selected')") == "true", "its row")
        page.value("document.getElementById('point').textContent = ''; parallel.canvas.scrollIntoView()")
        page.point(*page.value("""(() => { const e = parallel.getDatasetMeta(3).data[0];
            const b = parallel.canvas.getBoundingClientRect(); return [b.x + e.x, b.y + e.y]; })()"""))
        check(page.value(POINT).startswith("Point"), "nothing from the parallel coordinates")


@suite.case("the command that it shows gives the figures that it shows", ["chromium"])
def _():
    with scratch() as folder, Browser(folder) as page:
        page.open(report(folder))
        page.click("#body tr:nth-child(20) td", 0)
        command = shlex.split(page.value("document.querySelector('#point pre').textContent"))
        r = lstmgen(*command[1:], "--json", cwd=folder + "/o")
        check(r.status == 0, "%s: %s", command, r.last())
        check("cycles.interval%d" % r.get("cycles.interval") in page.value(POINT), "%s", page.value(POINT))


@suite.case("the keyboard reaches everything; each control has a name", ["chromium"])
def _():
    with scratch() as folder, Browser(folder) as page:
        page.open(report(folder))
        seen = []
        for _ in range(80):
            page.key("Tab")
            seen.append(page.value("(e => e.id || (e.closest('thead') ? 'head' : e.closest('tbody') ? 'row' : ''))"
                                   "(document.activeElement)"))
        for name in ("theme", "x", "y", "xlog", "only", "filter", "scatter", "point", "next", "head", "row",
                     "constant"):
            check(name in seen, "Tab never came to %s: %s", name, seen)
        page.value("document.querySelector('#body button').focus()")
        page.key("Enter")
        check(page.value(POINT).startswith("Point 1"), "Enter on a point: %s", page.value(POINT)[:40])
        page.value("document.getElementById('scatter').focus()")
        page.key("ArrowRight")
        first = page.value(POINT)
        page.key("ArrowRight")
        page.key("ArrowLeft")
        check(page.value(POINT) == first and first.startswith("Point"), "arrows in the plot")
        nameless = page.value("""[...document.querySelectorAll("button, input, select, canvas, [tabindex]")].filter(e =>
            !(e.textContent.trim() || e.getAttribute("aria-label") || e.getAttribute("aria-labelledby") ||
              (e.labels && e.labels.length))).map(e => e.outerHTML)""")
        check(nameless == [], "without a name: %s", nameless)


@suite.case("light and dark follow the system and the button; paper is white and has the columns that count",
            ["chromium"])
def _():
    with scratch() as folder, Browser(folder) as page:
        path = report(folder)
        page.open(path)
        light = page.value(BACK)
        page.click("#theme")
        dark = page.value(BACK)
        page.media(scheme="dark")
        page.open(path)
        check(page.value(BACK) == dark != light == "rgb(255, 255, 255)", "%s, %s, %s", light, dark, page.value(BACK))
        ink = "scatter.options.scales.x.title.color"
        check(page.value(ink) == "#e6edf3", "axes in the dark: %s", page.value(ink))
        page.value("dispatchEvent(new Event('beforeprint'))")
        page.media("print", "dark")
        check(page.value(BACK) == light and page.value(ink) == "#1b1f24", "paper: %s, %s", page.value(BACK),
              page.value(ink))
        page.call("Emulation.setDeviceMetricsOverride", width=1046, height=740, deviceScaleFactor=1, mobile=False)  # A4
        wide = page.value("document.documentElement.scrollWidth")
        check(wide <= 1046, "%s pixels wide, paper has 1046", wide)
        check(page.value("getComputedStyle(document.querySelector('.controls')).display") == "none",
              "controls on paper")
        page.media(scheme="dark")
        page.value("dispatchEvent(new Event('afterprint'))")
        check(page.value(BACK) == dark, "not dark again")


def timed(page, path):
    """Seconds to the first paint, until 10,000 points are drawn, and of a filter."""
    page.open(path)
    paint, drawn = page.value(PAINT) / 1000, page.value(DRAWN) / 1000
    check(page.complaints() == [] and dots(page) == 10000, "%s, %s dots", page.complaints(), dots(page))
    used = page.value("(() => { const t = performance.now(); document.getElementById('filter').value = 'dense';"
                      " refresh(); return performance.now() - t; })()") / 1000
    return paint, drawn, used


@suite.case("10,000 points: painted within 2 s, filtered within 1 s", ["chromium"])
def _():
    with scratch() as folder, Browser(folder) as page:
        path = pathlib.Path(report(folder))
        text = path.read_text()
        start = text.index("const DATA = ") + len("const DATA = ")
        end = text.index(";</script>", start)
        data = json.loads(text[start:end])
        many = range(10000)             # the same rows again, each a little different
        interval = data["columns"].index("cycles.interval")
        data["rows"] = [[k + 1] + data["rows"][k % 24][1:interval] + [data["rows"][k % 24][interval] + k] +
                        data["rows"][k % 24][interval + 1:] for k in many]
        data["choices"], data["points"] = [data["choices"][k % 24] for k in many], len(many)
        data["front"] = list(range(1, 101))
        path.write_text(text[:start] + json.dumps(data) + text[end:])
        said = []
        for _ in range(3):              # the machine may be busy with other things
            times = timed(page, path)
            said.append("first paint after %.2f s, all drawn after %.2f s, filtered in %.2f s" % times)
            if 0 < times[0] < 2 and 0 < times[1] < 2 and times[2] < 1:
                return said[-1]
        check(False, "%s", "; ".join(said))


def picture(path, png, scheme):
    with scratch() as folder, Browser(folder) as page:
        page.call("Emulation.setDeviceMetricsOverride", width=1200, height=1140, deviceScaleFactor=0.75, mobile=False)
        page.media(scheme=scheme)
        page.open(path)
        page.value("select(rows.find(r => onFront.has(r[at.point]))); scrollTo(0, 0)")
        page.picture(png)


if sys.argv[1:2] == ["picture"]:
    picture(*sys.argv[2:5])
else:
    suite.main()
