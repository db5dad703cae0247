// Starting one of the peers as a process of its own, and talking to it line by line.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** Starts a script of this folder and waits for its `READY <port>`. */
export async function start(script, ...args) {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, [path, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "exit").then(([code]) => code);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${script} ended with code ${await exited}`);
    return value;
  };
  const ready = await next();
  const port = Number(/^READY (\d+)$/.exec(ready)?.[1]);
  if (!port) throw new Error(`${script} said ${JSON.stringify(ready)} instead of READY`);
  return {
    url: `ws://127.0.0.1:${port}/rpc`,
    /** Sends a command and returns the line that answers it. */
    command: async line => {
      child.stdin.write(`${line}\n`);
      return await next();
    },
    /** Ends its standard input and returns the exit code. */
    stop: async () => {
      child.stdin.end();
      return await exited;
    },
  };
}
