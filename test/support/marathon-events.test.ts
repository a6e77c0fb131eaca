import { describe, expect, test } from '@jest/globals';
import type { TestMarathon } from './marathon/start-marathon.ts';
import { call, SIMULATED, start, tryParse, until } from './marathon-harness.ts';

describe('the event stream', () => {
  async function follow(marathon: TestMarathon, query = '', url = marathon.url) {
    const abort = new AbortController();
    const headers = { accept: 'text/event-stream' };
    const response = await fetch(`${url}/v2/events${query}`, {
      headers,
      signal: abort.signal,
      redirect: 'manual',
    });
    const seen = { response, text: '', ended: false, stop: () => abort.abort() };
    void (async () => {
      const decoder = new TextDecoder();
      for await (const chunk of response.body ?? []) seen.text += decoder.decode(chunk, { stream: true });
    })()
      .catch(() => {})
      .finally(() => (seen.ended = true));
    return seen;
  }

  const typesIn = (text: string) => [...text.matchAll(/^event: (\w+)\r?$/gm)].map(([, type]) => type);

  test('it begins with event_stream_attached, and an app starts in this order', async () => {
    const marathon = await start({ processes: false });
    const stream = await follow(marathon);
    await marathon.addApp({ ...SIMULATED, instances: 1 });
    await until(() => stream.text.includes('event: deployment_success'));
    stream.stop();
    expect(typesIn(stream.text)).toEqual([
      'event_stream_attached',
      'api_post_event',
      'group_change_success',
      'deployment_info',
      'deployment_step_success',
      'deployment_info',
      ...['status_update_event', 'instance_changed_event'], // TASK_STAGING
      ...['status_update_event', 'instance_changed_event'], // TASK_RUNNING
      'deployment_step_success',
      'deployment_success',
    ]);
    const [, data = ''] = /event: status_update_event\r\ndata: (.*)\r\n\r\n/.exec(stream.text) ?? [];
    expect(JSON.parse(data)).toMatchObject({
      eventType: 'status_update_event',
      appId: '/my-service',
      taskStatus: 'TASK_STAGING',
    });
  });

  test('it carries only the types that were asked for, and light plans have no groups', async () => {
    const marathon = await start({ processes: false, lightPlans: false });
    const light = await follow(
      marathon,
      '?event_type=deployment_success&event_type=api_post_event&plan-format=light',
    );
    const full = await follow(marathon, '?event_type=deployment_success');
    await marathon.addApp(SIMULATED);
    await until(() => full.text.includes('deployment_success') && light.text.includes('deployment_success'));
    expect(typesIn(light.text)).toEqual(['api_post_event', 'deployment_success']);
    expect(light.text).not.toContain('"original"');
    expect(full.text).toContain('"original"');
  });

  test('without the header that asks for a stream it is refused with 405', async () => {
    const marathon = await start();
    expect((await call(marathon, 'GET', '/v2/events')).status).toBe(405);
  });

  test('bare new lines keep it alive; a silent stream has none and a muted one has nothing else', async () => {
    const marathon = await start({ processes: false, keepAliveMs: 10 });
    const stream = await follow(marathon);
    await until(() => stream.text.endsWith('\r\n\r\n\r\n'));

    marathon.streamFaults.muted = true;
    await marathon.addApp(SIMULATED);
    const muted = stream.text.length;
    await until(() => stream.text.length > muted);
    expect(typesIn(stream.text)).toEqual(['event_stream_attached']);

    marathon.streamFaults.silent = true;
    const silent = stream.text.length;
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(stream.text.length - silent).toBeLessThanOrEqual(2);
    expect(stream.ended).toBe(false);
  });
});

