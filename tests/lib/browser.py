"""Chromium without a window, driven through its remote debugging pipe as by a user: real clicks, keys, pictures.

    with Browser(folder) as page: page.open(path); page.click("#theme"); page.value("rows.length")
"""
import base64, json, os, pathlib, select, shutil, signal, subprocess, time

KEYS = {"Tab": (9, ""), "Enter": (13, "\r"), "ArrowRight": (39, ""), "ArrowLeft": (37, "")}


class Browser:
    def __init__(self, folder, width=1400, height=1500):
        """folder: for the browser's profile."""
        self.folder, self.size, self.count, self.events, self.buffer = pathlib.Path(folder), (width, height), 0, [], b""

    def __enter__(self):
        to_child, self.write = os.pipe()
        self.read, from_child = os.pipe()

        def pipes():                    # the browser reads from 3 and writes to 4
            a, b = os.dup(to_child), os.dup(from_child)
            os.dup2(a, 3)
            os.dup2(b, 4)
        self.process = subprocess.Popen(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
             "--remote-debugging-pipe",
             "--user-data-dir=%s" % (self.folder / "profile"), "--window-size=%d,%d" % self.size, "about:blank"],
            preexec_fn=pipes, close_fds=False, start_new_session=True, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(to_child)
        os.close(from_child)
        try:
            self.attach()
        except BaseException:
            self.__exit__()
            raise
        return self

    def attach(self):
        target = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self.session = None
        self.session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")
        self.call("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=-1,
                  uploadThroughput=-1)

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.read)
        os.close(self.write)
        self.remove_profile()

    def remove_profile(self):
        """Its other processes may still write there until they are gone."""
        end = time.monotonic() + 30
        while (self.folder / "profile").exists():
            shutil.rmtree(self.folder / "profile", ignore_errors=time.monotonic() < end)
            time.sleep(0.02)

    def message(self, seconds):
        end = time.monotonic() + seconds
        while b"\0" not in self.buffer:
            if not select.select([self.read], [], [], max(0, end - time.monotonic()))[0]:
                raise TimeoutError("the browser said nothing for %d s" % seconds)
            data = os.read(self.read, 1 << 20)
            if not data:
                raise RuntimeError("the browser ended")
            self.buffer += data
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, seconds=120, **params):
        self.count += 1
        words = {"id": self.count, "method": method, "params": params}
        if getattr(self, "session", None):
            words["sessionId"] = self.session
        os.write(self.write, json.dumps(words).encode() + b"\0")
        while True:
            m = self.message(seconds)
            if m.get("id") == self.count:
                if "error" in m:
                    raise RuntimeError("%s: %s" % (method, m["error"]))
                return m["result"]
            self.events.append(m)

    def open(self, path):
        """Loads a page from disk; until all of it ran and was shown."""
        self.events = []
        self.call("Page.navigate", url=pathlib.Path(path).absolute().as_uri())
        while not any(e.get("method") == "Page.loadEventFired" for e in self.events):
            self.events.append(self.message(120))
        self.value("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def value(self, expression):
        r = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in r:
            raise RuntimeError("%s: %s" % (expression, r["exceptionDetails"]))
        return r["result"].get("value")

    def complaints(self):
        """What a console would show: errors, warnings, failed loads; and any request but that of the page itself."""
        self.value("0")
        bad = [e["params"] for e in self.events if e.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded")]
        bad += [e["params"] for e in self.events if e.get("method") == "Runtime.consoleAPICalled"]
        urls = [e["params"]["request"]["url"] for e in self.events if e.get("method") == "Network.requestWillBeSent"]
        return bad + [u for u in urls[1:] if not u.startswith("data:")]

    def point(self, x, y):
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y,
                      button="none" if kind == "mouseMoved" else "left", clickCount=1)

    def click(self, selector, index=0):
        """In the middle of the element."""
        box = self.value("(() => { const e = document.querySelectorAll(%s)[%d]; e.scrollIntoView({block: 'center'});"
                         " const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()"
                         % (json.dumps(selector), index))
        self.point(*box)

    def type(self, text):
        self.call("Input.insertText", text=text)

    def key(self, name):
        code, text = KEYS[name]
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code,
                      text=text if kind == "keyDown" else "")

    def media(self, kind="", scheme="light"):
        self.call("Emulation.setEmulatedMedia", media=kind,
                  features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, path):
        data = self.call("Page.captureScreenshot", format="png")["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(data))
