// An R2 bucket that takes one write per second and key, as Cloudflare's does and its emulation does
// not. A module of the runtime: what it returns takes the place of the binding.
//
// Every write that it is asked for is noted in the object `.writes` of the bucket behind it.

const INTERVAL = 1_000;

// The runtime's bindings tell by this name what they are.
class R2Bucket {
  #bucket;
  #last = new Map();
  #log = [];

  constructor(bucket) { this.#bucket = bucket; }

  head(key) { return this.#bucket.head(key); }
  get(key, options) { return this.#bucket.get(key, options); }
  list(options) { return this.#bucket.list(options); }
  async delete(keys) { return await this.#bucket.delete(keys); }

  async put(key, value, options) {
    const now = Date.now();
    const refused = now - (this.#last.get(key) ?? -INTERVAL) < INTERVAL;
    this.#log.push({ key, now, refused });
    await this.#bucket.put(".writes", JSON.stringify(this.#log));
    if (refused) {
      throw new Error("put: Reduce your concurrent request rate for the same object. (10058)");
    }
    this.#last.set(key, now);
    return await this.#bucket.put(key, value, options);
  }
}

export default env => new R2Bucket(env.BUCKET);
