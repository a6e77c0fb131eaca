import { afterEach, expect, test } from '@jest/globals';
import type { WhyDocument } from '../../../controller/why/document.ts';
import { Serving } from './serving.ts';

let serving: Serving;
afterEach(() => serving.close());

const WORKS: WhyDocument = {
  ...{ apiVersion: 'marathon-ipvs/v1', at: '2026-01-01T00:00:00.000Z', asked: 'web', from: 'controller' },
  ...{ client: null, namespace: null, verdict: 'works', ways: [] },
};

test('traces a connection to the requested VIP', async () => {
  serving = await Serving.start({
    explain: async ({ name, port }) => ({ ...WORKS, asked: `${name} ${port}` }),
  });
  const { status, body } = await serving.get('/v1/why?vip=web:80');
  expect({ status, asked: JSON.parse(body).asked }).toEqual({ status: 200, asked: 'web 80' });
});

test('runs one trace at a time, since each opens connections', async () => {
  const begun = Promise.withResolvers<void>();
  const end = Promise.withResolvers<WhyDocument>();
  serving = await Serving.start({
    explain: () => {
      begun.resolve();
      return end.promise;
    },
  });
  const first = serving.get('/v1/why?vip=web');
  await begun.promise;
  expect(await serving.get('/v1/why?vip=web')).toMatchObject({
    status: 503,
    headers: { 'retry-after': '5' },
  });
  end.resolve(WORKS);
  expect((await first).status).toBe(200);
  expect((await serving.get('/v1/why?vip=web')).status).toBe(200);
});

test('refuses a text that cannot name a VIP with what is expected, and reports a trace that fails', async () => {
  serving = await Serving.start({ explain: () => Promise.reject(new Error('it took too long')) });
  for (const query of ['', '?vip=', '?vip=*', '?vip=web:x']) {
    expect(await serving.get(`/v1/why${query}`)).toMatchObject({
      status: 400,
      body: expect.stringContaining('NAME[:PORT]'),
    });
  }
  expect(await serving.get('/v1/why?vip=web')).toMatchObject({
    status: 503,
    body: expect.stringContaining('too long'),
  });
});

test('says if tracing is disabled', async () => {
  serving = await Serving.start();
  expect((await serving.get('/v1/why?vip=web')).status).toBe(503);
});
