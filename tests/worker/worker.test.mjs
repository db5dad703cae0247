// What is particular to Workers: connecting out, the clock, and what becomes of a session whose
// client leaves.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { start as startServer } from "../interop/process.mjs";
import { start } from "./miniflare.mjs";

const key = "a key for tests";
let worker, server;

before(async () => {
  worker = await start("tests/worker", {
    bindings: { TEST_KEY: key },
    durableObjects: { OBJECT: "TestObject" },
  });
  server = await startServer("server.mjs", "--key", key);
});
after(async () => {
  await server.stop();
  await worker.stop();
  assert.deepEqual(worker.complaints, [], "the runtime complained");
});

const connect = async parameters => {
  const response = await fetch(worker.url(`/connect?${new URLSearchParams(parameters)}`));
  return await response.text();
};

describe("a Worker as a client", () => {
  it("calls, is called back and sees errors", async () => {
    assert.equal(await connect({ to: server.url, key }), "42 42 RangeError: too far");
  });

  it("connects to a Durable Object", async () => {
    assert.equal(
      await connect({ to: "ws://object/object", key, through: "object" }),
      "42 42 RangeError: too far",
    );
  });

  it("says why it was refused", async () => {
    const refused = /^the server refused the connection: 401 Unauthorized: \{"error":".*"\}; check the token/;
    assert.match(await connect({ to: server.url, key: "wrong" }), refused);
    assert.match(await connect({ to: "ws://object/object", key: "wrong", through: "object" }), refused);
  });

  it("says what is wrong with an address", async () => {
    assert.match(await connect({ to: "http://127.0.0.1/" }), /^cannot connect to http: URLs/);
    assert.match(await connect({ to: "ws://user@127.0.0.1/" }), /^cannot connect to this URL/);
  });
});

describe("a Worker as a server", () => {
  it("answers what is no WebSocket in JSON", async () => {
    const response = await fetch(worker.url("/rpc"));
    assert.equal(response.status, 400);
    assert.equal(response.headers.get("content-type"), "application/json");
    assert.equal(typeof (await response.json()).error, "string");
  });

  it("refuses the pages of other origins", async () => {
    const upgrade = { upgrade: "websocket", "x-test-key": key };
    const answer = async origin =>
      (await worker.runtime.dispatchFetch("http://example.com/rpc", { headers: { ...upgrade, origin } })).status;
    assert.equal(await answer("https://evil.example"), 403);
    assert.equal(await answer("http://example.com"), 101);
  });

  it("has a clock", async () => {
    const before = Date.now();
    const time = Number(await (await fetch(worker.url("/time"))).text());
    assert.ok(time >= before - 1000 && time <= Date.now() + 1000, String(time));
  });
});
