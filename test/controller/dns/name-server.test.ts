import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import dnsPacket from 'dns-packet';
import { NameServer } from '../../../controller/dns/name-server.ts';
import { type Service, serviceKey } from '../../../controller/model/service.ts';
import { backend, service } from '../../support/builders.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { World } from '../../support/world.ts';
import { lines, OPTIONS, question, WEB, ZONE } from './asking.ts';
import { Meter, overUdp, until } from './serving.ts';

let world: World;
let names: NameServer;
let published: ReadonlySet<string>;
let clock: FakeClock;
beforeEach(() => {
  clock = new FakeClock();
  world = new World(clock);
  names = start();
});

/** A name server that has just started, at this address of the host. */
function start(address = '127.0.0.1'): NameServer {
  published = new Set();
  const { log, store } = world;
  const { pools, ttlSeconds } = OPTIONS;
  const listen = [{ address, port: 0 }];
  return new NameServer({
    listen,
    zones: [ZONE],
    pools,
    ttlSeconds,
    meter: new Meter(),
    store,
    log,
    clock,
  });
}
afterEach(() => names.close());

const web = service('11.0.0.1', 80, [backend('10.0.0.1', 80)], { name: 'web' });

/** Publishes exactly these services. */
function publish(...services: readonly Service[]): readonly string[] {
  const changes = new Map<string, Service | null>([...published].map((key) => [key, null]));
  for (const each of services) changes.set(serviceKey(each), each);
  published = new Set(services.map(serviceKey));
  return names.publish(changes);
}

async function ask(name: string, type: 'A' | 'SOA' = 'A'): Promise<string[]> {
  await until(() => names.bound().length > 0);
  const port = Number(names.bound()[0]?.split(':').at(-1));
  const [reply] = await overUdp([question(name, { type })], { port });
  if (reply === undefined) throw new Error('no reply');
  return lines(dnsPacket.decode(reply).answers);
}

async function serial(): Promise<number> {
  const [soa = ''] = await ask(ZONE, 'SOA');
  return Number(soa.split(' ').at(-5));
}

describe('the names of forwarding services', () => {
  test('no query is answered before the first update: clients would cache "no such name"', async () => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(names.bound()).toEqual([]);
    expect(publish(web)).toEqual([]);
    expect(await ask(WEB)).toEqual([`${WEB} A 11.0.0.1`]);
  });

  test('a name comes and goes with its VIP, from one query to the next', async () => {
    publish();
    expect(await ask(WEB)).toEqual([]);
    publish(web);
    expect(await ask(WEB)).toEqual([`${WEB} A 11.0.0.1`]);
    publish();
    expect(await ask(WEB)).toEqual([]);
  });

  test('the serial of the zone grows with every change of names, and only then', async () => {
    publish(web);
    const first = await serial();
    publish({ ...web, backends: new Map() });
    expect(await serial()).toBe(first);
    publish(web, service('11.0.0.1', 443, [], { name: 'web' }));
    expect(await serial()).toBe(first + 1);
    publish({ ...web, fqdn: `other.marathon.${ZONE}` }, service('11.0.0.1', 443, [], { name: 'web' }));
    expect(await serial()).toBe(first + 2);
  });

  test('the serial does not go back when the program is restarted with the clock set back', async () => {
    publish(web);
    publish();
    const before = await serial();
    await names.close();
    clock.step(-86_400_000);
    names = start();
    publish(web);
    expect(await serial()).toBeGreaterThan(before);
  });

  test('a disk that never answers delays the first answers only by some seconds', async () => {
    await names.close();
    world.store.loadSerial = () => clock.sleep(3_000).then(() => null);
    world.store.saveSerial = () => new Promise(() => {});
    names = start();
    publish(web);
    await clock.advance(3_000);
    expect(names.bound()).toEqual([]);
    await clock.advance(1_000);
    expect(await ask(WEB)).toEqual([`${WEB} A 11.0.0.1`]);
    publish();
    expect(await ask(WEB)).toEqual([]);
  });

  test('an address that cannot be bound is reported as long as that is so', async () => {
    const nowhere = start('192.0.2.77');
    expect(nowhere.publish(new Map())).toEqual([]);
    await until(() => nowhere.publish(new Map()).length > 0);
    expect(nowhere.publish(new Map())).toEqual([
      '--dns-listen 192.0.2.77:0: this host has no address 192.0.2.77',
    ]);
    await nowhere.close();
  });
});
