// A Worker in the Workers runtime, started in this process.

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Miniflare } from "miniflare";

const root = new URL("../../", import.meta.url);

/**
 * Starts the Worker that was built in a folder of the repository, and others that it needs. What the runtime reports beside
 * answers, such as requests that hang, is collected in `complaints`.
 */
export async function start(folder, options = {}, { others = [], shared = {} } = {}) {
  const build = fileURLToPath(new URL(`${folder}/build/`, root));
  const main = ["index.js", "worker/shim.mjs"].map(name => `${build}${name}`).find(existsSync);
  if (!main) throw new Error(`${folder} has not been built: use tests/worker/run`);
  return await run({
    modules: true,
    modulesRoot: build,
    scriptPath: main,
    modulesRules: [{ type: "CompiledWasm", include: ["**/*.wasm"] }],
    ...options,
  }, others, shared);
}

/** Starts a Worker that is a script. */
export const startScript = script => run({ modules: true, script });

async function run(worker, others = [], shared = {}) {
  const complaints = [];
  const runtime = new Miniflare({
    host: "127.0.0.1",
    port: 0,
    handleRuntimeStdio: (stdout, stderr) => {
      for (const stream of [stdout, stderr]) {
        stream.setEncoding("utf8").on("data", text => complaints.push(text));
      }
    },
    workers: [{ compatibilityDate: "2026-07-01", ...worker }, ...others],
    ...shared,
  });
  const url = await runtime.ready;
  return {
    runtime,
    complaints,
    /** The address of a path, for requests or, as "ws", for WebSockets. */
    url: (path, scheme = "http") => `${scheme}://${url.host}${path}`,
    stop: () => runtime.dispose(),
  };
}

/** The code of a built Worker. */
export function wasm(folder) {
  return readFileSync(new URL(`${folder}/build/index_bg.wasm`, root));
}
