// Runs suites of tests/interop in Chromium.
//
//   node browser.mjs SUITE...
//
// CAPNWEB_URL names the server under test, which cannot ask for a key: pages cannot set headers. The
// page comes from the server's own origin, where this script answers for the files of the suites.
// What Node has and browsers have not is in browser-shims.mjs. CHROMIUM is the program, if it has
// another place than /usr/bin/chromium.

import { existsSync, readFileSync } from "node:fs";
import { extname, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const TESTS = fileURLToPath(new URL("..", import.meta.url));
const FILES = "/suite-files/";
/** How long all suites together may take. */
const DEADLINE = 120_000;

const suites = process.argv.slice(2);
const program = process.env.CHROMIUM ?? "/usr/bin/chromium";
if (!existsSync(program)) {
  console.error(`There is no ${program}: install Chromium (on Debian \`apt-get install chromium\`), or set CHROMIUM.`);
  process.exit(1);
}
const { CAPNWEB_URL, CAPNWEB_CALLBACKS = "" } = process.env;
const origin = new URL(CAPNWEB_URL.replace(/^ws/, "http")).origin;

const shims = `${FILES}runtimes/browser-shims.mjs`;
const imports = {
  capnweb: `${FILES}interop/node_modules/capnweb/dist/index.js`,
  "node:assert/strict": shims,
  "node:test": shims,
  ws: shims,
  shims,
};

const page = `<!doctype html>
<meta charset="utf-8">
<script type="importmap">${JSON.stringify({ imports })}</script>`;

/** The suites use two globals of Node's. The package must not find them: it would take this for Node. */
const GLOBALS = 'import { Buffer, process } from "shims";';

function file(path) {
  const local = normalize(`${TESTS}/${path}`);
  if (!local.startsWith(normalize(TESTS)) || !existsSync(local)) return { status: 404, body: "" };
  const text = readFileSync(local, "utf8");
  const isSuite = !path.includes("node_modules") && !path.endsWith("browser-shims.mjs");
  const types = { ".mjs": "text/javascript", ".js": "text/javascript" };
  return {
    contentType: types[extname(path)] ?? "text/plain",
    body: isSuite ? `${GLOBALS}${text}` : text,
  };
}

// The sandbox needs rights that containers do not give; the page is our own.
const browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox"] });
try {
  const context = await browser.newContext();
  // A page that did not come over the network counts as foreign, and this machine's ports as private.
  await context.grantPermissions(["local-network-access"]);
  const tab = await context.newPage();
  tab.on("pageerror", error => console.error(error.stack));
  await tab.route(`${origin}${FILES}**`, route => {
    const path = new URL(route.request().url()).pathname.slice(FILES.length);
    return route.fulfill(path === "page" ? { contentType: "text/html", body: page } : file(path));
  });
  await tab.goto(`${origin}${FILES}page`);
  tab.setDefaultTimeout(DEADLINE);
  const env = { CAPNWEB_URL, CAPNWEB_CALLBACKS };
  const results = await tab.evaluate(async ({ env, files, suites }) => {
    const shims = await import("shims");
    shims.setEnvironment(env);
    for (const suite of suites) await import(`${files}interop/${suite}`);
    return await shims.runAll();
  }, { env, files: FILES, suites });
  for (const { name, error } of results) {
    console.log(error ? `not ok - ${name}\n${error}` : `ok - ${name}`);
  }
  const failed = results.filter(({ error }) => error).length;
  console.log(`# pass ${results.length - failed}\n# fail ${failed}\n# skipped 0`);
  process.exitCode = failed > 0 || results.length === 0 ? 1 : 0;
} finally {
  await browser.close();
}
