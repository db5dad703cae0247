// Opens a page in a browser without a window, and prints what its elements say.
//
//   node page.mjs URL ID...
//
// Waits until each element has a text; the ids come in the order in which the texts do. Needs
// Chromium: Debian's package, or the one that CHROMIUM names.

import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const [url, ...ids] = process.argv.slice(2);
const places = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = places.find(path => path && existsSync(path));
if (!executablePath) {
  console.error("A browser is needed: `apt-get install chromium`, or set CHROMIUM to the path of one.");
  process.exit(1);
}

// Without a sandbox: the pages are the tests' own, and root has no sandbox.
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
try {
  const page = await browser.newPage();
  page.on("pageerror", error => console.error(error));
  await page.goto(url);
  await page.waitForFunction(
    ids => ids.every(id => document.getElementById(id)?.textContent), ids, { timeout: 30_000 });
  for (const id of ids) console.log((await page.textContent(`#${id}`)).trim());
} finally {
  await browser.close();
}
