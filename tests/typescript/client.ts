// Uses everything that an interface can have from TypeScript, against a Rust server.

import assert from "node:assert/strict";
import { test, after } from "node:test";
import { RpcStub, RpcTarget, newWebSocketRpcSession } from "capnweb";
import { WebSocket } from "ws";
import type { Api, Base, Listener, Session, Shape } from "./api.js";

// Node 20 has none of its own.
globalThis.WebSocket ??= WebSocket;

const api = newWebSocketRpcSession<Api>(process.env["CAPNWEB_URL"] ?? "");
after(() => api[Symbol.dispose]());

test("calls have the types of the Rust side", async () => {
  const sum: number = await api.add(1, 2);
  assert.equal(sum, 3);
  const version: string = await api.version;
  assert.equal(version, "1.0");
  const base: RpcStub<Base> = api;
  assert.equal(await base.ping(), "pong");
});

test("what is promised is used before it is there", async () => {
  using session = api.authenticate("secret");
  const name: string = await session.profile().firstName;
  assert.equal(name, "Alice");
  assert.equal(await api.add(1, api.add(2, 3)), 6);
});

test("parameters at the end can be left out", async () => {
  assert.equal(await api.greeting("Alice"), "Hello Alice");
  assert.equal(await api.greeting("Alice", "Dr. "), "Hello Dr. Alice");
  assert.equal(await api.greeting("Alice", null), "Hello Alice");
  assert.equal(await api.greeting("Alice", undefined), "Hello Alice");
});

test("dates, bytes and bigints arrive as such", async () => {
  const day: Date = await api.tomorrow(new Date("2020-02-28T00:00:00Z"));
  assert.equal(day.toISOString(), "2020-02-29T00:00:00.000Z");
  const bytes: Uint8Array = await api.reversed(new Uint8Array([1, 2, 3]));
  assert.deepEqual([...bytes], [3, 2, 1]);
  const large: bigint = await api.doubled(2n ** 100n);
  assert.equal(large, 2n ** 101n);
  const balance: bigint = (await api.account()).balance;
  assert.equal(balance, -(2n ** 70n));
});

test("data are as serde writes them", async () => {
  const newest = await api.newest();
  const title: string | null = newest.title;
  assert.deepEqual({ ...newest }, { id: 3, title: null, tags: ["a"] });
  assert.equal(title, null);
  const page = await api.page({ items: [newest], next: 2 });
  const ids: number[] = page.items;
  assert.deepEqual(ids, [3]);
  const counts: Record<string, number> = await api.count(["a", "b", "a"]);
  assert.deepEqual(counts, { a: 2, b: 1 });
  const shapes: Shape[] = [{ kind: "circle", radius: 2 }, { kind: "nothing" }];
  const texts = await Promise.all(shapes.map(shape => api.describe(shape)));
  assert.deepEqual(texts, ["a circle of 2", "nothing"]);
  assert.deepEqual(await api.echo({ any: ["thing"] }), { any: ["thing"] });
});

test("callbacks are closures, async ones, or stubs of them", async () => {
  using session = await api.authenticate("secret");
  const seen: string[] = [];
  assert.equal(await session.watch((what, n) => { seen.push(what); return n < 2; }), 2);
  assert.deepEqual(seen, ["change", "change", "change"]);
  assert.equal(await session.watch(async (_, n) => n < 1), 1);
  using callback = new RpcStub((what: string, n: number) => what === "change" && n < 3);
  assert.equal(await session.watch(callback), 3);
  // What a callback is given is a stub, with all that can be done with one.
  assert.equal(await session.introduce(async other => (await other.dup().profile()).firstName),
    "Alice");
});

test("a function that comes back can be called", async () => {
  assert.equal(await api.adder(1)(2), 3);
  using add = await api.adder(40);
  assert.equal(await add(2), 42);
});

class Log extends RpcTarget implements Listener {
  readonly seen: string[] = [];

  get label() {
    return "log";
  }

  async notified(what: string, by: RpcStub<Session>) {
    this.seen.push(`${what} by ${await by.profile().firstName}`);
    return true;
  }
}

test("objects of this side implement interfaces", async () => {
  const log = new Log();
  assert.equal(await api.notify(log), "log");
  using stub = new RpcStub<Listener>(log);
  assert.equal(await api.notify(stub), "log");
  assert.deepEqual(log.seen, ["news by Alice", "news by Alice"]);
});

test("streams go both ways", async () => {
  const numbers: number[] = [];
  for await (const n of await api.numbers(3)) numbers.push(n);
  assert.deepEqual(numbers, [0, 1, 2]);
  const stream = new ReadableStream<number>({
    start(controller) {
      for (const n of [1, 2, 3]) controller.enqueue(n);
      controller.close();
    },
  });
  assert.equal(await api.total(stream), 6);
});

test("a map is applied on the other side", async () => {
  const names: string[] = await api.ids().map(id => api.nameOf(id));
  assert.deepEqual(names, ["name 1", "name 2", "name 3"]);
});

test("stubs of what has no interface are cast", async () => {
  using session = (await api.untyped(new Log())) as RpcStub<Session>;
  assert.equal(await session.profile().firstName, "Alice");
});

test("mistakes are seen by the compiler, and by the server", async () => {
  // @ts-expect-error: no such method
  await assert.rejects(async () => await api.nothing(), /'nothing' is not a function/);
  // @ts-expect-error: another type
  await assert.rejects(async () => await api.add(1, "2"), /add: args\[1\]: expected a number, found a string/);
  // @ts-expect-error: a number is no bigint, although the server takes it
  assert.equal(await api.doubled(2), 4n);
  // @ts-expect-error: one too few
  await assert.rejects(async () => await api.add(1), /add: args\[1\]: expected a number, found undefined/);
});
