"""Headless Chromium through the DevTools protocol, over two pipes: nothing but the standard library.

Messages are JSON texts that end in a zero byte; the browser reads from descriptor 3 and writes to 4.
"""

import base64
import collections
import json
import os
import select
import subprocess
import sys
import tempfile
import time


class Browser:
    """A running Chromium, and its one page."""

    def __init__(self, program, timeout=120):
        self.timeout = timeout
        self.home = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_browser, self.output = os.pipe()
        self.input, from_browser = os.pipe()

        def place_pipes():
            low, high = os.dup(to_browser), os.dup(from_browser)
            os.dup2(low, 3)
            os.dup2(high, 4)

        flags = [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
            "--force-color-profile=srgb", "--remote-debugging-pipe", f"--user-data-dir={self.home.name}", "about:blank",
        ]
        self.process = subprocess.Popen(
            [program] + flags, preexec_fn=place_pipes, pass_fds=(3, 4), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self.buffer = b""
        self.number = 0
        self.events = collections.deque()
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Page", "Runtime", "Network", "Log", "Accessibility"]:
            self.call(f"{domain}.enable")

    def close(self):
        try:
            self.send("Browser.close")
        except (OSError, RuntimeError):
            pass
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.home.cleanup()

    # The protocol

    def call(self, method, **parameters):
        return self.send(method, session=self.session, **parameters)

    def send(self, method, session=None, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.output, json.dumps(message).encode() + b"\0")
        number = self.number
        while True:
            answer = self.receive()
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def receive(self):
        while b"\0" not in self.buffer:
            if not select.select([self.input], [], [], self.timeout)[0]:
                raise RuntimeError("the browser is silent")
            block = os.read(self.input, 1 << 16)
            if not block:
                raise RuntimeError("the browser has ended")
            self.buffer += block
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def wait_for(self, method):
        """Waits for an event, and keeps all others."""
        deadline = time.monotonic() + self.timeout
        seen = 0
        while time.monotonic() < deadline:
            while seen < len(self.events):
                if self.events[seen].get("method") == method:
                    found = self.events[seen]
                    del self.events[seen]
                    return found["params"]
                seen += 1
            self.events.append(self.receive())
        raise RuntimeError(f"no {method} came")

    def forget(self, method):
        self.events = collections.deque(event for event in self.events if event.get("method") != method)

    # The page

    def show(self, width, height, dark):
        """Chooses the window's size and the time of day."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        scheme = "dark" if dark else "light"
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, url):
        self.forget("Page.loadEventFired")
        self.call("Page.navigate", url=url)
        self.wait_for("Page.loadEventFired")

    def loading(self, action):
        """Does what loads another page, and waits for it."""
        self.forget("Page.loadEventFired")
        action()
        self.wait_for("Page.loadEventFired")

    def run(self, script):
        """The value of an expression in the page."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def press(self, key, code=None, text=None):
        codes = {"Tab": 9, "Enter": 13, " ": 32}
        parameters = {"key": key, "code": code or key, "windowsVirtualKeyCode": codes.get(key, 0)}
        if text or key == "Enter":
            parameters["text"] = text or "\r"
        self.call("Input.dispatchKeyEvent", type="keyDown", **parameters)
        self.call("Input.dispatchKeyEvent", type="keyUp", **{k: v for k, v in parameters.items() if k != "text"})

    def type(self, text):
        self.call("Input.insertText", text=text)

    def click(self, selector):
        """Clicks in the middle of an element, as a hand would."""
        box = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.scrollIntoView({{block: 'center'}});"
            " const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()")
        for kind in ["mousePressed", "mouseReleased"]:
            self.call("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def screenshot(self, path):
        height = self.run("document.documentElement.scrollHeight")
        width = self.run("innerWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": min(height, 6000), "scale": 1}
        image = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        with open(path, "wb") as file:
            file.write(base64.b64decode(image["data"]))

    def accessible_nodes(self):
        """(role, name) of all that a screen reader meets."""
        tree = self.call("Accessibility.getFullAXTree")["nodes"]
        return [
            (node.get("role", {}).get("value", ""), node.get("name", {}).get("value", ""))
            for node in tree if not node.get("ignored")
        ]

    def complaints(self, host):
        """What was logged as an error, and what was asked for elsewhere, since the start."""
        found = []
        for event in self.events:
            parameters = event.get("params", {})
            method = event.get("method")
            if method == "Runtime.exceptionThrown":
                found.append(f"exception: {parameters['exceptionDetails'].get('text')}")
            elif method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning", "assert"):
                found.append(f"console: {parameters['args']}")
            elif method == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
                if parameters["entry"].get("url", "").endswith("/favicon.ico"):
                    continue  # asked for by the browser itself, where an answer is no page
                found.append(f"log: {parameters['entry']['text']} {parameters['entry'].get('url', '')}")
            elif method == "Network.requestWillBeSent":
                url = parameters["request"]["url"]
                if not url.startswith((host, "data:", "about:")):
                    found.append(f"request: {url}")
        return found


if __name__ == "__main__":
    # chromium.py PROGRAM WIDTH light|dark URL IMAGE …: pictures of pages.
    browser = Browser(sys.argv[1])
    browser.show(int(sys.argv[2]), 900, sys.argv[3] == "dark")
    for url, image in zip(sys.argv[4::2], sys.argv[5::2]):
        browser.open(url)
        browser.screenshot(image)
    browser.close()
