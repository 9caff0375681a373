// An app asks Maple Grove for a record and says that Rosa signs in at Riverbend. See `tiered`. The app's part (its software
// statement, its assertion) is node's crypto and nothing of ours.

import { execFile } from "node:child_process";
import { createHash, createSign, randomBytes, randomUUID, X509Certificate } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { createServer } from "node:https";
import { createRequire } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";
import { chromium } from "playwright-core";

const { HANDRAIL: handrail, FOLDER: folder, HOLDER: holder, IDP: idp, APP: app } = process.env;
const run = promisify(execFile);
const shots = join(import.meta.dirname, "shots");
await mkdir(shots, { recursive: true });
let failed = 0;
function check(name, is, detail) {
  if (!is) failed += 1;
  console.log(is ? `ok - ${name}` : `not ok - ${name}: ${typeof detail === "string" ? detail : JSON.stringify(detail)}`);
}
const operator = async (server, ...words) => (await run(handrail, [...words, "--data", join(folder, server)])).stdout.trim();

// The app's JWTs: RS256 with x5c.
const [pem, key] = await Promise.all(["app.pem", "app.key"].map((name) => readFile(join(folder, "lab", name), "utf8")));
const x5c = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g).map((one) => new X509Certificate(one).raw.toString("base64"));
const part = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
function signed(claims) {
  const now = Math.floor(Date.now() / 1000);
  const text = `${part({ alg: "RS256", x5c })}.${part({ iat: now, exp: now + 240, jti: randomUUID(), ...claims })}`;
  return `${text}.${createSign("sha256").update(text).sign(key).toString("base64url")}`;
}
const payload = (jwt) => JSON.parse(Buffer.from(jwt.split(".")[1], "base64url"));
const header = (jwt) => JSON.parse(Buffer.from(jwt.split(".")[0], "base64url"));

const metadata = await (await fetch(`${holder}/.well-known/udap`)).json();
check("the data holder offers tiered sign-in", metadata.udap_profiles_supported?.includes("udap_to") && metadata.scopes_supported?.includes("udap"), metadata);
const endpoints = payload(metadata.signed_metadata);
const redirect = `${app}/back`;
const SCOPE = "openid udap fhirUser launch/patient patient/Patient.rs patient/Observation.rs";
const registered = await fetch(endpoints.registration_endpoint, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({
    udap: "1",
    certifications: [],
    software_statement: signed({
      iss: `${app}/client`, sub: `${app}/client`, aud: endpoints.registration_endpoint, client_name: "My Walks", contacts: ["mailto:walks@walks.test"],
      grant_types: ["authorization_code"], response_types: ["code"], redirect_uris: [redirect], logo_uri: `${app}/logo.png`,
      token_endpoint_auth_method: "private_key_jwt", scope: SCOPE,
    }),
  }),
});
const client = await registered.json();
check("the app registers by its certificate", registered.status === 201 && client.scope?.split(" ").includes("udap"), client);

// Rosa: a record at both, an account at both.
async function record(server, base) {
  const file = join(folder, `${server}.jwk`);
  const id = (await operator(server, "client", "add", "writer", "--scope", "system/*.cruds", "--custodian", "--generate-key", file)).match(/[\w-]{16,}/)[0];
  const { stdout } = await run(handrail, ["token", "--server", base, "--client", id, "--key", file, "--ca", join(folder, server, "tls/ca.pem")]);
  const resources = [
    { resourceType: "Patient", id: "rosa", active: true, name: [{ given: ["Rosa"], family: "Diaz" }], birthDate: "1943-05-14" },
    { resourceType: "Observation", id: "weight", status: "final", subject: { reference: "Patient/rosa" }, code: { text: "Body weight" }, effectiveDateTime: "2026-11-02", valueQuantity: { value: 61, unit: "kg", system: "http://unitsofmeasure.org", code: "kg" } },
  ];
  for (const resource of resources) {
    const answer = await fetch(`${base}/${resource.resourceType}/${resource.id}`, {
      method: "PUT", headers: { authorization: `Bearer ${stdout.trim()}`, "content-type": "application/fhir+json" }, body: JSON.stringify(resource),
    });
    if (!answer.ok) throw new Error(`${base}: ${answer.status} ${await answer.text()}`);
  }
}
await record("holder", holder);
await record("idp", idp);

