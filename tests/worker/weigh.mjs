// What the Workers weigh, and how long the runtime takes to start them. Cloudflare's limit is 3 MB
// of compressed code on the free plan, and a second to start; ours are below. Prints what the share
// service is made of.

import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { weigh } from "./crates.mjs";
import { start, startScript, wasm } from "./miniflare.mjs";

const LIMIT = 1_000_000;
const STARTS = 9;
const folders = ["examples/worker", "tests/worker", "share-service/worker"];

/** How long it takes from the start of the runtime to the first answer, in ms: the median of some starts. */
async function startUp(start) {
  const times = [];
  for (let n = 0; n < STARTS; n++) {
    const began = performance.now();
    const worker = await start();
    await (await fetch(worker.url("/none"))).text();
    times.push(performance.now() - began);
    await worker.stop();
  }
  return Math.round(times.toSorted((a, b) => a - b)[STARTS >> 1]);
}

const empty = "export default { fetch() { return new Response('hello'); } }";
const table = { "an empty Worker": { "first answer, ms": await startUp(() => startScript(empty)) } };
for (const folder of folders) {
  const code = wasm(folder);
  const gzipped = gzipSync(code, { level: 9 }).length;
  table[folder] = { wasm: code.length, gzipped, "first answer, ms": await startUp(() => start(folder)) };
  assert.ok(gzipped < LIMIT, `${folder} is too large`);
}

console.table(table);
const { sections, crates } = weigh(wasm(folders.at(-1)));
console.log(`${folders.at(-1)}: bytes by section, and the code by crate`);
console.table(Object.fromEntries(sections.slice(0, 5)));
console.table(Object.fromEntries(crates.slice(0, 20)));
