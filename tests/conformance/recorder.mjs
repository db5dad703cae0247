// Drives one in-process session of the package step by step, and records what it sends and delivers.

import { RpcSession } from "../interop/capnweb.mjs";
import { TestTarget } from "../interop/target.mjs";
import { Actor } from "./actor.mjs";

/** A transport without a network: frames are fed in by hand, and taken out of a list. */
class ScriptedTransport {
  #queue = [];
  #waiting;
  sent = [];
  ended = false;

  send(text) { this.sent.push(text); }

  receive() {
    if (this.#queue.length > 0) return Promise.resolve(this.#queue.shift());
    return new Promise(resolve => { this.#waiting = resolve; });
  }

  abort() { this.ended = true; }

  feed(text) {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) waiting(text);
    else this.#queue.push(text);
  }

  take() { return this.sent.splice(0); }
}

/**
 * Lets everything run that the last step has set going. Nothing in the fixed target waits for a
 * clock or for I/O, so a number of turns of the event loop is enough, however slow the machine.
 */
async function settle() {
  for (let turn = 0; turn < 20; turn++) {
    await new Promise(resolve => setImmediate(resolve));
  }
}

/**
 * Carries out the steps, one at a time: a string is a frame of the peer's, an object an action of
 * the application's. Per step, what came of it before the next one was taken.
 */
export async function record(steps, { main = true, limits } = {}) {
  const transport = new ScriptedTransport();
  const options = limits ? { limits } : {};
  const session = new RpcSession(transport, main ? new TestTarget() : undefined, options);
  const actor = new Actor(session);
  const recorded = [];
  for (const step of steps) {
    const isFrame = typeof step === "string";
    if (isFrame) transport.feed(step);
    else actor.act(step);
    await settle();
    const got = actor.take();
    recorded.push({
      ...(isFrame ? { in: step } : { do: step }),
      out: transport.take(),
      ...(got.length > 0 && { got }),
    });
  }
  const { ended } = transport;
  return { steps: recorded, ended, ...(!ended && { stats: session.getStats() }) };
}
