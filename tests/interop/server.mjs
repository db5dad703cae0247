// A JavaScript server with the fixed target, for clients in other languages.
//
//   node server.mjs [--port N] [--key KEY]
//
// With a key, an upgrade without the header `x-test-key: KEY` is answered 401. listener.mjs tells
// what it prints and which commands it takes.

import { options } from "./arguments.mjs";
import { serve } from "./listener.mjs";
import { TestTarget } from "./target.mjs";

const { port, key } = options(["port", "key"]);

serve({
  port: Number(port ?? 0),
  isAllowed: request => key === undefined || request.headers["x-test-key"] === key,
  makeMain: () => new TestTarget(),
});
