import { expect, test } from '@jest/globals';
import { ENDPOINT_SLICES, LEASES, MARATHON_APPS, objectPath } from '../../controller/kubernetes/resources.ts';
import type { PassStatus } from '../../controller/pass-status.ts';
import { kubernetesSource } from '../../controller/source/kubernetes/source.ts';
import { StatusWriter } from '../../controller/status/kubernetes/writer.ts';
import { translator } from '../controller/desired/support.ts';
import { fastClock, silent } from '../controller/source/support.ts';
import { passOf } from '../controller/status/passes.ts';
import { nothingRemembered } from '../support/builders.ts';
import {
  apply,
  client,
  get,
  inBackground,
  listEvents,
  marathonApp,
  namespace,
  never,
  referencesFollowed,
  slice,
  until,
  useCluster,
} from './cluster.ts';

useCluster();

const clock = fastClock(10);
const HTTP = [{ name: 'http', port: 8080 }];
const app = (id: string, ...labels: readonly string[]) => ({
  id,
  networks: [{ mode: 'container/bridge' }],
  container: {
    portMappings: labels.map((VIP_0) => ({ name: 'http', containerPort: 8080, labels: { VIP_0 } })),
  },
});

function writer(identity: string): StatusWriter {
  const references = referencesFollowed();
  const writing = new StatusWriter({
    client,
    clock,
    log: silent,
    namespace,
    identity,
    random: Math.random,
    references,
  });
  inBackground((signal) => writing.run(signal));
  return writing;
}

/** A pass over what the cluster says now; the kernel got all of it unless `what` says otherwise. */
async function pass(what: Partial<Parameters<typeof passOf>[0]> = {}): Promise<PassStatus> {
  const source = kubernetesSource(client, { context: '', namespace });
  const desired = translator()(await source.read(never), nothingRemembered);
  return passOf({ desired, ...what });
}

const status = async (name: string) => (await get(MARATHON_APPS, name)).status ?? {};
const condition = async (name: string, type: string) => {
  const { conditions = [] } = await status(name);
  const { status: is, reason, message } = conditions.find((one: { type: string }) => one.type === type) ?? {};
  return `${is} ${reason}${message ? `: ${message}` : ''}`;
};

test('an app that is served has its VIP, address and backends in its status', async () => {
  await marathonApp('web', app('/web', '/web:80'));
  await slice('web-1', 'web', HTTP, [{ address: '10.1.0.1' }, { address: '10.1.0.2', ready: false }]);
  const writing = writer('one');
  writing.passed(await pass());
  await until('it is written', async () => (await status('web')).vip !== undefined);
  expect(await status('web')).toMatchObject({
    observedGeneration: 1,
    vip: 'web.marathon.l4lb.thisdcos.directory:80',
    address: expect.stringMatching(/^11\.\d+\.\d+\.\d+$/),
    backends: '1/2',
  });
  expect(await condition('web', 'Accepted')).toBe('True Accepted');
  expect(await condition('web', 'Programmed')).toBe('True Programmed');
  await until('it is ready', async () => (await condition('web', 'Ready')) === 'True Ready');
  const told = await listEvents();
  expect(told.map(({ type, reason, note }) => `${type} ${reason}: ${note}`)).toEqual([
    expect.stringMatching(
      /^Normal Ready: web\.marathon\.l4lb\.thisdcos\.directory:80 at 11\.\S+: 1 of 2 backends in rotation$/,
    ),
  ]);
});

test('a VIP none of whose backends gets connections is not programmed, and each cause has a reason of its own', async () => {
  await marathonApp('nothing', app('/nothing', '/nothing:80'));
  await marathonApp('idle', app('/idle', '/idle:80'));
  await slice('idle-1', 'idle', HTTP, [{ address: '10.1.0.1', ready: false }]);
  await marathonApp('ports', app('/ports', '/ports:80'));
  await slice(
    'ports-1',
    'ports',
    [{ name: 'admin', port: 9_000, protocol: 'UDP' }],
    [{ address: '10.1.0.2' }],
  );
  await marathonApp('none', app('/none', '/none:80'));
  await slice('none-1', 'none', HTTP, []);
  await marathonApp('named', app('/named', '/named:80'));
  await apply(ENDPOINT_SLICES, 'named-1', {
    metadata: { labels: { 'kubernetes.io/service-name': 'named' } },
    addressType: 'FQDN',
    ports: [{ name: 'http', port: 8_080, protocol: 'TCP' }],
    endpoints: [{ addresses: ['backend.example.com'], conditions: { ready: true } }],
  });
  const writing = writer('one');
  const names = ['nothing', 'idle', 'ports', 'none', 'named'];
  await until('all are told', async () => {
    writing.passed(await pass());
    const told = await Promise.all(names.map((name) => condition(name, 'ResolvedRefs')));
    return told.every((text) => /^(True|False) /.test(text));
  });
  expect(await condition('nothing', 'Ready')).toMatch(
    /^False BackendNotFound: Service nothing has no EndpointSlice: there is no such Service in /,
  );
  expect(await condition('idle', 'ResolvedRefs')).toBe('True ResolvedRefs');
  expect(await condition('idle', 'Programmed')).toMatch(
    /^False NoReadyEndpoints: .* idle\.marathon\S+:80 has 0 of 1 in rotation$/,
  );
  expect(await condition('ports', 'Ready')).toMatch(
    /^False PortMismatch: container\.portMappings\[0\]: no tcp port of its EndpointSlices has the name http/,
  );
  expect(await condition('none', 'ResolvedRefs')).toBe('True ResolvedRefs');
  expect(await condition('none', 'Ready')).toMatch(/^False NoEndpoints: /);
  expect(await condition('named', 'Ready')).toBe(
    'False UnsupportedAddressType: EndpointSlice named-1 has addressType FQDN: only IPv4 and IPv6 addresses can be backends',
  );
});

