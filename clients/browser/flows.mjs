// The whole flows, one after the other, in one Chromium. Each line says what was seen. See `run`.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { flow as openidFlow, registers } from "./openid.mjs";
import { Person, close as closeBrowser, found, pagesSeen } from "./person.mjs";
import { appOrigin, close as closeSite, fhir, nearOrigin, operator, origin, pages, secrets, settings, status, write } from "./world.mjs";

process.env.FHIR_BASE = fhir;
let failed = 0;
function check(name, is, detail) {
  if (!is) failed += 1;
  console.log(is ? `ok - ${name}` : `not ok - ${name}: ${detail}`);
}

const of = (id) => ({ subject: { reference: `Patient/${id}` } });
const loinc = (code, display) => ({ coding: [{ system: "http://loinc.org", code, display }] });
const category = (system, code) => [{ coding: [{ system, code }] }];
const observed = "http://terminology.hl7.org/CodeSystem/observation-category";
const weight = (id, patient, value) => ({
  resourceType: "Observation", id, status: "final", ...of(patient), category: category(observed, "vital-signs"), code: loinc("29463-7", "Body weight"),
  effectiveDateTime: "2026-11-02", valueQuantity: { value, unit: "kg", system: "http://unitsofmeasure.org", code: "kg" },
});
const person = (id, given, family, birthDate) => ({ resourceType: "Patient", id, active: true, name: [{ given: [given], family }], birthDate, gender: "unknown" });
const related = (patient) => ({ resourceType: "RelatedPerson", id: `luis-of-${patient}`, active: true, patient: { reference: `Patient/${patient}` }, name: [{ text: "Luis Diaz" }] });
await write(person("rosa", "Rosa", "Diaz", "1943-05-14"), person("pedro", "Pedro", "Diaz", "1939-01-30"), person("other", "Olga", "Other", "1950-02-02"));
await write(
  weight("rosa-weight", "rosa", 61), weight("pedro-weight", "pedro", 74), weight("other-weight", "other", 80),
  { resourceType: "Condition", id: "rosa-hip", ...of("rosa"), clinicalStatus: { coding: [{ system: "http://terminology.hl7.org/CodeSystem/condition-clinical", code: "active" }] }, code: { text: "Broken hip" } },
  { resourceType: "Encounter", id: "rosa-stay", status: "in-progress", ...of("rosa"), class: { system: "http://terminology.hl7.org/CodeSystem/v3-ActCode", code: "IMP" }, type: [{ text: "Skilled nursing stay" }], participant: [{ individual: { reference: "Practitioner/kim" } }], period: { start: "2026-11-01" } },
  { resourceType: "Practitioner", id: "kim", active: true, name: [{ text: "Dr. Kim" }] },
  related("rosa"), related("pedro"),
  { resourceType: "Person", id: "luis", active: true, link: ["rosa", "pedro"].map((of) => ({ target: { reference: `RelatedPerson/luis-of-${of}` } })) },
);
Object.assign(settings, { redirectUri: `${appOrigin}/app`, pkceMode: "required", launchScope: "launch openid fhirUser patient/Patient.rs patient/Observation.rs patient/Encounter.rs" });
settings.clientId = await operator(
  "client", "add", "My Walks", "--public", "--maker", "Walk House", "--redirect", settings.redirectUri, "--launch", `${appOrigin}/launch`,
  "--scope", "openid fhirUser launch launch/patient offline_access patient/*.rs",
);

const [rosa, luis, kim, office] = await Promise.all(["rosa", "luis", "kim", "office"].map((name) => Person.of(name)));

async function people() {
  await rosa.takeUp("Rosa Diaz", "patient", "Patient/rosa");
  await luis.takeUp("Luis Diaz", "caregiver", "Person/luis");
  await luis.page.goto(`${origin}/account/security`);
  await luis.look("security");
  check("invitations are taken up", (await luis.heading).length > 0 && luis.path === "/account/security", luis.page.url());
  await kim.holdPasskeys();
  await kim.takeUp("Dr. Kim", "clinician", "Practitioner/kim");
  await kim.page.goto(`${origin}/account/apps`);
  check("a clinician without a second factor gets nowhere else", kim.path !== "/account/apps", kim.page.url());
  await kim.page.goto(`${origin}/account/passkey/add`);
  await kim.look("passkey");
  await kim.press("form[data-passkey] button");
  await kim.page.goto(`${origin}/account/security`);
  check("a clinician adds a passkey", kim.path === "/account/security", kim.page.url());
  await kim.page.locator("form[action='/account/sign-out'] button").first().click();
  await kim.page.waitForURL("**/account/sign-out");
  await kim.look("signed-out");
  await kim.page.goto(`${origin}/account/sign-in`);
  // The browser may offer the passkey by itself, and this one's owner takes it at once.
  const signedIn = kim.page.waitForURL((url) => url.pathname !== "/account/sign-in" && url.pathname !== "/account/passkey/sign-in");
  await kim.page.locator("form[data-passkey] button").click({ timeout: 3_000 }).catch(() => {});
  await signedIn;
  await kim.page.goto(`${origin}/account/security`);
  check("and signs in with it", kim.path === "/account/security", kim.page.url());
}