const tls = (server, name) => readFile(join(folder, server, "tls", name));
const pins = await Promise.all(["holder", "idp"].map(async (server) => {
  const certificate = new X509Certificate(await tls(server, "server.pem"));
  return createHash("sha256").update(certificate.publicKey.export({ type: "spki", format: "der" })).digest("base64");
}));
// The app's site has the data holder's key: the browser is told to take it, whatever the host.
const site = createServer({ cert: await tls("holder", "server.pem"), key: await tls("holder", "server.key") }, (_, response) => {
  response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>App</title>Back at the app.");
});
await new Promise((ready) => site.listen(new URL(app).port, "127.0.0.1", ready));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--force-color-profile=srgb", "--host-resolver-rules=MAP *.test 127.0.0.1", `--ignore-certificate-errors-spki-list=${pins.join(",")}`],
});
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const looked = new Set();
/** A browser of its own. */
async function visitor() {
  const context = await browser.newContext({ viewport: { width: 360, height: 740 }, locale: "en-US" });
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  page.look = async (name) => {
    if (looked.has(name)) return;
    looked.add(name);
    for (const [size, viewport] of [["desk", { width: 1280, height: 800 }], ["phone", { width: 360, height: 740 }]]) {
      await page.setViewportSize(viewport);
      await page.screenshot({ path: join(shots, `${name}-${size}.png`), fullPage: true });
      const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      check(`${name}: nothing is cut off on a ${size}`, sideways <= 0, sideways);
    }
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag2aaa", "wcag21aa", "wcag22aa", "best-practice"] } }));
    check(`${name}: axe finds nothing`, violations.length === 0, violations.map((one) => one.id));
  };
  page.press = (selector) => Promise.all([page.waitForNavigation({ waitUntil: "load" }), page.locator(selector).first().click()]);
  /** Back from the other organization, by the page that goes on by itself, to the app or our consent page. */
  page.decide = async (selector) => {
    await page.press(selector);
    await page.waitForURL((url) => url.pathname !== "/account/udap/back");
    await page.waitForLoadState("load");
  };
  return page;
}
const password = "rosa lantern 4 quiet mornings";
async function takeUp(server) {
  const page = await visitor();
  await page.goto(await operator(server, "user", "add", "rosa", "--name", "Rosa Diaz", "--role", "patient", "--as", "Patient/rosa"));
  for (const field of await page.locator("input[type=password]").all()) await field.fill(password);
  await page.press("main form button");
  await page.context().close();
}
await takeUp("holder");
await takeUp("idp");

const verifier = randomBytes(32).toString("base64url");
function asking(changes = {}) {
  const query = new URLSearchParams({
    response_type: "code", client_id: client.client_id, redirect_uri: redirect, scope: SCOPE, state: "the app's own", idp,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"), code_challenge_method: "S256", ...changes,
  });
  return `${endpoints.authorization_endpoint}?${query}`;
}
const back = (page) => new URL(page.url()).searchParams;
const isAtProvider = (page) => new URL(page.url()).origin === new URL(idp).origin;
/** From the app to the other organization, and signed in there; false: it asked nothing and sent the person back. */
async function toProvider(page) {
  await page.goto(asking());
  await page.look("udap-sent-on");
  const words = await page.locator("main").innerText();
  check("a page says where one is sent, and who vouches", words.includes(new URL(idp).host) && words.includes("Valley Trust") && words.includes("My Walks"), words);
  await page.decide("main a.button");
  if (!isAtProvider(page)) return false;
  if (new URL(page.url()).pathname === "/account/sign-in") {
    await page.locator("input[name=user]").fill("rosa");
    await page.locator("input[name=password]").fill(password);
    await page.press('form[action="/account/sign-in"] button:not([name])');
  }
  await page.look("udap-consent-at-provider");
  return true;
}

const other = await visitor();
check("the browser is at the other organization", await toProvider(other), other.url());
await other.decide("button[value=deny]");
check("who says no there is told to the app", back(other).get("error") === "access_denied", other.url());

