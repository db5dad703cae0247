// What the share service stores: the same as a Worker and as a program for ordinary machines, and
// together with others who write to the same bucket.

import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { describe, it } from "node:test";
import { connect, rejection } from "../interop/support.mjs";
import { startNative } from "./programs.mjs";
import { domain, key, namespace, startShare } from "./share-worker.mjs";

const headers = { "x-opencode-share-key": key };

const item = (type, data) => ({ type, data });
const message = (id, more) => item("message", { id, ...more });

/** One sync after the other, with everything that a client may send. */
const syncs = [
  [
    item("session", {
      id: "ses_history1", title: "Título 😀", directory: "/home/a b", version: "1.2",
      time: { created: 5, updated: 1.5 }, share: undefined, unknown: { z: null, a: [undefined, { b: undefined, c: 1 }] },
    }),
    message("m2", { role: "user" }),
    message("m1", { role: "assistant", tokens: { input: 1e21, output: -0, cost: 0.1 + 0.2, tiny: 5e-324 } }),
  ],
  [],
  [
    item("part", { id: "p2", messageID: "m1", text: "\u2028\u0000\"\\/<\ud7ff\uffff", at: new Date(1e12) }),
    item("part", { id: "p1", bytes: Uint8Array.of(0, 255), link: new URL("https://example.com/ä") }),
    item("type-of-a-newer-client", { anything: [1] }),
    item("session_diff", [{ file: "a.txt", additions: 2 ** 53, deletions: 0 }, { file: "a.txt" }]),
    item("model", [{ id: "o2", name: "second" }, { id: "o1" }]),
  ],
  // Everything that has an id is replaced where it stands, or comes last.
  [
    message("m1", { role: "assistant", replaced: true }),
    message("m3"),
    message("m3", { twice: "in one sync" }),
    item("part", { id: "p2", text: "" }),
    item("model", [{ id: "o3" }, { id: "o2", name: "replaced" }]),
    item("session_diff", [{ file: "b.txt" }]),
  ],
  [item("session", { time: {}, title: 7, later: { id: "the first one had another" } })],
];

/** Gives a service its history, and returns how far its shares have been counted. */
async function live(service) {
  const { main, ws } = await connect(service.url("/rpc/share", "ws"), { headers });
  const [first, ...others] = syncs;
  const { id, secret } = await main.createShare("ses_history1", first);
  for (const data of others) await main.syncShare(id, secret, data);
  const bare = await main.createShare("ses_history2");
  const gone = await main.createShare("ses_history3", first);
  await main.deleteShare(gone.id, gone.secret);
  // Refusals leave no trace.
  for (const refused of [
    main.syncShare(bare.id, "wrong", first),
    main.syncShare(bare.id, bare.secret, [message(1)]),
    main.createShare("other_ses_history1", first),
  ]) assert.ok(await rejection(refused) instanceof Error);
  const again = await main.createShare("ses_history4", []);
  await main.deleteShare(again.id, again.secret);
  await main.createShare("ses_history4", first);
  ws.terminate();
  return { history1: syncs.length, history2: 0, history4: 1 };
}

/** Far more than all of it takes on a busy machine: no test waits for time to pass. */
const DEADLINE = 600_000;