describe('what goes wrong', () => {
  test('a change of leader ends the streams, forgets health and sends listeners to the new one', async () => {
    const marathon = await start({ processes: false, masters: 2 });
    const healthChecks = [{ protocol: 'COMMAND', command: { value: 'true' } }];
    await marathon.addApp({ ...SIMULATED, healthChecks });
    expect(marathon.tasks()[0]).toHaveProperty('healthCheckResults');
    const [first = '', second = ''] = marathon.urls;

    const headers = { accept: 'text/event-stream' };
    const standby = await fetch(`${second}/v2/events`, { headers, redirect: 'manual' });
    expect([standby.status, standby.headers.get('location')]).toEqual([302, `${first}/v2/events`]);
    expect((await fetch(`${second}/v2/apps`)).headers.get('x-marathon-via')).toBeTruthy();

    const stream = await fetch(`${first}/v2/events`, { headers });
    const ended = stream.text().catch(() => 'ended');
    marathon.elect(Number.POSITIVE_INFINITY);
    expect(await ended).toBe('ended');
    const during = await fetch(`${first}/v2/apps`);
    expect([during.status, await during.text()]).toEqual([502, 'Could not determine the current leader']);
    expect(marathon.tasks()[0]).not.toHaveProperty('healthCheckResults');

    marathon.endElection();
    const after = await fetch(`${first}/v2/events`, { headers, redirect: 'manual' });
    expect([after.status, after.headers.get('location')]).toEqual([302, `${second}/v2/events`]);
  });

  test('requests fail as often as asked, below the path that was named', async () => {
    const marathon = await start();
    marathon.faults.fail(2, 503, '/v2/apps');
    expect((await call(marathon, 'GET', '/v2/info')).status).toBe(200);
    const statuses = [1, 2, 3].map(async () => (await call(marathon, 'GET', '/v2/apps')).status);
    expect((await Promise.all(statuses)).sort()).toEqual([200, 503, 503]);
  });

  test.each([
    ['truncated', /^\{"ap/],
    ['empty', /^$/],
    ['not-json', /^<html>/],
    ['empty-object', /^\{\}$/],
  ] as const)('a body can be %s', async (body, expected) => {
    const marathon = await start();
    marathon.faults.damage(1, body);
    const { status, text } = await call(marathon, 'GET', '/v2/apps');
    expect(status).toBe(200);
    expect(text).toMatch(expected);
    if (body !== 'empty-object') expect(tryParse(text)).toBeUndefined();
  });

  test('a connection can end in the middle of a body', async () => {
    const marathon = await start();
    marathon.faults.damage(1, 'cut');
    await expect(call(marathon, 'GET', '/v2/apps')).rejects.toThrow();
  });

  test('basic authentication and the token of DC/OS are asked for', async () => {
    const marathon = await start({ credentials: { basic: 'user:secret' } });
    expect((await call(marathon, 'GET', '/v2/apps')).status).toBe(401);
    const authorization = `Basic ${Buffer.from('user:secret').toString('base64')}`;
    expect((await fetch(`${marathon.url}/v2/apps`, { headers: { authorization } })).status).toBe(200);
  });

  test('all masters can go down and come back where they were; tasks run on', async () => {
    const marathon = await start({ processes: false, masters: 2 });
    await marathon.addApp(SIMULATED);
    const stream = await fetch(`${marathon.url}/v2/events`, { headers: { accept: 'text/event-stream' } });
    const ended = stream.text().catch(() => 'ended');
    await marathon.goDown();
    expect(await ended).toBe('ended');
    for (const url of marathon.urls) await expect(fetch(`${url}/v2/apps`)).rejects.toThrow();

    await marathon.comeBack();
    for (const url of marathon.urls) expect((await fetch(`${url}/v2/info`)).status).toBe(200);
    expect(marathon.tasks()).toMatchObject([{ state: 'TASK_RUNNING' }]);
  });

  test('health results can be withheld, and come again afterwards', async () => {
    const marathon = await start();
    const healthChecks = [{ protocol: 'COMMAND', command: { value: 'true' }, intervalSeconds: 0.05 }];
    await marathon.addApp({ ...SIMULATED, cmd: 'sleep 1000', container: null, healthChecks });
    expect(marathon.tasks()[0]).toMatchObject({ healthCheckResults: [{ alive: true }] });
    marathon.withholdHealth(true);
    marathon.elect();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(marathon.tasks()[0]).not.toHaveProperty('healthCheckResults');
    marathon.withholdHealth(false);
    await marathon.nextEvent('health_status_changed_event');
    expect(marathon.tasks()[0]).toMatchObject({ healthCheckResults: [{ alive: true }] });
  });

  test('a test in another process has the same in /control, and requests there are not counted', async () => {
    const marathon = await start({ processes: false });
    await marathon.addApp(SIMULATED);
    const [task] = marathon.tasks();
    await call(marathon, 'POST', '/control/fail', { count: 1, status: 500 });
    expect((await call(marathon, 'GET', '/v2/apps')).status).toBe(500);
    await call(marathon, 'POST', `/control/tasks/${task?.['id']}`, { state: 'TASK_UNREACHABLE' });
    expect(marathon.tasks()[0]).toMatchObject({ state: 'TASK_UNREACHABLE' });
    expect((await call(marathon, 'GET', '/control/requests')).json).toMatchObject([
      { method: 'GET', url: '/v2/apps' },
    ]);
  });
});
