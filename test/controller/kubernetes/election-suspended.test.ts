import { expect, test } from '@jest/globals';
import type { KubernetesClient } from '../../../controller/kubernetes/client.ts';
import { elect } from '../../../controller/kubernetes/election.ts';
import { clientOf, never, startServer } from '../source/kubernetes/setup.ts';
import { silent } from '../source/support.ts';

test.each([
  ['stopped', 10_000, 0],
  ['asleep with its machine, whose monotonic clock stands still', 0, 3_600_000],
])(
  'a leader that was %s writes nothing once its lease may have run out, until it is renewed',
  async (_, ms, step) => {
    const server = await startServer();
    const client = await clientOf(server);
    const stop = new AbortController();
    // Only a suspended process has clocks that went on while no timer did.
    const clock = {
      passed: 0,
      stepped: 0,
      monotonic: () => clock.passed,
      epoch: () => 1e12 + clock.stepped,
      sleep,
    };
    async function sleep(_ms: number, signal?: AbortSignal): Promise<void> {
      if (signal?.aborted !== true)
        await new Promise((resolve) => signal?.addEventListener('abort', resolve));
    }
    const path = '/apis/marathon-ipvs.io/v1alpha1/namespaces/default/marathonapps';
    const options = { client, clock, log: silent, namespace: 'default', name: 'lease', identity: 'me' };
    const sent = () =>
      server.requests.filter(({ method, path: to }) => method === 'POST' && to === path).length;
    const elected = Promise.withResolvers<KubernetesClient>();
    const lead = async (signal: AbortSignal, writing: KubernetesClient) => {
      elected.resolve(writing);
      await sleep(0, signal);
    };
    const electing = elect({ ...options, random: Math.random }, lead, stop.signal);
    try {
      const writing = await elected.promise;
      const write = () => writing.call('POST', path, { body: {} }, never);
      await expect(write()).rejects.toThrow(/answered 4/);
      expect(sent()).toBe(1);
      Object.assign(clock, { passed: ms, stepped: step });
      await expect(write()).rejects.toThrow('not written: the lease was not renewed in time');
      expect(sent()).toBe(1);
      await expect(writing.call('GET', path, {}, never)).resolves.toBeDefined();
    } finally {
      stop.abort();
      await electing;
    }
  },
);
