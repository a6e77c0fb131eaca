import { beforeEach, describe, expect, test } from '@jest/globals';
import { createServerAddresses, type ServerAddresses } from '../../../controller/apply/server-addresses.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const URL_BY_NAME = 'http://marathon.test:8080';

let clock: FakeClock;
let urls: string[];
/** What the name server answers next; null: it does not answer, 'refused': it fails. */
let answer: readonly string[] | 'refused' | null;
let asked: string[];
let servers: ServerAddresses;

beforeEach(() => {
  clock = new FakeClock();
  urls = [URL_BY_NAME];
  answer = ['10.77.0.9'];
  asked = [];
  const nothing = () => undefined;
  servers = createServerAddresses({
    urls: () => urls,
    clock,
    log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    lookup: async (host) => {
      asked.push(host);
      if (answer === 'refused') throw new Error('SERVFAIL');
      return answer ?? (await new Promise<never>(() => undefined));
    },
  });
});

const addresses = () => [...servers.current().keys()];

/** Lets time pass while somebody asks every second, as the loop does. */
async function pass(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    addresses();
    await clock.advance(1_000);
  }
}

test('a server that is given by its address is known at once, and no name server is asked', async () => {
  urls = ['http://10.0.0.1:8080', 'https://[FD01:0::1]:5050'];
  await servers.ready();
  expect([...servers.current()]).toEqual([
    ['10.0.0.1', 'http://10.0.0.1:8080'],
    ['fd01::1', 'https://[FD01:0::1]:5050'],
  ]);
  expect(asked).toEqual([]);
});

test('a server that is given by name is known once that was answered, by all addresses of both families', async () => {
  answer = ['10.77.0.9', 'FD01:0::9', '10.77.0.10'];
  await servers.ready();
  expect([...servers.current()]).toEqual([
    ['10.77.0.9', URL_BY_NAME],
    ['fd01::9', URL_BY_NAME],
    ['10.77.0.10', URL_BY_NAME],
  ]);
});

test('a server that moves is found where it is now, and no VIP may have its old address for ten minutes', async () => {
  await servers.ready();
  answer = ['10.77.0.20'];
  await pass(40);
  expect(addresses().sort()).toEqual(['10.77.0.20', '10.77.0.9']);
  await pass(640);
  expect(addresses()).toEqual(['10.77.0.20']);
});

test('answers that tell other addresses each time take none away', async () => {
  await servers.ready();
  for (let round = 0; round < 40; round += 1) {
    answer = [round % 2 === 0 ? '10.77.0.20' : '10.77.0.9'];
    await pass(31);
    expect(addresses()).toContain('10.77.0.9');
  }
});

test('while the name server fails, the last known addresses stay', async () => {
  await servers.ready();
  answer = 'refused';
  await pass(7_200);
  expect(addresses()).toEqual(['10.77.0.9']);
});

test('a name is not asked for more often than every 30 s, and every 5 s after a failure', async () => {
  await servers.ready();
  await pass(29);
  expect(asked).toHaveLength(1);
  answer = 'refused';
  await pass(12);
  expect(asked).toHaveLength(4);
});

test('a leader that is learnt later is looked up too', async () => {
  await servers.ready();
  urls = [URL_BY_NAME, 'http://leader.test:8080'];
  answer = ['10.77.0.10'];
  await pass(1);
  expect(servers.current().get('10.77.0.10')).toBe('http://leader.test:8080');
});

describe('before the first answer', () => {
  const readyAfter = async (ms: number): Promise<boolean> => {
    let ready = false;
    void servers.ready().then(() => {
      ready = true;
    });
    await clock.advance(ms);
    return ready;
  };

  test('one waits for it, and for 5 s at most', async () => {
    answer = null;
    expect(await readyAfter(4_900)).toBe(false);
    expect(await readyAfter(5_000)).toBe(true);
    expect(await readyAfter(0)).toBe(true);
    expect(asked).toHaveLength(1);
  });

  test('a failure is an answer', async () => {
    answer = 'refused';
    expect(await readyAfter(0)).toBe(true);
    expect(addresses()).toEqual([]);
  });
});
