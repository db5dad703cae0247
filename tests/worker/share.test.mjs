// The share service as a Worker: one writer per share, whatever happens to its object.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { WebSocket } from "../interop/capnweb.mjs";
import { connect, refusal } from "../interop/support.mjs";
import { run, runProgram } from "./programs.mjs";
import { key, startShare } from "./share-worker.mjs";

const newSessionID = () => `session-${randomBytes(8).toString("hex")}`;
const message = id => ({ type: "message", data: { id, role: "user" } });
const headers = { "x-opencode-share-key": key };
const address = service => ({ SHARE_URL: service.url("/rpc/share", "ws"), SHARE_KEY: key });

/** A viewer of a share, with what it was shown. */
async function view(service, id) {
  const ws = new WebSocket(service.url(`/ws/${id}`, "ws"));
  const frames = [];
  const watchers = new Set();
  const notify = () => { for (const resolve of watchers) resolve(); };
  ws.on("message", data => { frames.push(JSON.parse(String(data))); notify(); });
  const closed = once(ws, "close").then(([code, reason]) => ({ code, reason: String(reason) }));
  await once(ws, "open");
  /** Resolves when it has been shown so many syncs. */
  const seen = async count => {
    while (frames.length < count) await new Promise(resolve => watchers.add(resolve));
  };
  return { ws, frames, seen, closed };
}

/** Far more than all of it takes on a busy machine: no test waits for time to pass. */
const DEADLINE = 600_000;

describe("the share service on Workers", { timeout: DEADLINE }, () => {
  let service;
  before(async () => { service = await startShare(); });
  after(async () => {
    await service.stop();
    assert.deepEqual(service.complaints, [], "the runtime complained");
  });

  it("passes the suite for share services in JavaScript", async () => {
    const code = await run(process.execPath, ["--test", "share.test.mjs"], {
      cwd: fileURLToPath(new URL("../interop/", import.meta.url)),
      env: {
        ...process.env,
        // This one says that it is a test that was started by a test, and makes it do nothing.
        NODE_TEST_CONTEXT: undefined,
        ...address(service),
      },
    });
    assert.equal(code, 0);
  });

  it("passes the suite for share services in Rust", async () => {
    assert.equal(await runProgram("share-client", { env: { ...process.env, ...address(service) } }), 0);
  });

  it("loses none of a hundred concurrent syncs, and shows them in order", async () => {
    const first = await connect(service.url("/rpc", "ws"), { headers });
    const sessionID = newSessionID();
    const { id, secret } = await first.main.createShare(sessionID);
    const viewer = await view(service, id);
    const connections = await Promise.all(
      Array.from({ length: 10 }, () => connect(service.url("/rpc", "ws"), { headers })));
    const answers = await Promise.all(connections.flatMap(({ main }, c) =>
      Array.from({ length: 10 }, async (_, n) => {
        const name = `m-${c}-${n}`;
        return { name, ...await main.syncShare(id, secret, [message(name)]) };
      })));
    const inOrder = answers.toSorted((a, b) => a.syncCount - b.syncCount);
    assert.deepEqual(inOrder.map(answer => answer.syncCount), Array.from({ length: 100 }, (_, n) => n + 1));

    await viewer.seen(100);
    const names = inOrder.map(answer => answer.name);
    assert.deepEqual(viewer.frames.map(([item]) => item.data.id), names);

    const share = await service.eventually(`share/${id}`, share => share?.metadata.syncCount === 100);
    assert.deepEqual(share.messages.map(it => it.id), names);
    assert.equal(share.metadata.sessionID, sessionID);
    assert.equal(share.session.id, sessionID);
    const index = await service.eventually(`index/${id}`, index => index?.syncCount === 100);
    assert.equal(index.messageCount, 100);

    const writes = (await service.stored(".writes")).filter(write => write.key === `share/${id}`);
    assert.deepEqual(writes.filter(write => write.refused), []);
    for (const { ws } of [first, viewer, ...connections]) ws.terminate();
  });

  it("keeps what it acknowledged through evictions before it has written, and its viewers", async () => {
    const connection = await connect(service.url("/rpc", "ws"), { headers });
    const { main } = connection;
    // On a busy machine it may take longer to evict the object than for it to write.
    let id, secret, viewer;
    do {
      viewer?.ws.terminate();
      ({ id, secret } = await main.createShare(newSessionID(), [message("a")]));
      viewer = await view(service, id);
      assert.equal((await main.syncShare(id, secret, [message("b")])).syncCount, 2);
      await service.evict(id);
    } while (await service.stored(`share/${id}`));

    // The next sync makes a new object, which knows what its predecessor acknowledged.
    assert.deepEqual(await main.syncShare(id, secret, [message("c")]), { success: true, syncCount: 3 });
    await viewer.seen(2);
    assert.deepEqual(viewer.frames, [[message("b")], [message("c")]]);
    const share = await service.eventually(`share/${id}`, share => share?.metadata.syncCount === 3);
    assert.deepEqual(share.messages.map(it => it.id), ["a", "b", "c"]);

    // With nothing left to write, a new object starts from what the bucket holds.
    await service.evict(id);
    assert.deepEqual(await main.syncShare(id, secret, [message("d")]), { success: true, syncCount: 4 });
    await viewer.seen(3);
    assert.deepEqual(viewer.frames.at(-1), [message("d")]);
    for (const { ws } of [connection, viewer]) ws.terminate();
  });

  it("writes what an evicted object has acknowledged, though nobody asks for the share again", async () => {
    const connection = await connect(service.url("/rpc", "ws"), { headers });
    let id;
    do {
      ({ id } = await connection.main.createShare(newSessionID(), [message("a")]));
      await service.evict(id);
    } while (await service.stored(`share/${id}`));
    const share = await service.eventually(`share/${id}`, share => share);
    assert.deepEqual(share.messages, [message("a").data]);
    connection.ws.terminate();
  });

  it("tells viewers of a deleted share, and removes it from the bucket", async () => {
    const connection = await connect(service.url("/rpc", "ws"), { headers });
    const { main } = connection;
    const { id, secret } = await main.createShare(newSessionID(), [message("a")]);
    const viewer = await view(service, id);
    await service.eventually(`share/${id}`, share => share);
    assert.deepEqual(await main.deleteShare(id, secret), { success: true });
    assert.deepEqual(await viewer.closed, { code: 4404, reason: "Share deleted" });
    await service.eventually(`share/${id}`, share => !share);
    assert.equal(await service.stored(`index/${id}`), null);
    connection.ws.terminate();
  });

  it("takes in viewers of shares that exist, written to the bucket or not, and no others", async () => {
    const connection = await connect(service.url("/rpc", "ws"), { headers });
    const { main } = connection;
    const unknown = async id => {
      const { status, body } = await refusal(service.url(`/ws/${id}`, "ws"));
      assert.deepEqual([status, JSON.parse(body)], [404, { error: "Share not found" }]);
    };
    await unknown("nobodys1");
    const { id, secret } = await main.createShare(newSessionID());
    const viewers = [await view(service, id)];
    await service.evict(id);
    viewers.push(await view(service, id));
    await service.eventually(`index/${id}`, index => index);
    await service.evict(id);
    viewers.push(await view(service, id));
    await main.deleteShare(id, secret);
    await unknown(id);
    await service.eventually(`share/${id}`, share => !share);
    await service.evict(id);
    await unknown(id);
    for (const { ws } of [connection, ...viewers]) ws.terminate();
  });

  it("wants viewers to ask for a WebSocket", async () => {
    const response = await fetch(service.url("/ws/abcdefgh"));
    assert.equal(response.status, 426);
    assert.deepEqual(await response.json(), { error: "Expected WebSocket upgrade" });
  });
});

