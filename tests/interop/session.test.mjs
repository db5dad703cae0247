// How connections begin and end.

import assert from "node:assert/strict";
import { describe } from "node:test";
import { connect, environment, it, refusal, rejection, testHeaders } from "./support.mjs";

const url = environment("CAPNWEB_URL");
const key = process.env.CAPNWEB_KEY;
const open = () => connect(url, { headers: testHeaders() });

describe("authentication", { skip: !key && "CAPNWEB_KEY is not set" }, () => {
  for (const [name, headers] of [["no", {}], ["a wrong", { "x-test-key": `${key}x` }], ["an empty", { "x-test-key": "" }]]) {
    it(`refuses ${name} key before there is a session`, async () => {
      const { status, type, body } = await refusal(url, headers);
      assert.equal(status, 401);
      assert.match(type, /^application\/json/);
      assert.equal(typeof JSON.parse(body).error, "string");
    });
  }

  it("accepts the key", async () => {
    const connection = await connect(url, { headers: { "x-test-key": key } });
    await connection.assertClean();
  });
});

describe("a session that the server ends", () => {
  const BOGUS = '["bogus",1]';
  const REASON = 'bad RPC message: ["bogus",1]';

  it("rejects what is pending, tells the watchers and closes with 3000", async () => {
    const connection = await open();
    const { main } = connection;
    const counter = await main.makeCounter(1);
    const broken = [];
    main.onRpcBroken(error => broken.push(["main", error.message]));
    counter.onRpcBroken(error => broken.push(["counter", error.message]));
    const pending = rejection(main.hold());
    await connection.roundTrip();

    connection.sendRaw(BOGUS);
    assert.equal((await pending).message, REASON);
    assert.deepEqual(broken, [["main", REASON], ["counter", REASON]]);
    assert.equal(connection.frames.at(-1), `< ${JSON.stringify(["abort", ["error", "Error", REASON]])}`);
    assert.equal((await connection.closed).code, 3000);
    assert.equal((await rejection(Promise.resolve().then(() => main.square(2)))).message, REASON);
  });

  it("leaves the others alone", async () => {
    const [bad, good] = [await open(), await open()];
    bad.sendRaw(BOGUS);
    await bad.closed;
    await good.assertClean();
  });

  for (const [name, frame] of [
    ["text that is no JSON", "nonsense"],
    ["an empty frame", ""],
    ["a binary frame", Buffer.from('["pull",0]')],
  ]) {
    it(`is ended by ${name}`, async () => {
      const connection = await open();
      connection.sendRaw(frame);
      assert.equal((await connection.closed).code, 3000);
      assert.match(connection.frames.at(-1), /^< \["abort",/);
    });
  }
});

describe("a session that the client ends", () => {
  it("by closing the socket rejects what is pending", async () => {
    const connection = await open();
    const broken = new Promise(resolve => connection.main.onRpcBroken(resolve));
    const pending = rejection(connection.main.hold());
    await connection.roundTrip();
    connection.ws.close(1000, "bye");
    assert.match((await pending).message, /^Peer closed WebSocket: 1000/);
    assert.equal(await broken, await pending);
  });

  it("by disposing the main object closes the socket without an abort", async () => {
    const connection = await open();
    const pending = rejection(connection.main.hold());
    await connection.roundTrip();
    connection.main[Symbol.dispose]();
    assert.equal((await pending).message, "RPC session was shut down by disposing the main stub");
    assert.equal((await connection.closed).code, 3000);
    assert.ok(!connection.frames.some(frame => frame.includes('"abort"')));
  });

  it("with an abort is closed without an answer", async () => {
    const connection = await open();
    await connection.roundTrip();
    connection.clear();
    connection.sendRaw('["abort",["error","Error","enough"]]');
    const { code, reason } = await connection.closed;
    assert.deepEqual({ code, reason }, { code: 3000, reason: "enough" });
    assert.deepEqual(connection.frames, ['> ["abort",["error","Error","enough"]]']);
  });

  it("in the middle of a callback does no harm to the server", async () => {
    const first = await open();
    const called = new Promise(resolve => {
      const never = new Promise(() => {});
      rejection(first.main.callBack(() => { resolve(); return never; }, 1));
    });
    await called;
    first.ws.terminate();
    await first.closed;
    const second = await open();
    await second.assertClean();
  });
});