/** What a consent page's switches say: on for these scopes, off for all others. */
async function choose(who, ...scopes) {
  await who.page.evaluate((wanted) => {
    document.querySelectorAll("main details").forEach((one) => (one.open = true));
    document.querySelectorAll("input[name=group]").forEach((one) => (one.checked = true));
    document.querySelectorAll("input[name=scope]").forEach((one) => (one.checked = wanted.includes(one.value)));
  }, scopes);
  await who.press("button[value=share]");
}

async function standalone() {
  await rosa.page.goto(`${origin}/account/security`);
  await rosa.page.locator("form[action='/account/sign-out'] button").first().click();
  await rosa.page.waitForURL("**/account/sign-out");
  const opened = await rosa.open("openid fhirUser launch/patient patient/Patient.rs patient/Observation.rs");
  check("a patient signs in on the way", opened.passed.includes("/account/sign-in") && opened.passed.at(-1) === "/account/consent", opened.passed);
  check("the app knows whose record it is", opened.patient === "rosa" && opened.user === "Patient/rosa", JSON.stringify(opened));
  const patient = await rosa.asks("Patient/rosa");
  check("it reads the patient", patient.birthDate === "1943-05-14", JSON.stringify(patient));
  const found = await rosa.asks("Observation");
  check("it finds this patient's and nobody else's", found.entry?.length === 1 && found.entry[0].resource.id === "rosa-weight", JSON.stringify(found));
  check("another's is not there", (await rosa.asks("Patient/pedro")).status === 404 && (await rosa.asks("Observation/other-weight")).status === 404, "");
  check("what was not asked for is refused", (await rosa.asks("Condition/rosa-hip")).status === 403, "");
  check("there is no refresh token without offline_access", !opened.answer.refresh_token, "");
}

async function declined() {
  const asked = "launch/patient patient/Observation.rs patient/Condition.rs patient/Encounter.rs";
  const opened = await rosa.open(asked, { decide: () => choose(rosa, "patient/Observation.rs", "patient/Encounter.rs") });
  const granted = opened.answer?.scope?.split(" ") ?? [];
  check("a declined scope is not granted", granted.includes("patient/Observation.rs") && !granted.includes("patient/Condition.rs"), granted);
  const [shared, withheld] = [await rosa.asks("Observation"), await rosa.asks("Condition")];
  check("the app gets what was shared", shared.entry?.length === 1, JSON.stringify(shared));
  check("and is refused exactly what was not", withheld.status === 403 && (await rosa.asks("Encounter")).entry?.length === 1, JSON.stringify(withheld));
  const nothing = await rosa.open(asked, { decide: () => rosa.press("button[value=deny]") });
  check("who shares nothing is sent back with access_denied", /access_denied|denied/i.test(nothing.failed ?? rosa.page.url()), JSON.stringify(nothing));
}

async function caregiver() {
  const opened = await luis.open("launch/patient patient/Patient.rs patient/Observation.rs", { patient: "pedro" });
  check("a caregiver picks one of two patients", opened.passed.includes("/account/patient") && opened.patient === "pedro", JSON.stringify(opened));
  const found = await luis.asks("Observation");
  check("the app sees that one", found.entry?.length === 1 && found.entry[0].resource.id === "pedro-weight", JSON.stringify(found));
  check("and not the other", (await luis.asks("Patient/rosa")).status === 404, "");
}