describe("the share service on Workers, stopped before it has written to the bucket", { timeout: DEADLINE }, () => {
  it("has everything that it acknowledged when it is back", async () => {
    const folder = await mkdtemp(`${tmpdir()}/share-`);
    let service = await startShare({ folder });
    try {
      const { main } = await connect(service.url("/rpc", "ws"), { headers });
      // On a busy machine looking into the bucket may take longer than it takes to write to it.
      let id, secret;
      do {
        ({ id, secret } = await main.createShare(newSessionID(), [message("a")]));
        assert.equal((await main.syncShare(id, secret, [message("b")])).syncCount, 2);
      } while (await service.stored(`share/${id}`));
      await service.stop();

      service = await startShare({ folder });
      // Nobody asks for the share: it is the alarm that catches up.
      const share = await service.eventually(`share/${id}`, share => share);
      assert.equal(share.metadata.syncCount, 2);
      assert.deepEqual(share.messages.map(it => it.id), ["a", "b"]);
      const again = await connect(service.url("/rpc", "ws"), { headers });
      assert.equal((await again.main.syncShare(id, secret, [message("c")])).syncCount, 3);
      again.ws.terminate();
    } finally {
      await service.stop();
      await rm(folder, { recursive: true });
    }
  });
});

describe("the share service on Workers, set up otherwise", { timeout: DEADLINE }, () => {
  const withBindings = (bindings, test) => async context => {
    const service = await startShare({ bindings });
    context.after(() => service.stop());
    await test(service);
  };

  // The first is the state after the first deployment.
  for (const [name, none] of [["no key", undefined], ["an empty key", ""]]) {
    it(`is closed with ${name}`, withBindings({ SESSIONS_RPC_SHARED_KEY: none }, async service => {
      for (const sent of [{}, { "x-opencode-share-key": "" }, headers]) {
        const { status, body } = await refusal(service.url("/rpc", "ws"), sent);
        assert.equal(status, 403);
        assert.equal(typeof JSON.parse(body).error, "string");
      }
    }));
  }

  const open = { SESSIONS_RPC_SHARED_KEY: "", ALLOW_UNAUTHENTICATED: "true" };
  it("is open without a key if its operator says so", withBindings(open, async service => {
    const { main, ws } = await connect(service.url("/rpc", "ws"));
    assert.equal(await main.probeCallback(text => text), "server-called");
    ws.terminate();
  }));

  it("keeps its door shut with a key, whatever else is said", withBindings({ ALLOW_UNAUTHENTICATED: "true" }, async service => {
    assert.equal((await refusal(service.url("/rpc", "ws"))).status, 401);
  }));

  for (const [name, secret] of [["nothing", undefined], ["something that is no UUID", "no-uuid"]]) {
    it(`lets nobody in with ${name} to derive secrets from`, withBindings({ SESSIONS_SHARED_SECRET: secret }, async service => {
      assert.equal((await refusal(service.url("/rpc", "ws"), headers)).status, 500);
      if (secret) assert.match(service.complaints.join(""), /SESSIONS_SHARED_SECRET is /);
    }));
  }
});
