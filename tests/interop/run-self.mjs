// Runs every test of this folder against the JavaScript servers: that is the proof that the tests
// expect what the package really does. Extra arguments go to Node's test runner.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { start } from "./process.mjs";

const folder = new URL(".", import.meta.url);
const key = "a key for tests";
const shareKey = "another key";
const server = await start("server.mjs", "--key", key);
const share = await start("share-server.mjs", "--key", shareKey);

const tests = readdirSync(folder).filter(name => name.endsWith(".test.mjs"));
const runner = spawn(process.execPath, ["--test", ...process.argv.slice(2), ...tests], {
  cwd: folder,
  stdio: "inherit",
  env: {
    ...process.env,
    CAPNWEB_URL: server.url, CAPNWEB_KEY: key,
    SHARE_URL: share.url, SHARE_KEY: shareKey,
    CAPNWEB_CALLBACKS: "hang",
  },
});
const [code] = await once(runner, "exit");
await server.stop();
await share.stop();
process.exitCode = code ?? 1;
