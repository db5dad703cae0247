// The share service as its clients use it: five methods behind a key.
//
// SHARE_URL is the WebSocket address of the RPC endpoint, SHARE_KEY the key of the connection.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe } from "node:test";
import { assertSame, connect, environment, it, refusal, rejection } from "./support.mjs";

const url = environment("SHARE_URL");
const key = environment("SHARE_KEY");
const header = { "x-opencode-share-key": key };

/** The cheapest question that the service answers. */
async function ping(main) {
  assert.equal(await main.probeCallback(text => text), "server-called");
}

const open = () => connect(url, { headers: header, ping });

/** Runs a test on a connection of its own, and checks afterwards that nothing was left behind. */
function clean(test) {
  return async () => {
    const connection = await open();
    await test(connection);
    await connection.assertClean();
  };
}

/** A session id that no earlier run has used. */
const newSessionID = () => `session-${randomBytes(8).toString("hex")}`;

const message = id => ({ type: "message", data: { id, role: "user", extra: { kept: [1] }, gone: undefined } });

describe("the share service's door", () => {
  for (const [name, headers] of [
    ["no key", {}],
    ["a wrong key", { "x-opencode-share-key": `${key}x` }],
    ["a wrong bearer token", { authorization: `Bearer ${key}x` }],
    ["the key under another scheme", { authorization: `Basic ${key}` }],
  ]) {
    it(`stays shut for ${name}`, async () => {
      const { status, type, body } = await refusal(url, headers);
      assert.equal(status, 401);
      assert.match(type, /^application\/json/);
      assert.equal(typeof JSON.parse(body).error, "string");
    });
  }

  for (const [name, headers] of [["the key's header", header], ["a bearer token", { authorization: `Bearer ${key}` }]]) {
    it(`opens for ${name}`, async () => {
      const { main } = await connect(url, { headers });
      assert.equal(await main.probeCallback(text => text), "server-called");
    });
  }
});