async function revoked() {
  const opened = await rosa.open("launch/patient offline_access patient/Observation.rs", {
    decide: async () => {
      const ever = rosa.page.locator("input[name=lasts]");
      if ((await ever.count()) > 1) await ever.last().check();
      await rosa.press("button[value=share]");
    },
  });
  const token = opened.answer?.access_token;
  check("an app may stay", Boolean(opened.answer?.refresh_token) && (await status(token, "Observation")) === 200, JSON.stringify(Object.keys(opened.answer ?? {})));
  const refreshed = await rosa.page.evaluate(() => window.client.refresh().then((state) => state.tokenResponse, (error) => String(error)));
  check("fhirclient refreshes", refreshed.access_token && refreshed.access_token !== token && (await status(refreshed.access_token, "Observation")) === 200, JSON.stringify(refreshed));
  const apps = await rosa.context.newPage();
  const before = rosa.page;
  rosa.page = apps;
  await apps.goto(`${origin}/account/apps`);
  await rosa.look("apps");
  const count = await apps.locator('main a.row[href^="/account/app?"]').count();
  for (let at = 0; at < count; at += 1) {
    await rosa.press('main a.row[href^="/account/app?"]');
    await rosa.look("app");
    await rosa.press("button[value=end]");
  }
  await rosa.look("apps-ended");
  check("an app is shown out of my apps", count > 0 && (await apps.locator('main a.row[href^="/account/app?"]').count()) === 0, `${count} apps`);
  rosa.page = before;
  await apps.close();
  check("its next request fails", (await status(refreshed.access_token, "Observation")) === 401, "");
  const again = await rosa.page.evaluate(() => window.client.refresh().then(() => "refreshed", (error) => String(error)));
  check("and it cannot refresh", again !== "refreshed", again);
}

async function fromTheEhr() {
  await kim.page.goto(`${origin}/account/launch?filter=Diaz`);
  await kim.look("launch-patients");
  await kim.press('main a.row[href*="patient=rosa"]');
  await kim.look("launch-apps");
  const visits = kim.page.locator("select[name=encounter]");
  if (await visits.count()) await visits.selectOption("rosa-stay");
  await kim.press(`button[name=client][value="${settings.clientId}"]`);
  await kim.page.waitForURL((url) => url.pathname !== "/launch");
  const passed = await kim.goOn();
  const opened = await kim.inApp();
  check("a clinician opens an app for a patient", opened.patient === "rosa" && opened.user === "Practitioner/kim", JSON.stringify({ passed, ...opened }));
  check("and is asked for no patient again", !passed.includes("/account/patient"), passed);
  check("the visit comes along", opened.answer?.encounter === "rosa-stay", JSON.stringify(opened.answer));
  check("the app reads that patient", (await kim.asks("Observation")).entry?.length === 1 && (await kim.asks("Patient/pedro")).status === 404, "");
}

async function administrator() {
  await office.holdPasskeys();
  await office.takeUp("Office", "administrator");
  await office.page.goto(`${origin}/account/passkey/add`);
  await office.press("form[data-passkey] button");
  await office.page.goto(`${origin}/account/clients`);
  await office.look("clients");
  await office.page.goto(`${origin}/account/clients/new`);
  await office.look("client-new");
  const { page } = office;
  await page.locator("input[name=name]").fill("Night Notes");
  await page.locator("input[name=maker]").fill("Night House");
  await page.locator("input[name=kind][value=public]").check();
  await page.locator("textarea[name=redirect_uris]").fill(settings.redirectUri);
  await page.locator("textarea[name=scopes]").fill("launch/patient patient/Observation.rs");
  await office.press('form[action="/account/clients/new"] button');
  await office.look("client-registered");
  const notes = await page.locator("code.key").first().innerText();
  const walks = settings.clientId;
  settings.clientId = notes;
  const opened = await rosa.open("launch/patient patient/Observation.rs");
  settings.clientId = walks;
  check("an administrator registers an app, and it works", (await rosa.asks("Observation")).entry?.length === 1, JSON.stringify(opened));
  await page.goto(`${origin}/account/client?client=${notes}`);
  await office.look("client");
  await office.press("button[value=disable]");
  await office.look("client-stopped");
  check("and stops it with the next request", (await status(opened.answer?.access_token, "Observation")) === 401, page.url());
}

/** A consent page that waits for an answer; its handle. */
async function waiting(who) {
  const query = new URLSearchParams({ iss: fhir, scope: "launch/patient patient/Observation.rs" });
  await who.page.goto(`${appOrigin}/start?${query}`);
  await who.page.waitForURL("**/account/consent**").catch(() => who.page.waitForURL("**/oauth/authorize?continuation=**"));
  return who.page.locator("form[action='/account/consent'] input[name=continuation]").getAttribute("value");
}