describe("what the share service stores", { timeout: DEADLINE }, () => {
  it("is the same to the letter, but for the times, in a bucket and in files", async context => {
    const began = Date.now();
    const folder = await mkdtemp(`${tmpdir()}/share-`);
    context.after(() => rm(folder, { recursive: true }));
    const worker = await startShare();
    context.after(() => worker.stop());
    const native = await startNative(folder, {
      API_DOMAIN: domain, SESSIONS_SHARED_SECRET: namespace, SESSIONS_RPC_SHARED_KEY: key,
    });
    context.after(() => native.stop());

    const counts = await live(native);
    assert.deepEqual(await live(worker), counts);
    const ids = Object.keys(counts);
    for (const id of ids) {
      await worker.eventually(`share/${id}`, share => share?.metadata.syncCount === counts[id]);
      await worker.eventually(`index/${id}`, entry => entry?.syncCount === counts[id]);
    }
    await worker.eventually("share/history3", share => !share);

    const names = ["index", "share"].flatMap(kind => ids.map(id => `${kind}/${id}`));
    assert.deepEqual((await worker.keys()).toSorted(), names);
    const files = await readdir(folder, { recursive: true });
    assert.deepEqual(files.filter(file => file.endsWith(".json")).toSorted(), names.map(name => `${name}.json`));

    const ended = Date.now();
    const withoutTimes = text => text.replaceAll(/\b\d{13}\b/g, time => time >= began && time <= ended ? "NOW" : time);
    for (const name of names) {
      const inBucket = withoutTimes(await worker.textOf(name));
      const inFile = withoutTimes(await readFile(`${folder}/${name}.json`, "utf8"));
      assert.match(inBucket, /"lastUpdated":NOW/);
      assert.equal(inBucket, inFile, name);
    }
    assert.deepEqual(worker.complaints, [], "the runtime complained");
  });

  it("goes on from what another service has stored, and merges with what it stores meanwhile", async context => {
    const worker = await startShare();
    context.after(() => worker.stop());
    // As the service in TypeScript writes it; its members need not come in our order, nor be ours.
    const theirs = {
      metadata: {
        secret: "a23a5e6d-ae9c-5b14-bb3c-27f7a5ab1cd4", sessionID: "ses_fromelse",
        syncCount: 7, createdAt: 1, lastUpdated: 2, note: "kept",
      },
      session: { id: "ses_fromelse", title: "theirs" },
      messages: [message("m1").data], parts: [], diffs: [], models: [],
      note: { also: "kept" },
    };
    await worker.put("share/fromelse", theirs);
    const { main, ws } = await connect(worker.url("/rpc/share", "ws"), { headers });
    const { id, secret } = await main.createShare("ses_fromelse");
    assert.equal(secret, theirs.metadata.secret, "a share keeps the secret that its clients know");
    assert.deepEqual(await main.syncShare(id, secret, [message("m2")]), { success: true, syncCount: 8 });
    const merged = await worker.eventually(`share/${id}`, share => share.metadata.syncCount === 8);
    assert.deepEqual(merged.messages.map(it => it.id), ["m1", "m2"]);
    assert.deepEqual([merged.note, merged.metadata.note], [theirs.note, "kept"]);
    // There was no entry in the index.
    assert.equal((await worker.eventually(`index/${id}`, entry => entry)).title, "theirs");

    // Now they write, while our object believes to know what is stored.
    merged.messages.push(message("m3").data);
    merged.metadata.syncCount += 1;
    await worker.put(`share/${id}`, merged);
    await main.syncShare(id, secret, [message("m4")]);
    const both = await worker.eventually(`share/${id}`, share => share.metadata.syncCount === 10);
    assert.deepEqual(both.messages.map(it => it.id), ["m1", "m2", "m3", "m4"]);
    assert.equal((await worker.eventually(`index/${id}`, entry => entry.syncCount === 10)).messageCount, 4);
    ws.terminate();
    assert.equal(worker.complaints.length, 1, "the operator is told once");
    assert.match(worker.complaints[0], /somebody else has written there; merging/);
  });

  it("merges with a share that another service makes while it is new here", async context => {
    const worker = await startShare();
    context.after(() => worker.stop());
    const theirs = {
      metadata: { secret: "theirs", sessionID: "ses_bothmake", syncCount: 7, createdAt: 1, lastUpdated: 2 },
      session: { id: "ses_bothmake" }, messages: [message("m1").data], parts: [], diffs: [], models: [],
    };
    await worker.put(".next/share/bothmake", [{ meanwhile: theirs }]);
    const { main, ws } = await connect(worker.url("/rpc/share", "ws"), { headers });
    await main.createShare("ses_bothmake", [message("m2")]);
    const index = await worker.eventually("index/bothmake", entry => entry);
    assert.deepEqual([index.syncCount, index.messageCount], [8, 2]);
    const { messages } = await worker.stored("share/bothmake");
    assert.deepEqual(messages.map(it => it.id), ["m1", "m2"]);
    ws.terminate();
    assert.equal(worker.complaints.length, 1, "the operator is told once");
    assert.match(worker.complaints[0], /somebody else has written there; merging/);
  });

  it("makes every change once, whatever becomes of the writes", async context => {
    const worker = await startShare();
    context.after(() => worker.stop());
    const { main, ws } = await connect(worker.url("/rpc/share", "ws"), { headers });
    const diff = file => item("session_diff", [{ file }]);
    const { id, secret } = await main.createShare("ses_badwrite", [diff("a"), message("m1")]);
    await worker.eventually(`index/${id}`, entry => entry);

    const theirs = await worker.stored(`share/${id}`);
    theirs.diffs.push({ file: "b" });
    theirs.metadata.syncCount += 1;
    // Their write comes between; then the answer to ours is lost; then the index cannot be written.
    await worker.put(`.next/share/${id}`, [{ meanwhile: theirs }, { lost: true }]);
    await worker.put(`.next/index/${id}`, [{ refused: true }]);
    await main.syncShare(id, secret, [diff("c"), message("m2")]);
    const index = await worker.eventually(`index/${id}`, entry => entry.syncCount > 1);
    assert.deepEqual([index.syncCount, index.messageCount], [3, 2]);
    const stored = async () => {
      const { metadata, diffs } = await worker.stored(`share/${id}`);
      return [metadata.syncCount, ...diffs.map(it => it.file)];
    };
    assert.deepEqual(await stored(), [3, "a", "b", "c"]);
    const writes = (await worker.stored(".writes")).map(write => write.key.split("/")[0]);
    assert.deepEqual(writes, [
      "share", "index", // the first
      "share", // not over theirs
      "share", // the answer to which is lost
      "share", "index", // which is refused
      "index", // alone
    ]);
    assert.equal(worker.complaints.length, 3, "the operator is told of each");

    // And it goes on from there.
    await worker.evict(id);
    assert.equal((await main.syncShare(id, secret, [diff("d")])).syncCount, 4);
    await worker.eventually(`index/${id}`, entry => entry.syncCount === 4);
    assert.deepEqual(await stored(), [4, "a", "b", "c", "d"]);
    ws.terminate();
  });
});
