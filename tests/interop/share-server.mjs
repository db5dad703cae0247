// A JavaScript share server that keeps everything in memory, for clients in other languages.
//
//   node share-server.mjs --key KEY [--namespace UUID] [--domain NAME] [--port N]
//
// An upgrade needs `x-opencode-share-key: KEY` or `Authorization: Bearer KEY`, else it is answered
// 401. listener.mjs tells what it prints and which commands it takes.

import { createHash } from "node:crypto";
import { options } from "./arguments.mjs";
import { RpcTarget } from "./capnweb.mjs";
import { serve } from "./listener.mjs";

const {
  port,
  key,
  namespace = "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
  domain = "share.example.com",
} = options(["port", "key", "namespace", "domain"]);
if (!key) {
  console.error("share-server: --key is needed");
  process.exit(2);
}

/** The name-based UUID of RFC 9562, section 5.5. */
function uuidV5(name) {
  const hash = createHash("sha1").update(Buffer.from(namespace.replaceAll("-", ""), "hex")).update(name);
  const bytes = hash.digest().subarray(0, 16);
  bytes[6] = (bytes[6] & 0x0f) | 0x50;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

const shares = new Map();

function upsert(list, item) {
  const at = list.findIndex(({ id }) => id === item.id);
  if (at < 0) list.push(item);
  else list[at] = item;
}

function merge(share, data) {
  for (const item of data) {
    switch (item.type) {
      case "session": share.session = item.data; break;
      case "message": upsert(share.messages, item.data); break;
      case "part": upsert(share.parts, item.data); break;
      case "session_diff": share.diffs.push(...item.data); break;
      case "model": for (const model of item.data) upsert(share.models, model); break;
    }
  }
  share.syncCount += 1;
}

class ShareTarget extends RpcTarget {
  createShare(sessionID, initialData) {
    const id = sessionID.slice(-8);
    const secret = uuidV5(sessionID);
    let share = shares.get(id);
    if (share && share.sessionID !== sessionID) {
      throw new Error("Share id is taken by another session");
    }
    if (!share) {
      share = { sessionID, secret, syncCount: 0, messages: [], parts: [], diffs: [], models: [] };
      shares.set(id, share);
    }
    if (initialData?.length > 0) merge(share, initialData);
    return { id, secret, url: `https://${domain}/share/${id}` };
  }

  syncShare(shareID, secret, data) {
    const share = this.#open(shareID, secret);
    merge(share, data);
    return { success: true, syncCount: share.syncCount };
  }

  deleteShare(shareID, secret) {
    this.#open(shareID, secret);
    shares.delete(shareID);
    return { success: true };
  }

  probeValue({ when, bytes, nested }) {
    return { when: when.toISOString(), bytes: [...bytes], size: bytes.length, nested };
  }

  async probeCallback(cb) {
    return await cb("server-called");
  }

  #open(shareID, secret) {
    const share = shares.get(shareID);
    if (!share) throw new Error("Share not found");
    if (share.secret !== secret) throw new Error("Invalid secret");
    return share;
  }
}

serve({
  port: Number(port ?? 0),
  isAllowed: ({ headers }) =>
    headers["x-opencode-share-key"] === key || headers.authorization === `Bearer ${key}`,
  makeMain: () => new ShareTarget(),
});
