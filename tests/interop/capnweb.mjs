// The package under comparison, in the one place that knows what this runtime lacks: the package
// reads the constants of a global WebSocket, which Node has only from version 22 on.

import { WebSocket } from "ws";

globalThis.WebSocket ??= WebSocket;

export { WebSocket };
export * from "capnweb";
