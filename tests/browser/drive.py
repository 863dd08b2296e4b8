"""Drives headless Chromium over one page: reads what to do as JSON from stdin, prints what came of it as JSON.

It judges nothing: what is right stands in the tests. Given --check it only says whether all it needs is there.
"""

import base64
import json
import shutil
import socket
import sys
import threading
import time


def driver(plan):
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    size = f"{plan.get('width', 1280)},{plan.get('height', 900)}"
    for argument in ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     f"--window-size={size}", f"--user-data-dir={plan['profile']}"]:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    scheme = "dark" if plan.get("dark") else "light"
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": plan.get("width", 1280), "height": plan.get("height", 900),
        "deviceScaleFactor": 1, "mobile": plan.get("width", 1280) < 500})
    if plan.get("script", True) is False:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    return browser


class Steps:
    """What a test may ask for, one method a step."""

    def __init__(self, browser, plan):
        self.browser, self.plan = browser, plan

    def js(self, code):
        return self.browser.execute_script(code)

    def wait(self, code):
        """Waits until the code gives something true, and gives that."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            value = self.browser.execute_script(code)
            if value:
                return value
            time.sleep(0.02)
        raise TimeoutError(f"never came true: {code}")

    def click(self, selector):
        from selenium.webdriver.common.by import By
        self.browser.find_element(By.CSS_SELECTOR, selector).click()

    def keys(self, *names):
        """Presses keys wherever the focus is: names of special keys, or text."""
        from selenium.webdriver.common.action_chains import ActionChains
        from selenium.webdriver.common.keys import Keys
        for name in names:
            ActionChains(self.browser).send_keys(getattr(Keys, name, name)).perform()

    def axe(self):
        """The violations that axe finds, each with the elements."""
        with open(self.plan["axe"], encoding="utf-8") as source:
            self.browser.execute_script(source.read())
        found = self.browser.execute_async_script(
            "const done = arguments[0]; axe.run().then((all) => done(all), (error) => done({error: String(error)}));")
        if "error" in found:
            raise RuntimeError(found["error"])
        return [f"{each['id']}: {node['html'][:200]} {node.get('failureSummary', '')[:300]}"
                for each in found["violations"] for node in each["nodes"]]

    def clipboard(self):
        self.browser.execute_cdp_cmd(
            "Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})
        return self.browser.execute_async_script(
            "const done = arguments[0]; navigator.clipboard.readText().then(done, (error) => done(String(error)));")

    def pdf(self, path):
        printed = self.browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
        with open(path, "wb") as file:
            file.write(base64.b64decode(printed["data"]))

    def picture(self, path):
        height = self.browser.execute_script("return document.documentElement.scrollHeight")
        width = self.plan.get("width", 1280)
        taken = self.browser.execute_cdp_cmd("Page.captureScreenshot", {
            "captureBeyondViewport": True,
            "clip": {"x": 0, "y": 0, "width": width, "height": min(height, 8000), "scale": 1}})
        with open(path, "wb") as file:
            file.write(base64.b64decode(taken["data"]))

    def smuggle(self):
        """Does what injected markup would do, and tells how many connections came of it."""
        heard = []
        with socket.create_server(("127.0.0.1", 0)) as server:
            def listen():
                try:
                    while True:
                        server.accept()[0].close()
                        heard.append(1)
                except OSError:
                    pass
            threading.Thread(target=listen, daemon=True).start()
            url = f"http://127.0.0.1:{server.getsockname()[1]}/"
            # Each is answered with an event or a rejection, so that nothing has to be waited for by the clock.
            told = self.browser.execute_async_script("""
                const [url, done] = arguments;
                const element = (name, fields) => new Promise((resolve) => {
                    const made = Object.assign(document.createElement(name), fields);
                    made.onload = () => resolve(name + ' loaded');
                    made.onerror = () => resolve(name + ' refused');
                    document.body.append(made);
                });
                Promise.all([
                    element('img', {src: url + 'a.png'}),
                    element('script', {src: url + 'a.js'}),
                    element('link', {rel: 'stylesheet', href: url + 'a.css'}),
                    fetch(url).then(() => 'fetch answered', () => 'fetch refused'),
                ]).then(done);
            """, url)
        return {"told": told, "connections": len(heard)}


def main():
    plan = json.load(sys.stdin)
    browser = driver(plan)
    try:
        # What the browser does for itself when it starts isn't the page's.
        browser.get("about:blank")
        browser.get_log("performance")
        browser.get_log("browser")
        began = time.monotonic()
        browser.get(plan["page"])
        steps, results = Steps(browser, plan), []
        # On a busy machine the driver has gone on before the end of the page was read, where its script stands.
        steps.wait("return document.readyState === 'complete'")
        opened = time.monotonic() - began
        for name, *arguments in plan["steps"]:
            results.append(getattr(steps, name)(*arguments))
        requests = []
        for entry in browser.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                requests.append(message["params"]["request"]["url"])
        said = [entry["message"] for entry in browser.get_log("browser")]
        json.dump({"openedIn": opened, "results": results, "requests": requests, "said": said}, sys.stdout)
    finally:
        browser.quit()


def missing():
    wanted = [name for name in ["chromium", "chromedriver"] if shutil.which(name) is None]
    try:
        import selenium  # noqa: F401
    except ImportError:
        wanted.append("selenium (of Python)")
    return wanted


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        print(", ".join(missing()))
    else:
        main()
