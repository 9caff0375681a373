// Somebody at a browser: takes an invitation up, signs in, decides. Each new page is looked at as it is passed: axe
// finds nothing, nothing is complained of in the console, and photographs are taken on a phone and on a desk.

import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { appOrigin, operator, origin, pin, secrets } from "./world.mjs";

const TAGS = ["wcag2a", "wcag2aa", "wcag2aaa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const PHONE = { width: 360, height: 740 };
const DESK = { width: 1280, height: 800 };
const STEPS_MAX = 8; // pages between an app and the way back to it
const shots = join(import.meta.dirname, "shots");
await mkdir(shots, { recursive: true });
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--force-color-profile=srgb",
    `--ignore-certificate-errors-spki-list=${pin}`,
    "--host-resolver-rules=MAP *.test 127.0.0.1",
  ],
});
const looked = new Set();

/** What was found on pages that nobody should see there. */
export const found = [];

export const close = () => browser.close();
export const pagesSeen = () => looked.size;

export class Person {
  /** @param {string} user sign-in name; also begins the password. */
  static async of(user) {
    const person = new Person();
    person.user = user;
    person.password = `${user} lantern 4 quiet mornings`;
    secrets.add(person.password);
    person.context = await browser.newContext({ viewport: PHONE, locale: "en-US" });
    person.context.setDefaultTimeout(60_000);
    person.page = await person.tab();
    return person;
  }

  async tab() {
    const page = await this.context.newPage();
    page.on("console", (message) => {
      // The browser reports every status from 400 on; which there are is asserted where they are meant.
      const isStatus = message.text().startsWith("Failed to load resource");
      if (message.type() === "error" && !isStatus && page.url().startsWith(origin)) found.push(`${page.url()}: ${message.text()}`);
    });
    page.on("request", (request) => {
      const { searchParams } = new URL(request.url());
      for (const name of ["code", "invitation"]) {
        const value = searchParams.get(name);
        if (value && value.length > 15) secrets.add(value);
      }
    });
    page.on("response", async (response) => {
      if (new URL(response.url()).pathname !== "/oauth/token" || response.request().method() !== "POST") return;
      const answer = await response.json().catch(() => ({}));
      for (const name of ["access_token", "refresh_token", "id_token"]) if (answer[name]) secrets.add(answer[name]);
    });
    return page;
  }

  /** The path of the page that is shown, when it is one of the server's. */
  get path() {
    const url = new URL(this.page.url());
    return url.origin === origin ? url.pathname : null;
  }

  get heading() {
    return this.page.locator("h1").first().innerText();
  }

  /** Looks at the page, the first time that this one is met. */
  async look(name) {
    if (looked.has(name)) return;
    looked.add(name);
    for (const [size, viewport] of [["desk", DESK], ["phone", PHONE]]) {
      await this.page.setViewportSize(viewport);
      await this.page.screenshot({ path: join(shots, `${name}-${size}.png`), fullPage: true });
      const sideways = await this.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (sideways > 0) found.push(`${name}: ${sideways} pixels too wide on a ${size}`);
    }
    await this.page.evaluate(axe);
    const result = await this.page.evaluate((tags) => window.axe.run(document, { runOnly: { type: "tag", values: tags } }), TAGS);
    for (const { id, help, nodes } of result.violations) {
      for (const node of nodes) found.push(`${name}: axe ${id}: ${help}: ${node.html.slice(0, 160)}`);
    }
  }

  /** Presses what is meant by a selector and waits for the page that follows. */
  async press(selector) {
    await Promise.all([this.page.waitForNavigation({ waitUntil: "load" }), this.page.locator(selector).first().click()]);
  }

  /** Keeps passkeys for this tab, as a phone with a finger on it would. */
  async holdPasskeys() {
    const session = await this.context.newCDPSession(this.page);
    await session.send("WebAuthn.enable");
    const options = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true };
    await session.send("WebAuthn.addVirtualAuthenticator", { options: { ...options, automaticPresenceSimulation: true } });
  }

  /** Has an account made, follows the link, chooses a password, notes the recovery codes. */
  async takeUp(name, role, ...boundTo) {
    const link = await operator("user", "add", this.user, "--name", name, "--role", role, ...boundTo.flatMap((to) => ["--as", to]));
    await this.page.goto(link);
    await this.look("invitation");
    for (const field of await this.page.locator("input[type=password]").all()) await field.fill(this.password);
    await this.press("main form button");
    await this.look("recovery-codes");
  }

  /** Goes on to wherever an app waits: signs in, picks, decides. The paths that were passed come back. */
  async goOn({ patient, decide = () => this.press("button[value=share]") } = {}) {
    const passed = [];
    for (let step = 0; step < STEPS_MAX; step += 1) {
      await this.page.waitForLoadState("load");
      if (this.page.url().startsWith(appOrigin)) return passed;
      passed.push(await this.page.evaluate(() => document.querySelector("main form[method=post]")?.getAttribute("action") ?? location.pathname));
      switch (passed.at(-1)) {
        case "/account/sign-in":
          await this.look("sign-in-for-app");
          await this.signIn();
          break;
        case "/account/patient":
          await this.look("pick-patient");
          await this.press(patient ? `button[name=patient][value="${patient}"]` : "button[name=patient]");
          break;
        case "/account/consent":
          await this.look(`consent-${this.user}`);
          await decide();
          break;
        default:
          throw new Error(`${this.user} stands before ${this.page.url()}: ${await this.heading}`);
      }
    }
    throw new Error(`${this.user} does not get back to the app: ${passed.join(" ")}`);
  }

  async signIn() {
    await this.page.locator("input[name=user]").fill(this.user);
    await this.page.locator("input[name=password]").fill(this.password);
    await this.press('form[action="/account/sign-in"] button:not([name])');
  }

  /** Opens the app by itself (standalone launch) and goes on until it has its answer. */
  async open(scope, how) {
    const query = new URLSearchParams({ iss: process.env.FHIR_BASE, scope });
    await this.page.goto(`${appOrigin}/start?${query}`);
    await this.page.waitForURL((url) => url.pathname !== "/start");
    const passed = await this.goOn(how);
    return { passed, ...(await this.inApp()) };
  }

  /** The app's state as fhirclient has it; `failed` is what it says instead. */
  async inApp() {
    await this.page.waitForFunction(() => window.client || window.failed);
    return this.page.evaluate(() => ({
      failed: window.failed,
      answer: window.client?.state.tokenResponse,
      patient: window.client?.patient.id,
      user: window.client?.user.fhirUser,
    }));
  }

  /** What the app gets when it asks for something: the resource, or the status. */
  async asks(path) {
    return this.page.evaluate((what) => window.client.request(what).catch((error) => ({ status: error.status ?? error.statusCode, message: String(error.message) })), path);
  }
}
