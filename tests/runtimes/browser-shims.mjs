// What the suites need of Node, in a page: its test runner, its assertions, the interface of `ws`,
// and two globals.

export const process = { env: {} };

/** What the suites find in the environment. */
export function setEnvironment(env) {
  Object.assign(process.env, env);
}

export const Buffer = {
  from: text => new TextEncoder().encode(text),
  isBuffer: () => false,
};

// node:test

const tests = [];
const groups = [];

/** A group of tests. What is skipped is not even collected: pages cannot set headers. */
export function describe(name, ...rest) {
  const body = rest.pop();
  const [{ skip = false } = {}] = rest;
  if (skip) return;
  groups.push(name);
  body();
  groups.pop();
}

/** A test, to be run by `runAll`. */
export function it(name, { timeout }, body) {
  tests.push({ name: [...groups, name].join(" "), timeout, body });
}

/** Runs all tests, one after the other: their names, and what the failed ones failed with. */
export async function runAll() {
  const results = [];
  for (const { name, timeout, body } of tests) {
    const cleanups = [];
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`took more than ${timeout} ms`)), timeout);
    });
    let error;
    try {
      await Promise.race([body({ after: cleanup => cleanups.push(cleanup) }), late]);
    } catch (thrown) {
      error = String(thrown?.stack ?? thrown);
    }
    clearTimeout(timer);
    for (const cleanup of cleanups) await cleanup();
    results.push({ name, error });
  }
  return results;
}

// node:assert/strict

class AssertionError extends Error {}

function show(value) {
  try {
    return JSON.stringify(value, (_, part) => (typeof part === "bigint" ? `${part}n` : part)) ?? String(value);
  } catch {
    return String(value);
  }
}

/** The properties that tell two values of one kind apart, besides those of their members. */
function essence(value) {
  if (value instanceof Date) return value.getTime();
  if (value instanceof URL) return value.href;
  if (value instanceof ArrayBuffer) return [...new Uint8Array(value)].join();
  if (value instanceof DataView) return [...new Uint8Array(value.buffer, value.byteOffset, value.byteLength)].join();
  if (ArrayBuffer.isView(value)) return [...value].map(String).join();
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (typeof value === "function") return value;
  return undefined;
}

function isSame(a, b) {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b) || !Object.is(essence(a), essence(b))) return false;
  if (ArrayBuffer.isView(a)) return true;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length &&
    keys.every(key => Object.hasOwn(b, key) && isSame(a[key], b[key]));
}

function check(holds, message) {
  if (!holds) throw new AssertionError(message);
}

const deepEqual = (a, b, message) =>
  check(isSame(a, b), `${message ?? "not the same"}: ${show(a)}\nexpected ${show(b)}`);

export default {
  equal: (a, b, message) => check(Object.is(a, b), `${message ?? "not equal"}: ${show(a)}, expected ${show(b)}`),
  ok: (value, message) => check(value, message ?? `${show(value)} is not true`),
  match: (text, pattern) => check(pattern.test(text), `${show(text)} does not match ${pattern}`),
  fail: message => check(false, message),
  deepEqual,
  deepStrictEqual: deepEqual,
};

// ws

const NativeWebSocket = globalThis.WebSocket;

/** A browser's WebSocket that can also be used like one of `ws`. */
export class WebSocket extends NativeWebSocket {
  constructor(url, { headers = {} } = {}) {
    if (Object.keys(headers).length > 0) throw new Error("pages cannot set headers");
    super(url);
  }

  on(event, listener) { this.#listen(event, listener, false); }
  once(event, listener) { this.#listen(event, listener, true); }
  terminate() { this.close(); }

  #listen(event, listener, once) {
    const values = {
      open: () => [],
      error: () => [new Error("the connection failed")],
      message: ({ data }) => [data],
      close: ({ code, reason }) => [code, reason],
    }[event];
    this.addEventListener(event, details => listener(...values(details)), { once });
  }
}
