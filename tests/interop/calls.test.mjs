// Calls, properties and errors.

import assert from "node:assert/strict";
import { describe } from "node:test";
import { assertSame, clean, it, rejection } from "./support.mjs";

describe("calls", () => {
  it("return their results", clean(async ({ main }) => {
    assert.equal(await main.square(5), 25);
    assert.equal(await main.add(2, 3.5), 5.5);
    assert.equal(await main.greet("wörld"), "Hello, wörld!");
    assert.equal(await main.getUndefined(), undefined);
    assert.equal(await main.getNull(), null);
  }));

  it("cost one message each way, a pull and a release", clean(async connection => {
    await connection.main.square(5);
    assert.deepEqual(connection.frames, [
      '> ["push",["pipeline",0,["square"],[5]]]',
      '> ["pull",1]',
      '< ["resolve",1,25]',
      '> ["release",1,1]',
    ]);
  }));

  it("may be many at a time", clean(async ({ main }) => {
    const results = await Promise.all(Array.from({ length: 1000 }, (_, n) => main.square(n)));
    assert.deepEqual(results, Array.from({ length: 1000 }, (_, n) => n * n));
  }));

  it("need not wait for one that is pending", clean(async ({ main }) => {
    const held = main.hold();
    const result = held.then(value => value);
    assert.equal(await main.square(3), 9);
    assert.equal(await main.releaseHeld("late"), 1);
    assert.equal(await result, "late");
  }));

  it("arrive in the order in which they were made", clean(async ({ main }) => {
    const counter = main.makeCounter(0);
    const results = await Promise.all(Array.from({ length: 200 }, () => counter.increment()));
    assert.deepEqual(results, Array.from({ length: 200 }, (_, n) => n + 1));
    counter[Symbol.dispose]();
  }));
});

describe("properties", () => {
  it("are read", clean(async ({ main }) => {
    assertSame(await main.info, { a: { b: [1, 2, { c: "x" }] } });
    assertSame(await main.info.a.b, [1, 2, { c: "x" }]);
  }));

  it("of results are read without waiting for them", clean(async connection => {
    const counter = connection.main.makeCounter(7);
    assert.equal(await counter.value, 7);
    assert.deepEqual(connection.frames.filter(frame => frame.startsWith("<")), ['< ["resolve",2,7]']);
    counter[Symbol.dispose]();
  }));

  it("that are missing are undefined", clean(async ({ main }) => {
    assert.equal(await main.missing, undefined);
    assert.equal(await main.info.missing, undefined);
  }));

  it("under what is missing are an error", clean(async ({ main }) => {
    const error = await rejection(main.missing.deeper);
    assert.ok(error instanceof TypeError);
    assert.equal(error.message, "Cannot read properties of undefined (reading 'deeper')");
  }));
});

describe("errors", () => {
  for (const Class of [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]) {
    it(`keep the class ${Class.name}`, clean(async ({ main }) => {
      const error = await rejection(main.fail(Class.name, "what happened"));
      assert.equal(Object.getPrototypeOf(error), Class.prototype);
      assert.equal(error.message, "what happened");
    }));
  }

  it("of an unknown class become a plain Error", clean(async ({ main }) => {
    const error = await rejection(main.fail("CustomError", "custom"));
    assert.equal(Object.getPrototypeOf(error), Error.prototype);
    assert.equal(error.message, "custom");
  }));

  it("keep cause and properties", clean(async ({ main }) => {
    const thrown = Object.assign(new TypeError("outer", { cause: new RangeError("inner") }), {
      code: "E_CODE", status: 404, details: { list: [1, [2]], when: new Date(0), none: undefined },
    });
    const error = await rejection(main.throwValue(thrown));
    assertSame(error, thrown);
    assert.ok(error.cause instanceof RangeError);
    assertSame(error.details, thrown.details);
  }));

  it("keep the errors of an AggregateError", clean(async ({ main }) => {
    const thrown = new AggregateError([new TypeError("a"), new Error("b", { cause: 1 }), 3], "several");
    const error = await rejection(main.throwValue(thrown));
    assert.ok(error instanceof AggregateError);
    assert.ok(error.errors[0] instanceof TypeError);
    assertSame(error, thrown);
  }));

  it("do not carry the server's stack", clean(async connection => {
    await rejection(connection.main.fail("Error", "secret?"));
    assert.ok(connection.frames.includes('< ["reject",1,["error","Error","secret?"]]'));
  }));

  it("may be any value", clean(async ({ main }) => {
    for (const value of ["oops", 42, null, undefined, { code: [1] }]) {
      assertSame(await rejection(main.throwValue(value)), value);
    }
  }));

  it("name the method that is missing", clean(async ({ main }) => {
    const error = await rejection(main.missing());
    assert.ok(error instanceof TypeError);
    assert.equal(error.message, "'missing' is not a function.");
    assert.equal((await rejection(main.info.a.missing(1))).message, "'info.a.missing' is not a function.");
  }));

  it("of one call leave the others alone", clean(async ({ main }) => {
    const [bad, good] = await Promise.allSettled([main.fail("Error", "bad"), main.square(2)]);
    assert.equal(bad.status, "rejected");
    assert.equal(good.value, 4);
  }));

  it("reach what was built on them", clean(async ({ main }) => {
    const failing = main.fail("RangeError", "first");
    assert.equal((await rejection(failing.property)).message, "first");
    assert.equal((await rejection(failing.method())).message, "first");
    assert.equal((await rejection(main.square(failing))).message, "first");
    failing[Symbol.dispose]();
  }));
});
