import { expect, test } from '@jest/globals';
import type { Service } from '../../../controller/model/service.ts';
import { vipsView } from '../../../controller/status/vips-view.ts';
import { backend, service } from '../../support/builders.ts';
import { desiredOf, observedService, tableOf } from '../../support/observed.ts';
import { passOf } from './passes.ts';

function view(...services: readonly Service[]) {
  return vipsView(passOf({ desired: desiredOf(...services) }));
}

test('a named VIP and an IP VIP have the keys that dcos-net gave them', () => {
  const named = service('11.134.217.55', 5_555, [backend('10.0.0.1', 31_000)], { name: 'my-service' });
  const literal = service('1.2.3.4', 80, [backend('10.0.0.1', 31_001)]);
  expect(JSON.stringify(view(named, literal))).toBe(
    '[{"vip":"1.2.3.4:80","protocol":"tcp","backend":[{"ip":"10.0.0.1","port":31001}]},' +
      '{"vip":"my-service.marathon.l4lb.thisdcos.directory:5555","protocol":"tcp","backend":[{"ip":"10.0.0.1","port":31000}]}]',
  );
});

test('an IPv6 VIP is written without brackets', () => {
  expect(view(service('fd01:c::1', 8_080))).toMatchObject([{ vip: 'fd01:c::1:8080' }]);
});

test('both families of a name are one VIP, both protocols are two', () => {
  const four = service('11.0.0.1', 53, [backend('10.0.0.1', 1)], { name: 'dns' });
  const six = service('fd01:c::1', 53, [backend('fd00::1', 1)], { name: 'dns' });
  const udp = service('11.0.0.1', 53, [backend('10.0.0.1', 1)], { name: 'dns', protocol: 'udp' });
  expect(view(six, udp, four)).toMatchObject([
    { protocol: 'tcp', backend: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }] },
    { protocol: 'udp', backend: [{ ip: '10.0.0.1' }] },
  ]);
});

test("a VIP in conflict with another program's service is left out", () => {
  const taken = service('1.2.3.4', 80, [backend('10.0.0.1', 31_001)]);
  const observed = tableOf(observedService(taken, { scheduler: 'rr' }));
  expect(vipsView(passOf({ desired: desiredOf(taken), observed, foreign: true }))).toEqual([]);
});

test('the same VIPs give the same text in whatever order', () => {
  const one = service('1.2.3.4', 80, [backend('10.0.0.1', 1), backend('10.0.0.2', 1)]);
  const same = service('1.2.3.4', 80, [backend('10.0.0.2', 1), backend('10.0.0.1', 1)]);
  const two = service('1.2.3.5', 80, [backend('10.0.0.1', 1)]);
  expect(view(one, two)).toEqual(view(two, same));
});

test('a container of this host is listed as other hosts reach it, as it was in DC/OS', () => {
  const local = backend('172.17.0.2', 80, { hostPort: { address: '10.0.0.1', port: 31_000 } });
  expect(view(service('1.2.3.4', 80, [local]))).toMatchObject([
    { backend: [{ ip: '10.0.0.1', port: 31_000 }] },
  ]);
});
