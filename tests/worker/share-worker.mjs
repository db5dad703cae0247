// The share service in the Workers runtime, on a bucket that takes one write per second and key.

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { start } from "./miniflare.mjs";

export const key = "a-key-for-tests";
export const namespace = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
export const domain = "share.example.com";

/**
 * Starts the service. `bindings` are added to the usual ones, or take them away where they are
 * undefined; state is kept in a folder if one is named.
 */
export async function startShare({ bindings, folder } = {}) {
  const options = {
    name: "share",
    bindings: Object.fromEntries(Object.entries({
      API_DOMAIN: domain,
      SESSIONS_SHARED_SECRET: namespace,
      SESSIONS_RPC_SHARED_KEY: key,
      ...bindings,
    }).filter(([, value]) => value !== undefined)),
    durableObjects: { SESSIONS_BROADCAST: { className: "SessionBroadcast", useSQLite: true } },
    wrappedBindings: { SESSIONS_STORE: "slow-r2" },
  };
  const bucket = {
    name: "slow-r2",
    modules: true,
    scriptPath: fileURLToPath(new URL("slow-r2.mjs", import.meta.url)),
    r2Buckets: { BUCKET: "shares" },
  };
  // A second way to the bucket, for looking into it.
  const window = {
    name: "window",
    modules: true,
    script: "export default {}",
    r2Buckets: { BUCKET: "shares" },
  };
  const shared = folder && {
    durableObjectsPersist: `${folder}/objects`,
    r2Persist: `${folder}/buckets`,
  };
  const worker = await start("share-service/worker", options, { others: [bucket, window], shared });
  const bucketBehind = () => worker.runtime.getR2Bucket("BUCKET", "window");
  const stored = async name => {
    const text = await textOf(name);
    return text === null ? null : JSON.parse(text);
  };
  const textOf = async name => {
    const object = await (await bucketBehind()).get(name);
    return object && await object.text();
  };
  return {
    ...worker,
    /** What a key of the bucket holds, as JSON; null if nothing. */
    stored,
    /** What a key of the bucket holds, to the letter; null if nothing. */
    textOf,
    /** Waits until what a key of the bucket holds satisfies a condition, and returns it. */
    eventually: async (name, condition) => {
      for (;;) {
        const value = await stored(name);
        if (condition(value)) return value;
        await sleep(100);
      }
    },
    /** The keys of the bucket, but for the one that only tests have. */
    keys: async () => {
      const { objects } = await (await bucketBehind()).list();
      return objects.map(({ key }) => key).filter(key => !key.startsWith("."));
    },
    /** Writes to the bucket as somebody else. */
    put: async (name, value) => { await (await bucketBehind()).put(name, JSON.stringify(value)); },
    /**
     * Takes the object of a share out of memory, as the runtime does with one that is idle. Fails
     * unless it was there, and then was not.
     */
    evict: async id => {
      const evict = () =>
        worker.runtime.unsafeEvictDurableObject("share", "SessionBroadcast", { name: id, webSockets: "hibernate" });
      await evict();
      await assert.rejects(evict(), /it is not currently running/);
    },
  };
}
