// Every kind of value goes to the server and comes back as it was.

import assert from "node:assert/strict";
import { describe } from "node:test";
import { values } from "../wire/values.mjs";
import { deserialize, serialize } from "./capnweb.mjs";
import { assertSame, clean, it } from "./support.mjs";

const LONE_SURROGATE = /\\ud[89a-f][0-9a-f]{2}/;

// As an argument a value sits one level deeper than the package is willing to send.
const cases = values()
  .filter(({ name }) => !name.includes("as deep as is sent"));

function family(name) {
  return name.startsWith("number") ? "numbers" : name.startsWith("string") ? "strings" : "the rest";
}

async function assertEchoed(main, { name, value }) {
  // One hop already costs what JavaScript cannot name, like the class of an unknown error.
  const expected = deserialize(serialize(value));
  const actual = await main.echo(value);
  try {
    if (LONE_SURROGATE.test(serialize(expected))) {
      // Not every language has strings that can hold one: the replacement character will do.
      const wellFormed = serialize(expected).replace(new RegExp(LONE_SURROGATE, "g"), "\ufffd");
      assert.ok([serialize(expected), wellFormed].includes(serialize(actual)), serialize(actual));
    } else {
      assertSame(actual, expected);
    }
  } catch (cause) {
    throw new Error(`${name} came back as something else: ${cause.message}`, { cause });
  }
}

describe("values", () => {
  for (const which of ["numbers", "strings", "the rest"]) {
    it(`come back as they were: ${which}`, clean(async ({ main }) => {
      for (const each of cases.filter(({ name }) => family(name) === which)) {
        await assertEchoed(main, each);
      }
    }));
  }

  it("come back all in one message", clean(async ({ main }) => {
    const sent = cases.filter(({ value }) => !LONE_SURROGATE.test(serialize(value)))
      .filter(({ name }) => !name.includes("100 deep")).map(({ value }) => value);
    const expected = deserialize(serialize(sent));
    assertSame(await main.echo(sent), expected);
  }));

  it("keep their JavaScript types", clean(async ({ main }) => {
    const got = await main.echo({
      date: new Date(5), big: 5n, error: new RangeError("r"), url: new URL("http://x/"),
      floats: Float32Array.of(1.5), buffer: new ArrayBuffer(2), view: new DataView(new ArrayBuffer(3)),
      none: undefined, nothing: null,
    });
    assert.ok(got.date instanceof Date);
    assert.equal(typeof got.big, "bigint");
    assert.ok(got.error instanceof RangeError);
    assert.ok(got.url instanceof URL);
    assert.ok(got.floats instanceof Float32Array);
    assert.ok(got.buffer instanceof ArrayBuffer);
    assert.ok(got.view instanceof DataView);
    assert.ok("none" in got && got.none === undefined);
    assert.equal(got.nothing, null);
  }));

  it("may be a megabyte long", clean(async ({ main }) => {
    const text = "0123456789abcdé😀".repeat(65536);
    assert.equal(await main.echo(text), text);
    const bytes = new Uint8Array(1 << 20).map((_, i) => i * 31);
    assertSame(await main.echo(bytes), bytes);
  }));

  it("may be nested 254 arrays deep", clean(async ({ main }) => {
    let value = 1;
    for (let depth = 0; depth < 254; depth++) value = [value];
    assertSame(await main.echo(value), value);
  }));
});