async function forged() {
  const continuation = await waiting(rosa);
  const token = await rosa.page.locator("form[action='/account/consent'] input[name=csrf]").getAttribute("value");
  const before = await countOfApps(rosa);
  const fields = { continuation, decision: "share", scope: "patient/Observation.rs", lasts: "session", csrf: "guessed" };
  const input = ([name, value]) => `<input name="${name}" value="${value}">`;
  const form = (more) => `<form method="post" action="${origin}/account/consent">${Object.entries({ ...fields, ...more }).map(input).join("")}</form><script>document.forms[0].submit()</script>`;
  pages.set("/forged", form({}));
  // As if somebody had read the page: the browser still says where the form comes from.
  pages.set("/forged-with-token", form({ csrf: token }));
  for (const place of [appOrigin, nearOrigin]) {
    for (const path of ["/forged", "/forged-with-token"]) {
      const tab = await rosa.context.newPage();
      const answers = [];
      tab.on("response", (response) => response.url().includes("/account/consent") && answers.push(response.status()));
      await tab.goto(place + path);
      await tab.waitForURL(`${origin}/**`);
      await tab.waitForLoadState("load");
      const url = new URL(tab.url());
      // Refused; or, from another site, without the session's cookie: then it leads to signing in, and no further.
      const isNothing = answers[0] >= 400 || (place === appOrigin && url.pathname === "/account/sign-in");
      check(`a form of ${new URL(place).hostname} that shares${path.includes("token") ? ", with the right token," : ""} does nothing`, isNothing && !url.searchParams.has("code"), `${answers} ${url}`);
      if (place === nearOrigin && path === "/forged") {
        const person = rosa.page;
        rosa.page = tab;
        await rosa.look("form-refused");
        rosa.page = person;
      }
      await tab.close();
    }
  }
  check("no app got in by it", (await countOfApps(rosa)) === before, "");
}

async function countOfApps(who) {
  const tab = await who.context.newPage();
  await tab.goto(`${origin}/account/apps`);
  const count = await tab.locator('main a.row[href^="/account/app?"]').count();
  await tab.close();
  return count;
}

async function framed() {
  for (const path of ["/account/sign-in?continuation=to-security", "/account/security", "/account/apps"]) {
    pages.set("/framed", `<iframe src="${origin}${path}" title="frame"></iframe>`);
    const tab = await rosa.context.newPage();
    for (const place of [appOrigin, nearOrigin]) {
      const answered = tab.waitForResponse((response) => response.url() === origin + path, { timeout: 5_000 }).catch(() => null);
      await tab.goto(`${place}/framed`);
      const fields = (await answered)?.headers() ?? {};
      const frame = tab.frames().at(1);
      const text = await frame.locator("main").count().catch(() => 0);
      const isForbidden = frame.url().startsWith("chrome-error:") && text === 0;
      check(`${path} is in no frame of ${new URL(place).hostname}`, isForbidden && (fields["x-frame-options"] ?? "DENY") === "DENY", frame.url());
    }
    await tab.close();
  }
}

async function badLinks() {
  const { page } = rosa;
  const query = (more) => new URLSearchParams({ response_type: "code", client_id: settings.clientId, redirect_uri: settings.redirectUri, scope: "patient/Observation.rs", state: "0123456789abcdef", aud: fhir, code_challenge: "a".repeat(43), code_challenge_method: "S256", ...more });
  for (const [name, more, shot] of [
    ["an unknown app", { client_id: "nobody" }, "unknown-app"],
    ["a return address that is not registered", { redirect_uri: `${appOrigin}/other` }, "wrong-return-address"],
  ]) {
    const answer = await page.goto(`${origin}/oauth/authorize?${query(more)}`);
    check(`${name} gets a page, not a redirect`, page.url().startsWith(origin) && answer.status() >= 400, page.url());
    await rosa.look(shot);
  }
  await page.goto(`${origin}/oauth/authorize?${query({ aud: "https://elsewhere.example/fhir" })}`);
  check("a wrong aud gets no code", !new URL(page.url()).searchParams.has("code"), page.url());
  await page.goto(`${origin}/oauth/authorize?${query({ code_challenge_method: "plain" })}`);
  check("PKCE cannot be weakened", !new URL(page.url()).searchParams.has("code"), page.url());
}

const all = { people, standalone, declined, caregiver, revoked, fromTheEhr, openid: () => openidFlow(rosa, check), registers: () => registers(rosa, check), administrator, forged, framed, badLinks };
const only = process.env.ONLY?.split(",");
for (const [name, flow] of Object.entries(all)) {
  if (only && name !== "people" && !only.includes(name)) continue;
  try {
    await flow();
  } catch (error) {
    const said = [error.error, error.error_description, error.cause?.error].filter(Boolean).join(" ");
    check(name, false, `${error.message} ${said} (rosa at ${rosa.page.url()}, luis at ${luis.page.url()}, kim at ${kim.page.url()}, office at ${office.page.url()})`);
  }
}
check(`axe, widths and console of ${pagesSeen()} pages`, found.length === 0, `\n  ${[...new Set(found)].join("\n  ")}`);
await closeBrowser();
closeSite();
await writeFile(join(process.env.FOLDER, "secrets.json"), JSON.stringify([...secrets]));
process.exit(failed === 0 ? 0 : 1);