describe("the share service", () => {
  it("creates a share whose id, secret and address follow from the session", clean(async ({ main }) => {
    const sessionID = newSessionID();
    const share = await main.createShare(sessionID);
    assert.deepEqual(Object.keys(share).toSorted(), ["id", "secret", "url"]);
    assert.equal(share.id, sessionID.slice(-8));
    assert.match(share.secret, /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.ok(share.url.startsWith("https://") && share.url.endsWith(`/share/${share.id}`), share.url);
  }));

  it("creates the same share again for the same session, and keeps its data", clean(async ({ main }) => {
    const sessionID = newSessionID();
    const first = await main.createShare(sessionID, [message("m1")]);
    assertSame(await main.createShare(sessionID), first);
    assertSame(await main.syncShare(first.id, first.secret, [message("m2")]), { success: true, syncCount: 2 });
  }));

  it("does not give an id away to another session", clean(async ({ main }) => {
    const sessionID = newSessionID();
    const first = await main.createShare(sessionID, [message("m1")]);
    assert.ok(await rejection(main.createShare(`other-${sessionID}`)) instanceof Error);
    assertSame(await main.syncShare(first.id, first.secret, [message("m2")]), { success: true, syncCount: 2 });
  }));

  it("counts syncs from the initial data on", clean(async ({ main }) => {
    const bare = await main.createShare(newSessionID());
    assertSame(await main.syncShare(bare.id, bare.secret, [message("m")]), { success: true, syncCount: 1 });
    const filled = await main.createShare(newSessionID(), [message("m")]);
    assertSame(await main.syncShare(filled.id, filled.secret, [message("m")]), { success: true, syncCount: 2 });
  }));

  it("takes every type of data, and skips types it does not know", clean(async ({ main }) => {
    const { id, secret } = await main.createShare(newSessionID(), [
      { type: "session", data: { id: "s", title: "t", time: { created: 1, updated: 2 }, unknown: { a: [1] } } },
      message("m1"),
      { type: "part", data: { id: "p1", messageID: "m1", type: "text", text: "hello\u2028😀" } },
      { type: "session_diff", data: [{ file: "a.txt", additions: 1, deletions: 0 }] },
      { type: "model", data: [{ id: "model", name: "Model" }] },
    ]);
    const unknown = { type: "from-a-newer-client", data: { x: 1 } };
    assertSame(await main.syncShare(id, secret, [unknown, message("m2")]), { success: true, syncCount: 2 });
  }));

  it("refuses a wrong secret and changes nothing", clean(async ({ main }) => {
    const { id, secret } = await main.createShare(newSessionID());
    for (const wrong of ["wrong", "", `${secret}x`, secret.slice(0, -1)]) {
      assertSame(await rejection(main.syncShare(id, wrong, [message("m")])), new Error("Invalid secret"));
      assertSame(await rejection(main.deleteShare(id, wrong)), new Error("Invalid secret"));
    }
    assertSame(await main.syncShare(id, secret, [message("m")]), { success: true, syncCount: 1 });
  }));

  it("knows no share that was never made", clean(async ({ main }) => {
    const missing = new Error("Share not found");
    assertSame(await rejection(main.syncShare("nosuchid", "secret", [message("m")])), missing);
    assertSame(await rejection(main.deleteShare("nosuchid", "secret")), missing);
  }));

  it("deletes a share for good", clean(async ({ main }) => {
    const { id, secret } = await main.createShare(newSessionID(), [message("m")]);
    assertSame(await main.deleteShare(id, secret), { success: true });
    assertSame(await rejection(main.syncShare(id, secret, [message("m")])), new Error("Share not found"));
    assertSame(await rejection(main.deleteShare(id, secret)), new Error("Share not found"));
  }));

  it("creates and syncs in one round trip", clean(async connection => {
    const { main } = connection;
    const share = main.createShare(newSessionID());
    const synced = await main.syncShare(share.id, share.secret, [message("m")]);
    assertSame(synced, { success: true, syncCount: 1 });
    assert.equal(connection.frames.filter(frame => frame.startsWith("<")).length, 1);
    share[Symbol.dispose]();
  }));

  it("probes values", clean(async ({ main }) => {
    const probe = await main.probeValue({
      when: new Date(1700000000123), bytes: Uint8Array.of(0, 1, 254, 255), nested: { x: 1.5 },
    });
    assertSame(probe, { when: "2023-11-14T22:13:20.123Z", bytes: [0, 1, 254, 255], size: 4, nested: { x: 1.5 } });
    const early = await main.probeValue({ when: new Date(-62198755200000), bytes: new Uint8Array(0), nested: { x: 0 } });
    assertSame(early, { when: "-000001-01-01T00:00:00.000Z", bytes: [], size: 0, nested: { x: 0 } });
  }));

  it("probes callbacks", clean(async ({ main }) => {
    const seen = [];
    assert.equal(await main.probeCallback(text => { seen.push(text); return `${text}!`; }), "server-called!");
    assert.deepEqual(seen, ["server-called"]);
    assert.equal((await rejection(main.probeCallback(() => { throw new Error("mine"); }))).message, "mine");
  }));

  it("loses none of a hundred syncs from ten connections at once", clean(async ({ main }) => {
    const { id, secret } = await main.createShare(newSessionID());
    const connections = await Promise.all(Array.from({ length: 10 }, open));
    const answers = await Promise.all(connections.flatMap((each, c) =>
      Array.from({ length: 10 }, (_, n) => each.main.syncShare(id, secret, [message(`m-${c}-${n}`)]))));
    const counts = answers.map(({ syncCount }) => syncCount).toSorted((a, b) => a - b);
    assert.deepEqual(counts, Array.from({ length: 100 }, (_, n) => n + 1));
    assertSame(await main.syncShare(id, secret, [message("last")]), { success: true, syncCount: 101 });
  }));
});
