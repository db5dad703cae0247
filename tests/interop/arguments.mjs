// Command lines of the peers: `--name value` pairs and nothing else.

/** Reads the options that are known; anything else ends the process with a usage line. */
export function options(known) {
  const found = {};
  const list = process.argv.slice(2);
  while (list.length > 0) {
    const name = list.shift().replace(/^--/, "");
    if (!known.includes(name) || list.length === 0) {
      console.error(`usage: ${known.map(each => `[--${each} VALUE]`).join(" ")}`);
      process.exit(2);
    }
    found[name] = list.shift();
  }
  return found;
}
