// fhir-kit-client against a running handrail. Environment: BASE, TOKEN, PATIENT, NODE_EXTRA_CA_CERTS.
// Each check prints a line; the first that fails ends the program with its reason.
import assert from 'node:assert/strict';
import { Client } from 'fhir-kit-client';

const { BASE, TOKEN, PATIENT } = process.env;
const client = new Client({ baseUrl: BASE, bearerToken: TOKEN });
const stranger = new Client({ baseUrl: BASE });
let passed = 0;

async function check(name, run) {
  await run();
  passed += 1;
  console.log(`ok - fhir-kit-client: ${name}`);
}

const total = (bundle) => bundle.entry?.length ?? 0;

await check('capability statement without a token', async () => {
  const statement = await stranger.capabilityStatement();
  assert.equal(statement.resourceType, 'CapabilityStatement');
  assert.equal(statement.fhirVersion, '4.0.1');
});

await check('SMART discovery', async () => {
  const smart = await stranger.smartAuthMetadata();
  assert.ok(smart.tokenUrl.href.startsWith('https://'));
});

await check('no data without a token', async () => {
  await assert.rejects(stranger.read({ resourceType: 'Patient', id: PATIENT }), (error) => {
    assert.equal(error.response.status, 401);
    assert.equal(error.response.data.resourceType, 'OperationOutcome');
    return true;
  });
});

await check('read', async () => {
  const patient = await client.read({ resourceType: 'Patient', id: PATIENT });
  assert.equal(patient.id, PATIENT);
});

await check('search with paging', async () => {
  const searchParams = { patient: PATIENT, _sort: '-date', _count: '5' };
  let page = await client.search({ resourceType: 'Observation', searchParams });
  const seen = new Set();
  for (let pages = 0; page && pages < 200; pages += 1) {
    for (const entry of page.entry ?? []) {
      assert.equal(entry.resource.subject.reference, `Patient/${PATIENT}`);
      assert.ok(!seen.has(entry.resource.id), 'no entry twice');
      seen.add(entry.resource.id);
    }
    page = await client.nextPage({ bundle: page });
  }
  const counted = await client.search({
    resourceType: 'Observation',
    searchParams: { patient: PATIENT, _count: '0', _total: 'accurate' },
  });
  assert.equal(seen.size, counted.total);
  assert.ok(seen.size > 5);
});

await check('POST search and compartment search agree', async () => {
  const searchParams = { category: 'survey', _count: '3' };
  const posted = await client.search({
    resourceType: 'Observation',
    searchParams: { ...searchParams, patient: PATIENT },
    options: { postSearch: true },
  });
  const within = await client.search({
    resourceType: 'Observation',
    compartment: { resourceType: 'Patient', id: PATIENT },
    searchParams,
  });
  const ids = (bundle) => (bundle.entry ?? []).map((entry) => entry.resource.id).sort();
  assert.deepEqual(ids(posted), ids(within));
});

await check('create, update, history, delete', async () => {
  const made = await client.create({ resourceType: 'Patient', body: { resourceType: 'Patient', active: true } });
  const changed = await client.update({ resourceType: 'Patient', id: made.id, body: { ...made, active: false } });
  assert.equal(changed.meta.versionId, '2');
  const first = await client.vread({ resourceType: 'Patient', id: made.id, version: '1' });
  assert.equal(first.active, true);
  assert.equal(total(await client.history({ resourceType: 'Patient', id: made.id })), 2);
  await client.delete({ resourceType: 'Patient', id: made.id });
  await assert.rejects(client.read({ resourceType: 'Patient', id: made.id }), (error) => error.response.status === 410);
});

await check('transaction', async () => {
  const body = {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      {
        fullUrl: 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0',
        resource: { resourceType: 'Patient', gender: 'other' },
        request: { method: 'POST', url: 'Patient' },
      },
      {
        resource: {
          resourceType: 'Observation',
          status: 'final',
          code: { text: 'gait speed' },
          subject: { reference: 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0' },
        },
        request: { method: 'POST', url: 'Observation' },
      },
    ],
  };
  const done = await client.transaction({ body });
  assert.deepEqual(done.entry.map((entry) => entry.response.status.slice(0, 3)), ['201', '201']);
});

await check('an unknown parameter is a 400 that names it', async () => {
  await assert.rejects(client.search({ resourceType: 'Patient', searchParams: { shoesize: '44' } }), (error) => {
    assert.equal(error.response.status, 400);
    assert.match(JSON.stringify(error.response.data), /shoesize/);
    return true;
  });
});

console.log(`fhir-kit-client: ${passed} passed, 0 failed`);
