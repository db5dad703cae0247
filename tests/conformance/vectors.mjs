// What the sources of the vectors are written with.

/** The rows that show one statement of bullets.json. */
export const shows = (bullet, ...rows) => rows.map(row => ({ bullet, ...row }));

/** One that has to be the only one of its name. */
export function unique(what, names) {
  const seen = new Set();
  for (const name of names) {
    if (seen.has(name)) throw new Error(`there are two ${what} named "${name}"`);
    seen.add(name);
  }
}
