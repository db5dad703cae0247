// The share service in the Workers runtime, on a bucket that takes one write per second and key.

import { fileURLToPath } from "node:url";
import { start } from "./miniflare.mjs";

export const key = "a key for tests";
export const namespace = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";

/** Starts the service; `bindings` are added to the usual ones, and state is kept in a folder if one is named. */
export async function startShare({ bindings, folder } = {}) {
  const options = {
    name: "share",
    bindings: {
      API_DOMAIN: "share.example.com",
      SESSIONS_SHARED_SECRET: namespace,
      SESSIONS_RPC_SHARED_KEY: key,
      ...bindings,
    },
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
  const worker = await start("share-service", options, { others: [bucket, window], shared });
  return {
    ...worker,
    /** What a key of the bucket holds, as JSON; null if nothing. */
    stored: async name => {
      const object = await (await worker.runtime.getR2Bucket("BUCKET", "window")).get(name);
      return object && JSON.parse(await object.text());
    },
  };
}
