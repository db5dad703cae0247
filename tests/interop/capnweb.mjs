// The package under comparison, in the one place that knows what this runtime and old releases of
// the package lack. `CAPNWEB_PACKAGE` names the release, as it is called in package.json.

import { WebSocket } from "ws";

// The package reads the constants of a global WebSocket, which Node has only from version 22 on.
globalThis.WebSocket ??= WebSocket;

const released = await import(process.env.CAPNWEB_PACKAGE ?? "capnweb");

/** What releases before 0.12.0 keep to themselves. */
class OwnTransport {
  #received = [];
  #waiting;
  #error;

  constructor(ws) {
    this.ws = ws;
    ws.on("message", data => {
      this.#received.push(String(data));
      this.#wake();
    });
    ws.on("close", (code, reason) => {
      this.#error ??= new Error(`Peer closed WebSocket: ${code} ${reason}`);
      this.#wake();
    });
  }

  async send(message) { this.ws.send(message); }

  async receive() {
    while (this.#received.length === 0) {
      if (this.#error) throw this.#error;
      await new Promise(resolve => this.#waiting = resolve);
    }
    return this.#received.shift();
  }

  abort(reason) {
    this.#error ??= reason;
    this.ws.close(3000, String(reason?.message ?? reason).slice(0, 30));
    this.#wake();
  }

  #wake() {
    this.#waiting?.();
    this.#waiting = undefined;
  }
}

export { WebSocket };
export const {
  RpcPromise, RpcSession, RpcStub, RpcTarget, deserialize, newHttpBatchRpcSession,
  nodeHttpBatchRpcResponse, serialize,
} = released;
export const WebSocketTransport = released.WebSocketTransport ?? OwnTransport;
