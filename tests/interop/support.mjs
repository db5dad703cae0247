// How the tests connect and what they look at: the frames on the socket and the session's tables.

import assert from "node:assert/strict";
import * as runner from "node:test";
import { RpcSession, WebSocket, WebSocketTransport, serialize } from "./capnweb.mjs";

/** A variable that has to be in the environment of the tests. */
export function environment(name) {
  const value = process.env[name];
  if (!value) throw new Error(`the environment variable ${name} is needed: see run-self.mjs`);
  return value;
}

/**
 * Where the tables of everybody behind the connection can be looked at, if there is somebody: a URL
 * that answers with a list like [{"imports":1,"exports":1},...].
 */
const statsUrl = process.env.CAPNWEB_STATS;

/** How long a test may wait for what does not come. None waits for time to pass. */
const DEADLINE = 30_000;

const sockets = new Set();

/** One test. Whatever becomes of it, it leaves no socket open that would keep the process alive. */
export function it(name, test) {
  runner.it(name, { timeout: DEADLINE }, async context => {
    context.after(() => {
      for (const ws of sockets) ws.terminate();
    });
    await test(context);
  });
}

/** What the fixed target's server asks for, if it asks. */
export function testHeaders() {
  const key = process.env.CAPNWEB_KEY;
  return key ? { "x-test-key": key } : {};
}

/** One session on one socket, with every frame that went over it. */
export class Connection {
  /** Every frame, in order: "> ..." was sent by this side, "< ..." came from the server. */
  frames = [];
  #watchers = new Set();
  #ping;

  constructor(ws, main, ping) {
    this.ws = ws;
    this.#ping = ping;
    sockets.add(ws);
    ws.once("close", () => sockets.delete(ws));
    const send = ws.send.bind(ws);
    ws.send = (data, ...rest) => {
      this.#note(`> ${data}`);
      return send(data, ...rest);
    };
    ws.on("message", data => this.#note(`< ${data}`));
    this.closed = new Promise(resolve =>
      ws.once("close", (code, reason) => resolve({ code, reason: String(reason) })));
    this.session = new RpcSession(new WebSocketTransport(ws), main);
    this.main = this.session.getRemoteMain();
  }

  /** Forgets the frames so far. */
  clear() { this.frames.length = 0; }

  /** Resolves when the frame has gone over the socket since the last clear(). */
  async seen(frame) {
    while (!this.frames.includes(frame)) {
      await new Promise(resolve => this.#watchers.add(resolve));
    }
  }

  /** Puts a frame on the socket behind the session's back. */
  sendRaw(frame) { this.ws.send(frame); }

  /** Waits for an answer: the server has then dealt with all that was sent before. */
  async roundTrip() {
    await this.#ping(this.main);
  }

  /**
   * Asserts that nothing is left in the tables but the two main objects. The server may send its
   * last releases behind an answer, and on a busy machine behind several, so more round trips are
   * granted.
   */
  async assertClean() {
    const clean = { imports: 1, exports: 1 };
    let tables;
    for (let trips = 0; trips < 50; trips++) {
      await this.roundTrip();
      tables = [this.session.getStats(), ...await this.#tablesBehind()];
      if (tables.every(({ imports, exports }) => imports === 1 && exports === 1)) return;
    }
    const expected = tables.map(() => clean);
    assert.deepEqual(tables, expected, `left over after:\n${this.frames.join("\n")}`);
  }

  async #tablesBehind() {
    return statsUrl ? await (await fetch(statsUrl)).json() : [];
  }

  #note(frame) {
    this.frames.push(frame);
    for (const resolve of this.#watchers) resolve();
    this.#watchers.clear();
  }
}

/** The cheapest question that the fixed target answers. */
async function square(main) {
  assert.equal(await main.square(12), 144);
}

/** Connects, and fails with the status if the server refuses. */
export async function connect(url, { headers = {}, main, ping = square } = {}) {
  const ws = new WebSocket(url, { headers });
  const connection = new Connection(ws, main, ping);
  await new Promise((resolve, reject) => {
    ws.once("open", resolve);
    ws.once("error", reject);
  });
  return connection;
}

/** Tries to connect and returns the HTTP answer that came instead of an upgrade. */
export async function refusal(url, headers = {}) {
  const ws = new WebSocket(url, { headers });
  return await new Promise((resolve, reject) => {
    ws.once("open", () => {
      ws.close();
      reject(new Error("the server accepted the connection"));
    });
    ws.once("error", reject);
    ws.once("unexpected-response", async (_request, response) => {
      let body = "";
      for await (const chunk of response) body += chunk;
      resolve({ status: response.statusCode, type: response.headers["content-type"], body });
    });
  });
}

/** Runs a test on a connection of its own, and checks afterwards that nothing was left behind. */
export function clean(test) {
  return async () => {
    const connection = await connect(environment("CAPNWEB_URL"), { headers: testHeaders() });
    await test(connection);
    await connection.assertClean();
  };
}

/**
 * Makes comparable what is the same and yet not equal: a Buffer is how the package hands out a
 * Uint8Array on this runtime, to older runtimes no two invalid dates are equal, and the cause of a
 * received error is an enumerable property, of a new one it is not.
 */
function plain(value) {
  if (value instanceof Error) {
    const hidden = ["cause", "errors"].filter(key => key in value);
    const own = [...new Set([...Object.keys(value), ...hidden])];
    const properties = Object.fromEntries(own.map(key => [key, plain(value[key])]));
    return { prototype: Object.getPrototypeOf(value), message: value.message, properties };
  }
  if (value instanceof Date && Number.isNaN(value.getTime())) return { date: null };
  if (Buffer.isBuffer(value)) return Uint8Array.from(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value !== null && typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
  }
  return value;
}

/** Deep equality of values that went over the wire, causes and properties of errors included. */
export function assertSame(actual, expected) {
  assert.deepStrictEqual(plain(actual), plain(expected));
  assert.equal(serialize(actual), serialize(expected));
}

/** The error that a promise rejects with. */
export async function rejection(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  assert.fail("it resolved");
}
