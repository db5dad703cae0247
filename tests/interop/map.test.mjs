// Functions that are recorded at the client and applied at the server.

import assert from "node:assert/strict";
import { describe } from "node:test";
import { RpcStub } from "./capnweb.mjs";
import { assertSame, clean, connect, environment, it, rejection, testHeaders } from "./support.mjs";

/** A test that hands what it holds to `use`, to be disposed of at its end. */
const held = test => clean(async connection => {
  const all = [];
  await test(connection, one => {
    all.push(one);
    return one;
  });
  for (const one of all) one[Symbol.dispose]();
});

describe("map", () => {
  it("applies calls to each element, in one round trip", held(async (connection, use) => {
    const { main } = connection;
    const list = use(main.echo([1, 2, 3]));
    const squares = use(list.map(n => main.square(n)));
    assert.deepEqual([...await squares], [1, 4, 9]);
    assert.equal(connection.frames.filter(frame => frame.startsWith('> ["push"')).length, 2);
  }));

  it("mixes elements, results and constants", held(async ({ main }, use) => {
    const list = use(main.echo([{ id: 2, name: "b" }, { id: 3, name: "c" }]));
    const mapped = use(list.map(item => ({ name: item.name, more: [main.square(item.id), 7n, "x"] })));
    assertSame(plain(await mapped), [{ name: "b", more: [4, 7n, "x"] }, { name: "c", more: [9, 7n, "x"] }]);
  }));

  it("leaves null and undefined, and takes another value as one element", held(async ({ main }, use) => {
    const nothing = use(main.getNull());
    assert.equal(await nothing.map(n => main.square(n)), null);
    const missing = use(main.getUndefined());
    assert.equal(await missing.map(n => main.square(n)), undefined);
    const three = use(main.square(3));
    assert.equal(await three.map(n => main.square(n)), 81);
    const empty = use(main.echo([]));
    assert.deepEqual([...await empty.map(n => main.square(n))], []);
  }));

  it("works on properties, stubs and pending results", held(async ({ main }, use) => {
    const squares = await main.info.a.b.map(n => main.echo(n));
    assertSame(plain(squares), [1, 2, { c: "x" }]);
    const counter = use(main.makeCounter(5));
    assert.equal(await counter.map(each => each.increment(2)), 7);
    const held = use(main.hold());
    const mapped = held.map(n => main.square(n)).then(list => [...list]);
    await main.releaseHeld([4, 5]);
    assert.deepEqual(await mapped, [16, 25]);
  }));

  it("uses stubs from outside", async () => {
    // Not looked at afterwards: the package never releases what a recorded function has captured.
    const { main } = await connect(environment("CAPNWEB_URL"), { headers: testHeaders() });
    const counter = main.makeCounter(0);
    const counts = main.echo([1, 2, 3]).map(n => counter.increment(n));
    assert.deepEqual([...await counts], [1, 3, 6]);
  });

  it("makes stubs, and calls them", held(async ({ main }, use) => {
    const list = use(main.echo([1, 2]));
    const counters = list.map(n => {
      const counter = main.makeCounter(n);
      return { counter, next: counter.increment(10) };
    });
    const made = use(await counters);
    assert.deepEqual(made.map(({ next }) => next), [11, 12]);
    assert.equal(await made[1].counter.increment(1), 13);
  }));

  it("nests", held(async ({ main }, use) => {
    const table = use(main.echo([{ by: 10, row: [1, 2] }, { by: 20, row: [3] }]));
    const sums = use(table.map(({ by, row }) => row.map(n => main.add(by, n))));
    assertSame(plain(await sums), [[11, 12], [23]]);
  }));

  it("calls the client back", held(async ({ main }, use) => {
    const double = use(new RpcStub(n => n * 2));
    const list = use(main.echo([1, 2]));
    const doubled = use(list.map(n => main.square(double(n))));
    assert.deepEqual([...await doubled], [4, 16]);
  }));

  it("hands on errors", held(async ({ main }, use) => {
    const list = use(main.echo([1, 2]));
    const thrown = await rejection(list.map(() => main.fail("RangeError", "no")));
    assert.ok(thrown instanceof RangeError);
    const missing = await rejection(list.map(n => main.missing(n)));
    assert.equal(missing.message, "'missing' is not a function.");
    assert.equal(await main.square(2), 4);
  }));
});

/** Results carry a disposer, which is no part of their value. */
function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.keys(value).map(name => [name, plain(value[name])]));
}
