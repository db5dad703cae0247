// The suites of tests/interop against a Worker with the fixed target, in the Worker itself and in
// its Durable Object. Extra arguments go to Node's test runner.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { start } from "./miniflare.mjs";

const key = "a key for tests";
const worker = await start("tests/worker", {
  bindings: { TEST_KEY: key },
  durableObjects: { OBJECT: "TestObject" },
});
try {
  for (const path of ["/rpc", "/object"]) {
    console.log(`== ${path}`);
    const runner = spawn(process.execPath, [
      "--test", ...process.argv.slice(2),
      ...["values", "calls", "stubs", "streams", "session", "map", "batch", "fetch"].map(name => `${name}.test.mjs`),
    ], {
      cwd: fileURLToPath(new URL("../interop/", import.meta.url)),
      stdio: "inherit",
      env: {
        ...process.env,
        CAPNWEB_URL: worker.url(path, "ws"),
        CAPNWEB_KEY: key,
      },
    });
    const [code] = await once(runner, "exit");
    assert.equal(code, 0, `the suites failed at ${path}`);
  }
} finally {
  await worker.stop();
}
assert.deepEqual(worker.complaints, [], "the runtime complained");
