// What the JavaScript servers of these tests have in common: a WebSocket listener that asks for a
// key before it upgrades, serves one session per connection, and is watched over standard input.
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
import { RpcSession, WebSocketTransport } from "./capnweb.mjs";

function refuse(socket) {
  const body = JSON.stringify({ error: "Unauthorized" });
  socket.end(
    "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n" +
    `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
}

/** Serves `makeMain()` to every connection whose request `isAllowed` accepts. */
export function serve({ port = 0, isAllowed = () => true, makeMain }) {
  const http = createServer((_request, response) => response.writeHead(404).end());
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
