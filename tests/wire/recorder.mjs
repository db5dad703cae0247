// Drives one in-process session of the package, frame by frame, and records what it answers.

import { RpcSession } from "../interop/capnweb.mjs";
import { TestTarget } from "../interop/target.mjs";

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
 * Lets everything run that the last frame has set going. Nothing in the fixed target waits for a
 * clock or for I/O, so a number of turns of the event loop is enough, however slow the machine.
 */
async function settle() {
  for (let turn = 0; turn < 20; turn++) {
    await new Promise(resolve => setImmediate(resolve));
  }
}

/** Feeds the frames one at a time; per frame, what came out before the next one was fed. */
export async function record(frames, { main = true, limits } = {}) {
  const transport = new ScriptedTransport();
  const options = limits ? { limits } : {};
  const session = new RpcSession(transport, main ? new TestTarget() : undefined, options);
  const steps = [];
  for (const frame of frames) {
    transport.feed(frame);
    await settle();
    steps.push({ in: frame, out: transport.take() });
  }
  return { steps, ended: transport.ended, stats: session.getStats() };
}
