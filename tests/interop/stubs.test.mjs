// What travels by reference: callbacks, promises, stubs, and when each is let go.

import assert from "node:assert/strict";
import { describe } from "node:test";
import { RpcTarget } from "./capnweb.mjs";
import { assertSame, clean, it, rejection } from "./support.mjs";

describe("pipelining", () => {
  it("takes one round trip for a chain", clean(async connection => {
    const counter = connection.main.makeCounter(10);
    assert.equal(await counter.increment(5), 15);
    counter[Symbol.dispose]();
    assert.deepEqual(connection.frames, [
      '> ["push",["pipeline",0,["makeCounter"],[10]]]',
      '> ["push",["pipeline",1,["increment"],[5]]]',
      '> ["pull",2]',
      '< ["resolve",2,15]',
      '> ["release",2,1]',
      '> ["release",1,1]',
    ]);
  }));

  it("takes one round trip for promises as arguments", clean(async connection => {
    const { main } = connection;
    const four = main.square(2);
    const nine = main.square(3);
    assert.equal(await main.add(four, nine), 13);
    assert.deepEqual(connection.frames.filter(frame => frame.startsWith("<")), ['< ["resolve",3,13]']);
    four[Symbol.dispose]();
    nine[Symbol.dispose]();
  }));

  it("reaches into a result", clean(async ({ main }) => {
    const counters = main.makeCounters();
    assert.equal(await counters.second.increment(40), 42);
    assert.equal(await counters.first.value, 1);
    counters[Symbol.dispose]();
  }));

  it("waits for a result that is pending", clean(async ({ main }) => {
    const held = main.hold();
    const inner = held.a.b;
    const read = inner.then(value => value);
    assert.equal(await main.releaseHeld({ a: { b: "found" } }), 1);
    assert.equal(await read, "found");
    held[Symbol.dispose]();
  }));

  it("delays only the call whose argument is pending", clean(async ({ main }) => {
    const held = main.hold();
    const order = [];
    const waiting = main.echo(held).then(value => order.push(value));
    await main.echo("later").then(value => order.push(value));
    await main.releaseHeld("earlier");
    await waiting;
    assert.deepEqual(order, ["later", "earlier"]);
    held[Symbol.dispose]();
  }));

  it("resolves promises inside a result", clean(async ({ main }) => {
    assertSame(await main.promiseInside({ x: [1] }), { p: { x: [1] } });
    const inside = main.heldInside();
    const read = inside.then(value => value);
    await main.releaseHeld(9);
    assertSame(await read, { p: 9 });
  }));

  it("rejects a result with a promise that rejects", clean(async ({ main }) => {
    const error = await rejection(main.makeRejecting("inner"));
    assert.equal(error.message, "inner");
  }));
});

describe("callbacks", () => {
  it("are called and let go before the result comes", clean(async connection => {
    assert.equal(await connection.main.callBack(n => n * 2, 21), 42);
    assert.deepEqual(connection.frames, [
      '> ["push",["pipeline",0,["callBack"],[["export",-1],21]]]',
      '> ["pull",1]',
      '< ["push",["pipeline",-1,[],[21]]]',
      '< ["pull",1]',
      '> ["resolve",1,42]',
      '< ["release",1,1]',
      '< ["release",-1,1]',
      '< ["resolve",1,42]',
      '> ["release",1,1]',
    ]);
  }));

  it("are given values of every kind", clean(async ({ main }) => {
    const value = { when: new Date(1), list: [1, [2n]], bytes: Uint8Array.of(1, 2), none: undefined };
    let seen;
    const result = await main.callBack(arg => { seen = arg; return arg.list; }, value);
    assertSame(seen, value);
    assertSame(result, value.list);
  }));

  it("may take their time", clean(async ({ main }) => {
    let finish;
    const called = new Promise(resolve => {
      finish = main.callBack(() => new Promise(answer => resolve(answer)), 1).then(value => value);
    });
    const answer = await called;
    assert.equal(await main.square(2), 4);
    answer("at last");
    assert.equal(await finish, "at last");
  }));

  it("hand on their errors", clean(async ({ main }) => {
    const error = await rejection(main.callBack(() => { throw new RangeError("no"); }, 1));
    assert.ok(error instanceof RangeError);
    assert.equal(error.message, "no");
    assert.equal(await rejection(main.callBack(() => { throw "plain"; }, 1)), "plain");
  }));

  it("may call the server in turn", clean(async ({ main }) => {
    assert.equal(await main.callBack(async n => await main.square(n) + 1, 3), 10);
    assert.equal(await main.callBack(n => main.callBack(m => m + 1, n * 2), 4), 9);
  }));

  it("live on while they are kept", clean(async connection => {
    const { main } = connection;
    const seen = [];
    await main.keep(n => { seen.push(n); return n * 10; });
    assert.deepEqual(connection.session.getStats(), { imports: 1, exports: 2 });
    assert.equal(await main.callKept(1), 10);
    assert.equal(await main.callKept(2), 20);
    assert.deepEqual(seen, [1, 2]);
    await main.dropKept();
    await connection.seen('< ["release",-1,1]');
    assert.equal((await rejection(main.callKept(3))).message, "Nothing is kept.");
  }));

  it("are let go when another one is kept", clean(async connection => {
    const { main } = connection;
    await main.keep(() => "first");
    await main.keep(() => "second");
    await connection.seen('< ["release",-1,1]');
    assert.equal(await main.callKept(), "second");
    await main.dropKept();
    await connection.seen('< ["release",-2,1]');
  }));

  it("that nobody uses are let go", clean(async connection => {
    await connection.main.getNull(() => 1, { deep: [() => 2] });
    await connection.seen('< ["release",-1,1]');
    await connection.seen('< ["release",-2,1]');
  }));

  it("to a method that is missing are let go", clean(async connection => {
    await rejection(connection.main.missing(() => 1));
    await connection.seen('< ["release",-1,1]');
  }));
});

