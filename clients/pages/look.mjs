// Opens every page of the gallery in Chromium as it would be served (with its headers) and holds it to the rules of
// docs/pages.md: axe finds nothing, contrast 7:1, no sideways scrolling at 320 pixels and at 400 % zoom, targets of 44
// pixels, under 40 KB in all, no console message, nothing asked for elsewhere. `--shots DIR [--only TEXT]` also writes
// screenshots to look at.
//
// Usage: node look.mjs GALLERY [--shots DIR] [--only TEXT]. Ends non-zero when something was found.

import { createServer } from "node:http";
import { readFile, mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

const PAGE_BYTES_MAX = 40_000;
const TARGET_PIXELS = 44;
const TAGS = ["wcag2a", "wcag2aa", "wcag2aaa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

const [gallery, ...flags] = process.argv.slice(2);
const flag = (name) => (flags.includes(name) ? flags[flags.indexOf(name) + 1] : undefined);
if (!gallery) {
  console.error("usage: node look.mjs GALLERY [--shots DIR] [--only TEXT]");
  process.exit(2);
}
const only = flag("--only");
const shots = flag("--shots");
const pages = JSON.parse(await readFile(join(gallery, "gallery.json"), "utf8")).filter(({ path }) => !only || path.includes(only));
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const types = { css: "text/css", js: "text/javascript", svg: "image/svg+xml" };

const sizes = new Map();
const server = createServer(async (request, response) => {
  const path = new URL(request.url, "http://localhost").pathname;
  const page = pages.find((one) => one.path === path);
  try {
    const body = await readFile(join(gallery, path));
    sizes.set(path, body.length);
    response.writeHead(200, page ? page.headers : { "content-type": types[path.split(".").pop()] ?? "text/plain" });
    response.end(body);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
// `localhost` is a secure context, as passkeys need, and the relying party of the gallery's options.
const base = `http://localhost:${server.address().port}`;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--force-color-profile=srgb"],
});
const found = [];
// Both sizes and both schemes, two at a time: what differs by one of them alone is seen once. With --shots all four.
const screens = [
  { name: "phone", viewport: { width: 360, height: 740 }, colorScheme: "light", isNarrowed: true },
  { name: "desk-dark", viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
  { name: "phone-dark", viewport: { width: 360, height: 740 }, colorScheme: "dark", isForShots: true },
  { name: "desk", viewport: { width: 1280, height: 800 }, colorScheme: "light", isForShots: true },
].filter((screen) => shots || !screen.isForShots);

// Links within a sentence may be as low as their line (WCAG 2.5.8, "inline"); a box is pressed by its label.
const small = (least) =>
  [...document.querySelectorAll("a, button, input, select, summary, textarea")]
    .filter((one) => one.checkVisibility() && one.type !== "hidden" && !one.matches(".skip, p:not(.actions) > a:not(.quiet):not(.button)"))
    .map((one) => ({ one, box: (one.closest("label") ?? one).getBoundingClientRect() }))
    .filter(({ box }) => box.height < least - 0.5 || box.width < least - 0.5)
    .map(({ one, box }) => `${one.outerHTML.slice(0, 80)} ${Math.round(box.width)}×${Math.round(box.height)}`);

// One page on one screen; `page` is a tab that is used again and again.
async function check(screen, { path }, page, heard) {
  const say = (what) => found.push(`${screen.name} ${path}: ${what}`);
  heard.say = say;
  heard.bytes = 0;
  await page.goto(base + path, { waitUntil: "load" });
  if (heard.bytes > PAGE_BYTES_MAX) say(`${heard.bytes} bytes in all`);
  // Everything open, so that what is behind a line is looked at too.
  await page.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = true)));
  for (const one of await page.evaluate(small, TARGET_PIXELS)) say(`small target: ${one}`);
  // Chromium runs what the driver evaluates whatever the page's policy says.
  await page.evaluate(axe);
  const result = await page.evaluate(
    (tags) => window.axe.run(document, { runOnly: { type: "tag", values: tags }, rules: { "color-contrast-enhanced": { enabled: true } } }),
    TAGS,
  );
  for (const { id, help, nodes } of result.violations) {
    for (const node of nodes) say(`axe ${id}: ${help}: ${node.html.slice(0, 160)} ${node.any[0]?.message ?? ""}`);
  }
  await wide(page, say, screen.name);
  if (shots) {
    await page.evaluate(() => document.querySelectorAll("details").forEach((one, at) => (one.open = at === 0)));
    await shoot(page, path, screen.name);
  }
  if (!screen.isNarrowed) return;
  // 320 pixels are also what 1280 are at 400 % zoom (WCAG 1.4.10); twice the text alone is WCAG 1.4.4.
  await page.setViewportSize({ width: 320, height: 640 });
  await wide(page, say, "320 pixels");
  if (shots) await shoot(page, path, "320");
  await page.evaluate(() => (document.documentElement.style.fontSize = "200%"));
  await wide(page, say, "320 pixels, text of 200 %");
  await page.setViewportSize(screen.viewport);
}

async function shoot(page, path, name) {
  const file = `${path.slice(1).replace("/", "-").replace(".html", "")}-${name}.png`;
  await page.screenshot({ path: join(shots, file), fullPage: true });
}

// Nothing may reach beyond the right edge.
async function wide(page, say, where) {
  const [sideways, first] = await page.evaluate(() => {
    const root = document.documentElement;
    const out = [...document.querySelectorAll("main *, header *")].find((one) => one.getBoundingClientRect().right > root.clientWidth + 1);
    return [root.scrollWidth - root.clientWidth, out?.outerHTML.slice(0, 100)];
  });
  if (sideways > 0) say(`${sideways} pixels too wide (${where}): ${first}`);
}

async function tab(context) {
  const page = await context.newPage();
  const heard = { say: () => {}, bytes: 0 };
  page.on("console", (message) => heard.say(`console: ${message.text()}`));
  page.on("pageerror", (error) => heard.say(`script: ${error.message}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(base)) heard.say(`asks for ${request.url()}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) heard.say(`${response.status()} ${response.url()}`);
    // What is fetched, or would be without the browser's cache.
    heard.bytes += sizes.get(new URL(response.url()).pathname) ?? 0;
  });
  return [page, heard];
}

