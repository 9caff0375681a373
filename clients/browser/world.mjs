// What the flows happen in: the running server with its commands, a few people's records, a site for the apps.

import { execFile } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:https";
import { createRequire } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const { FOLDER: folder, HANDRAIL: handrail } = process.env;
const data = join(folder, "demo");

/** The FHIR base, and the origin before it. */
export const fhir = (await readFile(join(folder, "screen"), "utf8")).match(/^listening on (\S+)$/m)[1];
export const origin = new URL(fhir).origin;

/** Passwords, codes and tokens of this run: none may stand in anything that the server wrote (canaries.mjs). */
export const secrets = new Set();

/** A command of the operator; its output. */
export async function operator(...words) {
  const { stdout } = await run(handrail, [...words, "--data", data]);
  return stdout.trim();
}

const told = JSON.parse(await readFile(join(data, "demo.json"), "utf8"));
const ca = join(data, "tls/ca.pem");
const keyed = ["--client", told.client_id, "--key", join(data, "demo-key.jwk"), "--ca", ca];
const system = (await run(handrail, ["token", "--server", fhir, ...keyed])).stdout.trim();
secrets.add(system);

/** Writes resources as the demo's system. */
export async function write(...resources) {
  for (const resource of resources) {
    const answer = await fetch(`${fhir}/${resource.resourceType}/${resource.id}`, {
      method: "PUT",
      headers: { authorization: `Bearer ${system}`, "content-type": "application/fhir+json" },
      body: JSON.stringify(resource),
    });
    if (!answer.ok) throw new Error(`${resource.resourceType}/${resource.id}: ${answer.status} ${await answer.text()}`);
  }
}

/** A GET of the FHIR API with a token; the status. */
export async function status(token, path) {
  const answer = await fetch(`${fhir}/${path}`, { headers: { authorization: `Bearer ${token}`, accept: "application/fhir+json" } });
  await answer.arrayBuffer();
  return answer.status;
}

// The apps' site has the server's own key: the browser is told to take it, whatever the host, and no other.
const [certificate, key] = await Promise.all(["server.pem", "server.key"].map((name) => readFile(join(data, "tls", name))));
const publicKey = new X509Certificate(certificate).publicKey.export({ type: "spki", format: "der" });
/** SHA-256 of that key. */
export const pin = createHash("sha256").update(publicKey).digest("base64");

const library = await readFile(createRequire(import.meta.url).resolve("fhirclient/build/fhir-client.pure.min.js"));
const page = (body) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>App</title>${body}`;
const app = page('<script src="/fhir-client.js"></script><script src="/settings.js"></script><script src="/app.js"></script>');
// What an author of an app would write with fhirclient, no more.
const script = `
const query = new URLSearchParams(location.search);
if (location.pathname === "/start") {
  FHIR.oauth2.authorize({ ...settings, iss: query.get("iss"), scope: query.get("scope") });
} else if (location.pathname === "/launch") {
  FHIR.oauth2.authorize({ ...settings, scope: settings.launchScope });
} else {
  FHIR.oauth2.ready().then((client) => { window.client = client; }, (error) => { window.failed = String(error.message || error); });
}`;

/** Settings that the app's pages have. */
export const settings = {};
/** Further pages of the site, by path. */
export const pages = new Map();

const site = createServer({ cert: certificate, key }, (request, response) => {
  const { pathname } = new URL(request.url, "https://site");
  const send = (type, body) => response.writeHead(200, { "content-type": type, "cache-control": "no-store" }).end(body);
  if (pathname === "/fhir-client.js") return send("text/javascript", library);
  if (pathname === "/app.js") return send("text/javascript", script);
  if (pathname === "/settings.js") return send("text/javascript", `const settings = ${JSON.stringify(settings)};`);
  if (["/start", "/launch", "/app"].includes(pathname)) return send("text/html", app);
  if (pathname === "/board") return send("text/html", page("Back at the board."));
  if (pages.has(pathname)) return send("text/html", page(pages.get(pathname)));
  return response.writeHead(pathname === "/favicon.ico" ? 204 : 404).end();
});
await new Promise((ready) => site.listen(0, "127.0.0.1", ready));
const { port } = site.address();

/** The app's origin: another site than the server's. */
export const appOrigin = `https://walks.test:${port}`;
/** The same pages at the server's own host, another port: same site, other origin. */
export const nearOrigin = `https://localhost:${port}`;

export function close() {
  site.close();
  site.closeAllConnections();
}
