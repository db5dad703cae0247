// The example of a Worker does what it says.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { connect, refusal } from "../interop/support.mjs";
import { start } from "./miniflare.mjs";

const headers = { authorization: "Bearer a key for tests" };
let worker;

before(async () => {
  worker = await start("examples/worker", {
    bindings: { ROOM_KEY: "a key for tests" },
    durableObjects: { ROOM: "Room" },
  });
});
after(async () => {
  await worker.stop();
  assert.deepEqual(worker.complaints, [], "the runtime complained");
});

describe("the example", () => {
  it("greets", async () => {
    const { main, ws } = await connect(worker.url("/rpc", "ws"));
    assert.equal(await main.greet("you"), "Hello, you!");
    ws.terminate();
  });

  it("carries what is said in a room to all who listen there", async () => {
    const [ann, bob, other] = await Promise.all(["lobby", "lobby", "attic"].map(
      room => connect(worker.url(`/room/${room}`, "ws"), { headers })));
    const heard = [];
    await ann.main.join(text => { heard.push(`ann: ${text}`); });
    await bob.main.join(text => { heard.push(`bob: ${text}`); });
    await other.main.join(text => { heard.push(`other: ${text}`); });
    assert.equal(await ann.main.say("hello"), 2);
    assert.deepEqual(heard.toSorted(), ["ann: hello", "bob: hello"]);
    bob.ws.terminate();
    await bob.closed;
    while (await ann.main.say("still there?") !== 1);
    for (const { ws } of [ann, other]) ws.terminate();
  });

  it("lets nobody into a room without its key", async () => {
    for (const sent of [{}, { authorization: "Bearer wrong" }, { authorization: "Bearer " }]) {
      assert.equal((await refusal(worker.url("/room/lobby", "ws"), sent)).status, 401);
    }
  });
});