describe("stubs", () => {
  it("come back to their owner as themselves", clean(async connection => {
    let calls = 0;
    const result = await connection.main.giveBack(() => ++calls);
    connection.clear();
    assert.equal(await result.stub(), 1);
    assert.deepEqual(connection.frames, [], "a call on one's own object goes over no wire");
    result[Symbol.dispose]();
  }));

  it("of the server come back to it as themselves", clean(async ({ main }) => {
    const counter = main.makeCounter(5);
    const result = await main.giveBack(counter);
    assert.equal(await result.stub.increment(), 6);
    assert.equal(await counter.value, 6);
    result[Symbol.dispose]();
    counter[Symbol.dispose]();
  }));

  it("of the server can be given to a callback", clean(async ({ main }) => {
    const counter = main.makeCounter(1);
    assert.equal(await main.callBack(async each => await each.increment(2), counter), 3);
    assert.equal(await counter.value, 3);
    counter[Symbol.dispose]();
  }));

  it("of objects keep their methods and properties", clean(async ({ main }) => {
    class Greeter extends RpcTarget {
      greet(name) { return `Hi ${name}`; }
    }
    const result = await main.giveBack(new Greeter());
    assert.equal(await result.stub.greet("you"), "Hi you");
    result[Symbol.dispose]();
  }));

  it("are released when disposed", clean(async connection => {
    const counter = await connection.main.makeCounter(1);
    assert.equal(await counter.increment(), 2);
    connection.clear();
    counter[Symbol.dispose]();
    assert.deepEqual(connection.frames, ['> ["release",-1,1]']);
  }));

  it("are released when the last duplicate is disposed", clean(async connection => {
    const counter = await connection.main.makeCounter(1);
    const duplicate = counter.dup();
    connection.clear();
    counter[Symbol.dispose]();
    assert.deepEqual(connection.frames, []);
    assert.equal(await duplicate.increment(), 2);
    duplicate[Symbol.dispose]();
    assert.equal(connection.frames.at(-1), '> ["release",-1,1]');
  }));

  it("in a result are released with it", clean(async connection => {
    const counters = await connection.main.makeCounters();
    assert.equal(await counters.first.increment(), 2);
    assert.equal(await counters.second.increment(), 3);
    connection.clear();
    counters[Symbol.dispose]();
    assert.deepEqual(connection.frames.toSorted(), ['> ["release",-1,1]', '> ["release",-2,1]']);
  }));

  it("of one connection are unknown to the next", clean(async ({ main }) => {
    assert.equal((await rejection(main.callKept(1))).message, "Nothing is kept.");
  }));
});

describe("promises", () => {
  it("that are dropped unread are never pulled", clean(async connection => {
    connection.main.square(5)[Symbol.dispose]();
    await connection.roundTrip();
    assert.deepEqual(connection.frames.slice(0, 2), [
      '> ["push",["pipeline",0,["square"],[5]]]',
      '> ["release",1,1]',
    ]);
    assert.ok(!connection.frames.some(frame => frame.startsWith('< ["resolve",1,')));
  }));

  it("that are dropped let their call run to its end", clean(async ({ main }) => {
    const counter = main.makeCounter(0);
    counter.increment(5)[Symbol.dispose]();
    assert.equal(await counter.value, 5);
    counter[Symbol.dispose]();
  }));

  it("that are dropped while pending leave nothing behind", clean(async ({ main }) => {
    main.hold()[Symbol.dispose]();
    assert.equal(await main.releaseHeld("nobody"), 1);
  }));
});
