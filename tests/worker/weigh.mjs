// What the Workers weigh, and how long the runtime takes to start them. Cloudflare's limit is 3 MB
// of compressed code on the free plan; ours is below.

import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { start, wasm } from "./miniflare.mjs";

const LIMIT = 1_000_000;

for (const folder of ["examples/worker", "tests/worker", "share-service/worker"]) {
  const code = wasm(folder);
  const zipped = gzipSync(code, { level: 9 }).length;
  const began = performance.now();
  const worker = await start(folder);
  const ready = performance.now();
  await (await fetch(worker.url("/none"))).text();
  const answered = performance.now();
  await worker.stop();
  console.log(
    `${folder}: ${code.length} bytes of wasm, ${zipped} gzipped; the runtime was up after ` +
    `${Math.round(ready - began)} ms, the first answer took ${Math.round(answered - ready)} ms`);
  assert.ok(zipped < LIMIT, `${folder} is too large`);
}
