// Looks for the passwords, codes and tokens of the flows in every file that the server wrote: none may be there.
// Usage: node canaries.mjs FOLDER; FOLDER/secrets.json has them.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

const folder = process.argv[2];
const secrets = JSON.parse(await readFile(join(folder, "secrets.json"), "utf8"));
const needles = secrets.map((secret) => Buffer.from(secret));
const found = [];
let files = 0;
for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || entry.name === "secrets.json") continue;
  files += 1;
  const bytes = await readFile(join(entry.parentPath ?? entry.path, entry.name));
  needles.forEach((needle, at) => bytes.includes(needle) && found.push(`${entry.name} holds secret ${at} of ${needles.length}`));
}
for (const one of found) console.log(`not ok - ${one}`);
if (found.length > 0 || needles.length < 10) process.exit(1);
console.log(`ok - none of ${needles.length} passwords, codes and tokens is in the ${files} files that the server wrote`);
