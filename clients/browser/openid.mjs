// An app with a server behind it, as an author would write it with npm openid-client: keys (private_key_jwt), pushed
// requests (PAR), tokens bound to a key (DPoP). Registered with the fapi2 profile, which asks for all of them.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as client from "openid-client";
import { appOrigin, fhir, operator, origin, secrets } from "./world.mjs";

const SCOPE = "openid fhirUser launch/patient offline_access patient/Observation.rs";

/** The whole way of one person; `check(name, is, detail)` is told of each step. */
export async function flow(person, check) {
  const { privateKey, publicKey } = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const jwk = { ...(await crypto.subtle.exportKey("jwk", publicKey)), kid: "board-1", alg: "ES256", use: "sig" };
  delete jwk.key_ops;
  delete jwk.ext;
  const jwks = join(process.env.FOLDER, "board.json");
  await writeFile(jwks, JSON.stringify({ keys: [jwk] }));
  const redirect = `${appOrigin}/board`;
  const id = await operator("client", "add", "Care Board", "--jwks", jwks, "--fapi2", "--verified", "--maker", "Board House", "--redirect", redirect, "--scope", SCOPE);

  const algorithm = (await fetch(`${origin}/.well-known/openid-configuration`)).ok ? "oidc" : "oauth2";
  // SMART asks for `typ` in the header, which the library leaves out by itself.
  const proof = client.PrivateKeyJwt({ key: privateKey, kid: "board-1" }, { [client.modifyAssertion]: (header) => { header.typ = "JWT"; } });
  const config = await client.discovery(new URL(origin), id, {}, proof, { algorithm });
  const dpop = client.getDPoPHandle(config, await client.randomDPoPKeyPair());
  const verifier = client.randomPKCECodeVerifier();
  const [state, nonce] = [client.randomState(), client.randomNonce()];
  secrets.add(verifier);
  const parameters = {
    redirect_uri: redirect,
    scope: SCOPE,
    state,
    nonce,
    aud: fhir,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  };

  const { page } = person;
  await page.goto(client.buildAuthorizationUrl(config, parameters).href);
  const refused = new URL(page.url());
  check("an unpushed request of a fapi2 client is refused", !refused.searchParams.has("code") && refused.pathname !== "/account/consent", page.url());

  const pushed = await client.buildAuthorizationUrlWithPAR(config, parameters, { DPoP: dpop });
  check("a pushed request is known by its name alone", [...pushed.searchParams.keys()].sort().join() === "client_id,request_uri", pushed.href);
  await page.goto(pushed.href);
  await person.goOn();
  const back = new URL(page.url());
  check("the answer names its issuer (RFC 9207)", back.searchParams.get("iss") === origin, back.pathname);
  await page.goto(pushed.href);
  check("a pushed request is good once", person.path !== null && person.path !== "/account/consent", page.url());

  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
  const answer = await client.authorizationCodeGrant(config, back, checks, undefined, { DPoP: dpop });
  for (const name of ["access_token", "refresh_token", "id_token"]) if (answer[name]) secrets.add(answer[name]);
  check("private_key_jwt and DPoP get a bound token", answer.token_type.toLowerCase() === "dpop" && Boolean(answer.refresh_token), answer.token_type);
  const { sub, fhirUser } = answer.claims();
  check("the id token is verified and names the person", fhirUser === `${fhir}/Patient/rosa` && sub.length > 15, fhirUser);

  const observations = new URL(`${fhir}/Observation?patient=${answer.patient}`);
  const read = (token) => client.fetchProtectedResource(config, token, observations, "GET", undefined, undefined, { DPoP: dpop });
  const bundle = await (await read(answer.access_token)).json();
  check("a bound token reads with its proof", bundle.entry?.length > 0, bundle.resourceType);
  const bare = await fetch(observations, { headers: { authorization: `Bearer ${answer.access_token}` } });
  check("a bound token is nothing without its key", bare.status === 401, bare.status);
  const code = await client.authorizationCodeGrant(config, back, checks, undefined, { DPoP: dpop }).then(() => "taken", (error) => error.error ?? error.cause?.error ?? String(error));
  check("a code is good once", code === "invalid_grant", code);
  const afterReplay = await read(answer.access_token).then((got) => got.status, (error) => error.status ?? error.cause?.status ?? String(error));
  check("and its second use ends what it gave", afterReplay === 401, afterReplay);

  // Once more, for the refresh token.
  const second = { ...parameters, state: client.randomState(), nonce: client.randomNonce() };
  await page.goto((await client.buildAuthorizationUrlWithPAR(config, second, { DPoP: dpop })).href);
  await person.goOn();
  const secondChecks = { ...checks, expectedState: second.state, expectedNonce: second.nonce };
  const again = await client.authorizationCodeGrant(config, new URL(page.url()), secondChecks, undefined, { DPoP: dpop });
  const renewed = await client.refreshTokenGrant(config, again.refresh_token, undefined, { DPoP: dpop });
  for (const tokens of [again, renewed]) for (const name of ["access_token", "refresh_token", "id_token"]) if (tokens[name]) secrets.add(tokens[name]);
  check("a refresh token is changed with its use", renewed.refresh_token && renewed.refresh_token !== again.refresh_token, "");
  const told = await client.tokenIntrospection(config, renewed.access_token);
  check("introspection tells of it", told.active && told.patient === "rosa", JSON.stringify(told));
  await client.tokenRevocation(config, renewed.refresh_token);
  const dead = await client.refreshTokenGrant(config, renewed.refresh_token, undefined, { DPoP: dpop }).then(() => "taken", (error) => error.error ?? error.cause?.error ?? String(error));
  check("a revoked refresh token is dead", dead === "invalid_grant", dead);
}

/** An app that registers itself with what the operator gave its maker (RFC 7591), and then has a secret. */
export async function registers(person, check) {
  const scope = "openid launch/patient patient/Observation.rs";
  const leave = await operator("client", "invite", "Day House", "--scope", scope, "--kind", "confidential-symmetric");
  secrets.add(leave);
  const redirect = `${appOrigin}/board`;
  const metadata = { client_name: "Day Book", redirect_uris: [redirect], scope, token_endpoint_auth_method: "client_secret_basic", grant_types: ["authorization_code"], response_types: ["code"] };
  const register = (initialAccessToken) => client.dynamicClientRegistration(new URL(origin), metadata, undefined, { initialAccessToken, algorithm: "oauth2" });
  const without = await register(undefined).then(() => "registered", () => "refused");
  check("nobody registers without leave", without === "refused", without);
  const config = await register(leave);
  const { client_id: id, client_secret: secret, registration_access_token: later } = config.clientMetadata();
  for (const one of [secret, later]) if (one) secrets.add(one);
  check("an app registers itself with an initial access token", Boolean(id && secret), id);
  const verifier = client.randomPKCECodeVerifier();
  const [state, nonce] = [client.randomState(), client.randomNonce()];
  const parameters = { redirect_uri: redirect, scope, state, nonce, aud: fhir, code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256" };
  await person.page.goto(client.buildAuthorizationUrl(config, parameters).href);
  await person.goOn();
  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
  const answer = await client.authorizationCodeGrant(config, new URL(person.page.url()), checks);
  for (const name of ["access_token", "id_token"]) if (answer[name]) secrets.add(answer[name]);
  check("and gets a token by its secret", answer.patient === "rosa" && answer.token_type.toLowerCase() === "bearer", answer.token_type);
  const again = await register(leave).then(() => "registered", () => "refused");
  check("the leave was for one app", again === "refused", again);
}
