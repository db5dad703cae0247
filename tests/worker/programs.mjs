// The programs of this repository that the tests of Workers need beside: a client in Rust, and the
// share service for ordinary machines.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const target = process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL("../../target", import.meta.url));

function program(name) {
  const path = `${target}/debug/${name}`;
  if (!existsSync(path)) throw new Error(`${name} has not been built: use tests/worker/run`);
  return path;
}

/** Runs a command whose output is of interest to whoever runs the tests, and returns its exit code. */
export async function run(command, args, options) {
  const child = spawn(command, args, { stdio: "inherit", ...options });
  const [code] = await once(child, "exit");
  return code;
}

/** Runs one of the programs, as `run` does. */
export const runProgram = (name, options) => run(program(name), [], options);

/** Starts the share service on a folder for its data. */
export async function startNative(folder, env) {
  const child = spawn(program("share-service"), [], {
    env: { ...env, SHARE_LISTEN: "127.0.0.1:0", SHARE_LOG_FORMAT: "json", SHARE_DATA_DIR: folder },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = once(child, "exit");
  let log = "";
  for await (const line of createInterface({ input: child.stderr })) {
    log += `${line}\n`;
    const address = line.startsWith("{") && JSON.parse(line).fields.address;
    if (!address) continue;
    child.stderr.resume();
    return {
      url: (path, scheme = "http") => `${scheme}://${address}${path}`,
      stop: async () => {
        child.kill("SIGTERM");
        await exited;
      },
    };
  }
  throw new Error(`the share service did not start: ${log}`);
}
