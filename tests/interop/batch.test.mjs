// HTTP batches: one session per request.
//
// CAPNWEB_URL and CAPNWEB_KEY are those of the fixed target's server, which answers a POST at the
// address of its WebSocket. CAPNWEB_CALLBACKS=hang says that it never answers a batch that waits for
// its client, as the package's own server does.

import assert from "node:assert/strict";
import { describe } from "node:test";
import { RpcStub, newHttpBatchRpcSession } from "./capnweb.mjs";
import { assertSame, environment, it, rejection, testHeaders } from "./support.mjs";

const url = environment("CAPNWEB_URL").replace(/^ws/, "http");
const key = process.env.CAPNWEB_KEY;
const hangs = process.env.CAPNWEB_CALLBACKS === "hang";

const begin = (headers = testHeaders()) => newHttpBatchRpcSession(new Request(url, { method: "POST", headers }));

/** Posts a body as it is: status and body of the answer. */
async function post(body, headers = testHeaders()) {
  const response = await fetch(url, { method: "POST", headers, body });
  return { status: response.status, body: await response.text() };
}

const SQUARE = '["push",["pipeline",0,["square"],[2]]]\n["pull",1]';

describe("a batch", () => {
  it("answers calls, properties and errors together", async () => {
    const main = begin();
    const [four, leaf, error, inside] = await Promise.all([
      main.square(2), main.info.a.b, rejection(main.fail("RangeError", "no")), main.promiseInside({ x: [1] }),
    ]);
    assert.equal(four, 4);
    assertSame(leaf, [1, 2, { c: "x" }]);
    assert.ok(error instanceof RangeError);
    assert.equal(error.message, "no");
    assertSame(inside, { p: { x: [1] } });
  });

  it("carries chains, and promises as arguments", async () => {
    const main = begin();
    const four = main.square(2);
    const counter = main.makeCounter(10);
    const [sum, count, held, released] = await Promise.all([
      main.add(four, main.square(3)), counter.increment(5), main.hold(), main.releaseHeld("late"),
    ]);
    assert.deepEqual([sum, count, held, released], [13, 15, "late", 1]);
  });

  it("carries values of every kind", async () => {
    const value = { when: new Date(1), list: [1, [2n]], bytes: Uint8Array.of(1, 2), none: undefined, text: "a\nb\r\n" };
    assertSame(await begin().echo(value), value);
  });

  it("maps", async () => {
    const main = begin();
    assert.deepEqual([...await main.echo([1, 2, 3]).map(n => main.square(n))], [1, 4, 9]);
  });

  it("has a main object of its own", async () => {
    const main = begin();
    main.keep(new RpcStub(() => 1));
    await main.square(2);
    assert.equal((await rejection(begin().callKept(1))).message, "Nothing is kept.");
  });

  it("is over when it has been answered", async () => {
    const main = begin();
    const counter = await main.makeCounter(1);
    assert.equal((await rejection(counter.increment())).message, "Batch RPC request ended.");
  });

  it("takes calls of the client's stubs whose results are not waited for", async () => {
    const main = begin();
    const called = new Promise(resolve => { main.keep(new RpcStub(resolve)); });
    const kept = main.callKept(7);
    assert.equal(await main.square(2), 4);
    assert.equal(await called, 7);
    kept[Symbol.dispose]();
  });

  if (!hangs) it("fails at once what waits for the client", async () => {
    const main = begin();
    const [error, four] = await Promise.all([rejection(main.callBack(n => n, 1)), main.square(2)]);
    assert.match(error.message, /cannot be called back/);
    assert.equal(four, 4);
  });
});

describe("a batch's door", { skip: !key && "CAPNWEB_KEY is not set" }, () => {
  it("stays shut without the key", async () => {
    const { status, body } = await post(SQUARE, {});
    assert.equal(status, 401);
    assert.equal(typeof JSON.parse(body).error, "string");
    const error = await rejection(begin({}).square(2));
    assert.equal(error.message, "RPC request failed: 401 Unauthorized");
  });
});

describe("the body of a batch", () => {
  it("is messages, one a line", async () => {
    assert.deepEqual(await post(SQUARE), { status: 200, body: '["resolve",1,4]' });
    assert.deepEqual(await post(SQUARE, { ...testHeaders(), "content-type": "application/x-unknown" }),
      { status: 200, body: '["resolve",1,4]' });
  });

  it("may be empty", async () => {
    assert.deepEqual(await post(""), { status: 200, body: "" });
  });

  it("may have carriage returns", async () => {
    assert.deepEqual(await post(SQUARE.replace("\n", "\r\n")), { status: 200, body: '["resolve",1,4]' });
  });

  for (const [name, body] of [
    ["an unknown message", '["bogus",1]'],
    ["a line feed at the end", `${SQUARE}\n`],
    ["text that is no JSON", "nonsense"],
    ["an unknown export", '["pull",9]'],
  ]) {
    it(`fails as a whole for ${name}`, async () => {
      const answer = await post(body);
      assert.equal(answer.status, 400);
      assert.equal(typeof JSON.parse(answer.body).error, "string");
    });
  }
});
