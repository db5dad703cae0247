// Blobs, headers, requests and responses, made on one side and read on the other.

import assert from "node:assert/strict";
import { describe } from "node:test";
import { clean, it } from "./support.mjs";

/** Longer than the first window of a stream. */
const LONG = "0123456789abcdé😀".repeat(30_000);

const MADE_BY = ["x-made-by", "the fixed target"];

describe("blobs", () => {
  it("arrive complete, with their types", clean(async ({ main }) => {
    for (const text of ["", "hello", LONG]) {
      const blob = new Blob([text], { type: "text/plain" });
      // Bun adds a character set to this type by itself.
      assert.deepEqual(await main.readBlob(blob), { type: blob.type, text });
    }
  }));

  it("come back complete", clean(async ({ main }) => {
    for (const text of ["", "hello", LONG]) {
      const made = await main.makeBlob("text/css", text);
      assert.ok(made instanceof Blob);
      assert.ok(await made.text() === text);
    }
  }));

  it("come back with their types", clean(async ({ main }) => {
    // Bun adds a character set to types of texts by itself.
    assert.equal((await main.makeBlob("image/gif", "hello")).type, "image/gif");
  }));

  it("come back with their types when they are empty", clean(async ({ main }) => {
    assert.equal((await main.makeBlob("image/gif", "")).type, "image/gif");
  }));

  it("hold up only the call that they are an argument of", clean(async ({ main }) => {
    const slow = main.readBlob(new Blob([LONG], { type: "a/b" }));
    assert.equal(await main.square(3), 9);
    assert.equal((await slow).type, "a/b");
  }));
});

describe("headers", () => {
  it("come back as they were", clean(async ({ main }) => {
    const headers = new Headers([["B", "2"], ["a", "é"], ["Set-Cookie", "1"], ["set-cookie", "2"]]);
    const came = await main.echo(headers);
    assert.ok(came instanceof Headers);
    assert.deepEqual([...came], [...headers]);
  }));
});

describe("requests", () => {
  it("arrive with a body that is a text, bytes, a stream or nothing", clean(async ({ main }) => {
    const stream = new Blob([LONG]).stream();
    const bodies = [["text", "text"], [new TextEncoder().encode("bytes"), "bytes"], [stream, LONG]];
    for (const [body, text] of bodies) {
      const request = new Request("http://example.com/a?b#c", {
        method: "PUT", headers: { "X-A": "1" }, redirect: "manual", body, duplex: "half",
      });
      const read = await main.readBody(request);
      assert.ok(read.text === text);
      assert.equal(read.method, "PUT");
      assert.equal(read.url, "http://example.com/a?b#c");
      assert.deepEqual(read.headers, [["x-a", "1"]]);
    }
    const { method, text } = await main.readBody(new Request("http://example.com/"));
    assert.deepEqual({ method, text }, { method: "GET", text: null });
  }));

  it("are made by the server", clean(async ({ main }) => {
    const made = await main.makeRequest("http://example.com/", LONG);
    assert.ok(made instanceof Request);
    assert.equal(made.method, "POST");
    assert.equal(made.url, "http://example.com/");
    assert.ok([...made.headers].some(([name, value]) => name === MADE_BY[0] && value === MADE_BY[1]));
    assert.ok(await made.text() === LONG);
  }));
});

describe("responses", () => {
  it("arrive with and without a body", clean(async ({ main }) => {
    const response = new Response(LONG, { status: 201, statusText: "Made", headers: { "x-a": "1" } });
    const read = await main.readBody(response);
    assert.ok(read.text === LONG);
    assert.equal(read.status, 201);
    assert.equal(read.statusText, "Made");
    assert.deepEqual(read.headers, [["x-a", "1"]]);
    assert.equal((await main.readBody(new Response(null, { status: 304 }))).text, null);
  }));

  it("are made by the server", clean(async ({ main }) => {
    const made = await main.makeResponse(404, "no such page");
    assert.ok(made instanceof Response);
    assert.equal(made.status, 404);
    assert.equal(made.headers.get(MADE_BY[0]), MADE_BY[1]);
    assert.equal(await made.text(), "no such page");
    const empty = await main.makeResponse(204, null);
    assert.equal(empty.status, 204);
    assert.equal(empty.body, null);
  }));
});