// Without JavaScript everything but passkeys is there, and no passkey form is shown.
async function without(context) {
  const page = await context.newPage();
  for (const { path } of pages.filter((one) => one.path.startsWith("/en/"))) {
    await page.goto(base + path, { waitUntil: "domcontentloaded" });
    const shown = await page.locator("form[data-passkey]:visible").count();
    if (shown > 0) found.push(`${path}: a passkey form without JavaScript`);
    if (!(await page.locator("h1").isVisible())) found.push(`${path}: no headline without JavaScript`);
  }
}

// A real passkey, kept by Chromium's virtual authenticator: added on one page, used on the other.
async function passkey() {
  const steps = [["/en/passkey.html", "Add a passkey"], ["/en/second-factor.html", "Use a passkey instead"]];
  if (!steps.every(([path]) => pages.some((one) => one.path === path))) return false;
  const context = await browser.newContext();
  const page = await context.newPage();
  const sent = [];
  await page.route("**/account/**", (route) => {
    sent.push(new URLSearchParams(route.request().postData() ?? ""));
    return route.fulfill({ status: 200, contentType: "text/html", body: "ok" });
  });
  const session = await context.newCDPSession(page);
  await session.send("WebAuthn.enable");
  const options = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true };
  await session.send("WebAuthn.addVirtualAuthenticator", { options: { ...options, automaticPresenceSimulation: true } });
  for (const [path, button] of steps) {
    await page.goto(base + path);
    await page.getByRole("button", { name: button }).click();
    await page.waitForURL("**/account/**", { timeout: 5_000 }).catch(() => {});
  }
  const [made, used] = sent.map((form) => JSON.parse(form.get("credential") || "{}"));
  if (!made?.response?.attestationObject || !made?.response?.clientDataJSON) found.push("passkey: was not made");
  if (!used?.response?.signature || used.id !== made?.id) found.push("passkey: was not used");
  if (sent.some((form) => form.get("csrf") !== "token")) found.push("passkey: sent without the form's token");
  await context.close();
  return true;
}

if (shots) await mkdir(shots, { recursive: true });
for (const screen of screens) {
  const context = await browser.newContext({ viewport: screen.viewport, colorScheme: screen.colorScheme });
  const [page, heard] = await tab(context);
  for (const one of pages) await check(screen, one, page, heard);
  await context.close();
}
const still = await browser.newContext({ javaScriptEnabled: false });
await without(still);
await still.close();
const withPasskey = (await passkey()) ? ", with a passkey" : "";
await browser.close();
server.close();

for (const one of [...new Set(found)]) console.log(`not ok - ${one}`);
if (found.length > 0) process.exit(1);
console.log(`ok - ${pages.length} pages on ${screens.length} screens, at 320 pixels, without JavaScript${withPasskey}`);
