// Any release of the package as the client: it gets what it can read, and is told what it cannot.
//
// CAPNWEB_PACKAGE is the release that runs; CAPNWEB_HELD_BACK the names of values, in the list
// below, that the server is to hold back from it, separated by commas.

import assert from "node:assert/strict";
import { describe } from "node:test";
import { clean, it, rejection } from "./support.mjs";

const heldBack = new Set((process.env.CAPNWEB_HELD_BACK ?? "").split(",").filter(name => name));

/** What the server is asked to make. Each fails or comes with a value that passes the check. */
const made = {
  blob: [main => main.makeBlob("text/plain", "hello"), async blob => await blob.text() === "hello"],
  request: [main => main.makeRequest("http://x/", "hello"), async r => await r.text() === "hello"],
  response: [main => main.makeResponse(201, "hello"), async r => await r.text() === "hello"],
};

describe("a client of any release", () => {
  it("calls, is called back and gets errors", clean(async ({ main }) => {
    const four = main.square(2);
    assert.equal(await main.add(1, four), 5);
    four[Symbol.dispose]();
    assert.equal(await main.callBack(n => n * 2, 21), 42);
    const counter = main.makeCounter(4);
    assert.equal(await counter.increment(), 5);
    counter[Symbol.dispose]();
    const error = await rejection(main.fail("RangeError", "too far"));
    assert.equal(`${error}`, "RangeError: too far");
    const plain = { a: [1, "x", null, undefined], at: new Date(5), big: 7n };
    assert.deepEqual(await main.echo(plain), plain);
  }));

  for (const [name, [ask, isRight]] of Object.entries(made)) {
    it(`${heldBack.has(name) ? "is told that it cannot read" : "reads"} a ${name}`,
      clean(async ({ main }) => {
        if (heldBack.has(name)) {
          const { message } = await rejection(ask(main));
          assert.match(message, new RegExp(`a ${name} cannot be read by the peer's release`));
        } else {
          assert.ok(await isRight(await ask(main)));
        }
        assert.equal(await main.square(3), 9);
      }));
  }
});
