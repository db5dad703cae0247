// What the JavaScript servers of these tests have in common: a WebSocket listener that asks for a
// key before it upgrades, serves one session per connection, answers a batch per POST, and is watched
// over standard input.
//
//   READY <port>              printed once, when connections are accepted
//   > stats                   < STATS [{"imports":1,"exports":1},...]   the live sessions
//   > close                   < CLOSED <n>    closes every connection with code 1001
//   end of standard input     closes everything and ends the process
//
// Nothing else is written to standard output.

import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { WebSocketServer } from "ws";
import { RpcSession, WebSocketTransport, nodeHttpBatchRpcResponse } from "./capnweb.mjs";

const REFUSAL = JSON.stringify({ error: "Unauthorized" });

function refuse(socket) {
  const body = REFUSAL;
  socket.end(
    "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n" +
    `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
}

/** Answers a batch. One that ends its session is answered 400, with what was wrong with it. */
async function answer(request, response, { isAllowed, makeMain }) {
  const json = { "Content-Type": "application/json" };
  if (!isAllowed(request)) return response.writeHead(401, json).end(REFUSAL);
  try {
    await nodeHttpBatchRpcResponse(request, response, makeMain());
  } catch (error) {
    response.writeHead(400, json).end(JSON.stringify({ error: error.message }));
  }
}

/** Serves `makeMain()` to every connection and batch whose request `isAllowed` accepts. */
export function serve({ port = 0, isAllowed = () => true, makeMain }) {
  const http = createServer((request, response) => answer(request, response, { isAllowed, makeMain }));
  const upgrades = new WebSocketServer({ noServer: true });
  const live = new Map();

  http.on("upgrade", (request, socket, head) => {
    socket.on("error", () => socket.destroy());
    if (!isAllowed(request)) return refuse(socket);
    upgrades.handleUpgrade(request, socket, head, ws => {
      const session = new RpcSession(new WebSocketTransport(ws), makeMain());
      live.set(ws, session);
      ws.on("close", () => live.delete(ws));
    });
  });

  const commands = {
    __proto__: null,
    stats: () => `STATS ${JSON.stringify([...live.values()].map(session => session.getStats()))}`,
    close: () => {
      for (const ws of live.keys()) ws.close(1001, "closed by command");
      return `CLOSED ${live.size}`;
    },
  };
  const lines = createInterface({ input: process.stdin });
  lines.on("line", line => console.log(commands[line]?.() ?? `UNKNOWN ${line}`));
  lines.on("close", () => process.exit(0));

  http.listen(port, "127.0.0.1", () => console.log(`READY ${http.address().port}`));
}