test('what an app is warned of stands in its condition, and an id that no Marathon takes is not accepted', async () => {
  const twoForms = app('/warned', '/warned:80');
  const [mapping] = twoForms.container.portMappings;
  const other = { ...mapping, name: 'sctp', containerPort: 8_081, protocol: 'sctp' };
  await marathonApp('warned', { ...twoForms, container: { portMappings: [mapping, other] } });
  await expect(marathonApp('shouting', app('/Web Server', '/web:80'))).rejects.toThrow(/422 .*spec\.app\.id/);
  await expect(
    marathonApp('badname', app('/web', '/web:80'), { endpoints: { service: 'My_Service' } }),
  ).rejects.toThrow(/422 .*spec\.endpoints\.service/);
  const writing = writer('one');
  writing.passed(await pass());
  await until('it is told', async () => (await status('warned')).conditions !== undefined);
  expect(await condition('warned', 'Accepted')).toMatch(
    /^True Accepted: container\.portMappings\[1\]: no VIP for protocol "sctp"/,
  );
});

test('a pass that began before a change was known does not pass for what the change has brought', async () => {
  await marathonApp('first', app('/first'));
  const writing = writer('one');
  writing.passed(await pass({ over: { startedAt: clock.monotonic() } }));
  await until('it leads', async () => (await status('first')).conditions !== undefined);
  await marathonApp('web', app('/web', '/web:80'));
  await slice('web-1', 'web', HTTP, [{ address: '10.1.0.1' }]);
  await clock.sleep(2_000);
  expect(await status('web')).toEqual({});
  const over = { startedAt: clock.monotonic() };
  writing.passed(await pass({ over }));
  await until('it is written', async () => (await status('web')).vip !== undefined);
  expect(await condition('web', 'Programmed')).toBe('True Programmed');
});

test('what is wrong is told: in conditions, and once as an event', async () => {
  await marathonApp('bad', app('/bad', 'nocolon'));
  await marathonApp('empty', app('/empty', '/empty:80'));
  for (const name of ['bad', 'empty']) await slice(`${name}-1`, name, HTTP, []);
  await marathonApp('taken', app('/taken', '10.99.0.1:80'));
  await slice('taken-1', 'taken', HTTP, [{ address: '10.1.0.3' }]);
  const writing = writer('one');
  const { desired } = await pass();
  writing.passed(passOf({ desired, foreign: true }));
  await until('all are written', async () => (await condition('taken', 'Programmed')).startsWith('False'));

  expect(await condition('bad', 'Accepted')).toMatch(
    /^False Rejected: container\.portMappings\[0\]\.labels\.VIP_0 "nocolon": expected /,
  );
  expect(await condition('empty', 'Programmed')).toMatch(
    /^False NoEndpoints: no endpoint yet: empty\.marathon/,
  );
  expect(await condition('taken', 'Programmed')).toMatch(/^False Conflict: tcp\/10\.99\.0\.1:80: /);
  await until('there are events', async () => (await listEvents()).length >= 2);
  writing.passed(await pass({ foreign: true }));
  await clock.sleep(15_000);
  const events = await listEvents();
  expect(events.map(({ regarding, reason }) => `${regarding?.name} ${reason}`).sort()).toEqual([
    'bad Rejected',
    'taken Conflict',
  ]);
});

test('the younger of two objects of one app is told that it does not count', async () => {
  await marathonApp('first', app('/web', '/web:80'));
  await clock.sleep(11_000);
  await marathonApp('second', app('/web', '/web:80'));
  const writing = writer('one');
  writing.passed(await pass());
  await until('it is told', async () => (await condition('second', 'Accepted')).startsWith('False'));
  expect(await condition('second', 'Accepted')).toMatch(
    /^False Conflict: this id in MarathonApp .*\/second was given before/,
  );
  expect(await condition('first', 'Accepted')).toBe('True Accepted');
});

test('a status that says the same is not written again', async () => {
  await marathonApp('web', app('/web', '/web:80'));
  const writing = writer('one');
  writing.passed(await pass());
  await until('all is written that the writer learns at its start', async () =>
    (await condition('web', 'ResolvedRefs')).startsWith('False'),
  );
  await clock.sleep(15_000);
  const { metadata } = await get(MARATHON_APPS, 'web');
  for (let i = 0; i < 3; i += 1) writing.passed(await pass());
  await clock.sleep(15_000);
  expect((await get(MARATHON_APPS, 'web')).metadata.resourceVersion).toBe(metadata.resourceVersion);
});

test('one of two controllers writes; when it stops the other one does', async () => {
  await marathonApp('web', app('/web', '/web:80'));
  const stop = new AbortController();
  const first = new StatusWriter({
    client,
    clock,
    log: silent,
    namespace,
    identity: 'first',
    random: Math.random,
    references: referencesFollowed(),
  });
  const running = first.run(stop.signal);
  const holder = async () =>
    (await client
      .call(
        'GET',
        objectPath(LEASES, { namespace: client.namespace, name: 'marathon-ipvs-status' }),
        {},
        never,
      )
      .catch(() => null)) as {
      spec: { holderIdentity: string };
    } | null;
  await until('the first leads', async () => (await holder())?.spec.holderIdentity === 'first');
  const second = writer('second');
  second.passed(await pass());
  await clock.sleep(20_000);
  expect((await holder())?.spec.holderIdentity).toBe('first');
  expect(await status('web')).toEqual({});

  stop.abort();
  await running;
  await until('the second leads', async () => (await holder())?.spec.holderIdentity === 'second');
  await until('it writes', async () => (await status('web')).conditions !== undefined);
});