const rosa = await visitor();
check("and so is this one", await toProvider(rosa), rosa.url());
await rosa.decide("button[value=share]");
check("whom nobody here is bound to gets nothing", rosa.url().startsWith(redirect) && back(rosa).get("error") === "access_denied" && back(rosa).get("state") === "the app's own", rosa.url());
const log = await operator("holder", "audit", "list").catch(() => "");
const users = await operator("idp", "user", "list");
const subject = (log.match(/subject=([\w-]+)/) ?? users.match(/([\w-]{16,})/))[1];
await operator("holder", "user", "bind", "rosa", "--issuer", idp, "--subject", subject);

// What she agreed to there a moment ago counts still: she need not be asked again.
if (await toProvider(rosa)) await rosa.decide("button[value=share]");
check("back here the consent page is ours", new URL(rosa.url()).origin === new URL(holder).origin, rosa.url());
await rosa.look("udap-consent");
const words = await rosa.locator("main").innerText();
check("it says who vouched", words.includes(new URL(idp).host) && words.includes("told us who you are"), words);
await rosa.press("button[value=share]");
const code = back(rosa).get("code");
check("the app gets its code and its state", Boolean(code) && back(rosa).get("state") === "the app's own" && back(rosa).get("iss") === holder, rosa.url());

const redeem = (more) => fetch(endpoints.token_endpoint, {
  method: "POST",
  body: new URLSearchParams({
    grant_type: "authorization_code", code, redirect_uri: redirect, code_verifier: verifier, udap: "1", ...more,
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: signed({ iss: client.client_id, sub: client.client_id, aud: endpoints.token_endpoint }),
  }),
});
const tokens = await (await redeem({})).json();
check("and a token by its certificate", tokens.patient === "rosa" && Boolean(tokens.access_token), tokens);
const told = payload(tokens.id_token);
const leaf = new X509Certificate(Buffer.from(header(tokens.id_token).x5c[0], "base64"));
check("the id token has our certificate and our base URL", told.iss === holder && leaf.subjectAltName.includes(`URI:${holder}`) && told.fhirUser === `${holder}/Patient/rosa`, told);
const read = await fetch(`${holder}/Patient/rosa`, { headers: { authorization: `Bearer ${tokens.access_token}` } });
check("with which it reads what Rosa shared", (await read.json()).birthDate === "1943-05-14", [read.status, tokens.scope]);

// An answer that nobody asked for, a place that nobody vouches for.
const third = await visitor();
await third.goto(asking());
await third.press("main a.button");
await third.goto(`${new URL(holder).origin}/account/udap/back?code=stolen&state=forged`);
await third.waitForURL((url) => url.pathname !== "/account/udap/back");
check("a forged state is a server_error", back(third).get("error") === "server_error", third.url());
for (const [place, name] of [[`${idp}/`, "one slash more"], [`${app}/fhir`, "no metadata there"]]) {
  await third.goto(asking({ idp: place }));
  check(`invalid_idp: ${name}`, back(third).get("error") === "invalid_idp", third.url());
}
await third.goto(asking({ idp: "http://127.0.0.1/fhir" }));
check("invalid_idp: not https", back(third).get("error") === "invalid_idp", third.url());

// Revoked, the other organization vouches for nobody any more.
await run(handrail, ["pki", "community", join(folder, "lab"), "revoke", "idp"]);
const until = Date.now() + 120_000;
let answer;
do {
  await new Promise((later) => setTimeout(later, 2_000));
  await rosa.goto(asking());
  if (rosa.url().startsWith(redirect)) { answer = back(rosa).get("error"); break; }
  await rosa.decide("main a.button");
  if (isAtProvider(rosa)) await rosa.decide("button[value=share]");
  answer = rosa.url().startsWith(redirect) ? back(rosa).get("error") : undefined;
} while (answer !== "invalid_idp" && Date.now() < until);
check("a provider whose certificate was revoked vouches for nobody", answer === "invalid_idp", answer ?? rosa.url());

await browser.close();
site.close();
site.closeAllConnections();
console.log(failed ? `${failed} not ok` : "all ok");
process.exit(failed ? 1 : 0);
