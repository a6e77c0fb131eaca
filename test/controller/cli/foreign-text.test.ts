/** Whatever text an app, a master or an API server brings along: no command, no answer over HTTP and no log obeys it. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { doctorDocument } from '../../../controller/doctor/document.ts';
import { examine } from '../../../controller/doctor/examine.ts';
import { doctorText } from '../../../controller/doctor/print-text.ts';
import { createLog } from '../../../controller/log.ts';
import { toText } from '../../../controller/plan/print-text.ts';
import { checksText } from '../../../controller/status/checks-text.ts';
import { statusDocument } from '../../../controller/status/document.ts';
import { statusText, vipsText, wideText } from '../../../controller/status/print-text.ts';
import { reportOf } from '../../../controller/status/report.ts';
import { painter } from '../../../controller/text/table.ts';
import { ALL_HOSTILE, expectHarmless, HOSTILE, poisoned } from '../../support/hostile-text.ts';
import { desiredOf } from '../../support/observed.ts';
import { command } from '../../support/shell.ts';
import { Serving } from '../api/serving.ts';
import { healthy } from '../doctor/healthy.ts';
import { DB, passOf, WEB } from '../status/passes.ts';
import { documentOf } from '../status/status-world.ts';

const ROOT = join(import.meta.dirname, '../../..');
const rejection = { app: '/bad', at: 'labels', value: 'value', reason: 'expected NAME:PORT' };

describe('every text of a document', () => {
  const pass = passOf({
    desired: { ...desiredOf(WEB, DB), rejected: [rejection], warnings: ['two labels'] },
    over: { failures: [], advice: ['advice'], problems: ['problem'] },
  });
  const layouts = [true, false].map((colour) => ({ width: 100, paint: painter(colour) }));

  test('of status does no harm in any format, and adds no line', () => {
    const clean = documentOf(pass);
    const hostile = poisoned(clean, (document) => statusDocument.safeParse(document).success);
    expect(JSON.stringify(hostile)).toContain('FORGED');
    for (const layout of layouts) {
      for (const text of [statusText, wideText, vipsText]) {
        expectHarmless(text(hostile, layout));
        expect(text(hostile, layout).split('\n')).toHaveLength(text(clean, layout).split('\n').length);
      }
    }
  });

  test('of a diff does no harm, and adds no line', () => {
    const report = reportOf(passOf({ desired: pass.desired, before: new Map() }));
    const free = { ...report, plan: { ...report.plan } };
    const hostile = {
      ...free,
      plan: {
        ...report.plan,
        services: poisoned(report.plan.services, (services) =>
          (services as typeof report.plan.services).every(
            ({ op, backends }, at) =>
              op === report.plan.services[at]?.op &&
              backends.every((one, index) => one.op === report.plan.services[at]?.backends[index]?.op),
          ),
        ),
      },
      rejected: poisoned(report.rejected, () => true),
      warnings: poisoned(report.warnings, () => true),
    };
    for (const colour of [true, false]) {
      const text = toText(hostile, painter(colour));
      expectHarmless(text);
      expect(text.split('\n')).toHaveLength(toText(report, painter(colour)).split('\n').length);
    }
  });

  test('of doctor does no harm, and adds no line', () => {
    const clean = examine({ ...healthy, kernelRelease: '6.1' }, 0);
    const hostile = poisoned(clean, (document) => doctorDocument.safeParse(document).success);
    for (const layout of layouts) {
      expectHarmless(doctorText(hostile, layout));
      expect(doctorText(hostile, layout).split('\n')).toHaveLength(
        doctorText(clean, layout).split('\n').length,
      );
    }
  });

  test('of health checks does no harm, and adds no line', () => {
    const checks = [{ name: `source${ALL_HOSTILE}`, ok: false, message: ALL_HOSTILE }];
    const { text } = checksText('readyz', checks, { exclude: [ALL_HOSTILE], verbose: true });
    expectHarmless(text);
    expect(text.split('\n')).toHaveLength(3);
  });

  test('of a log line does no harm, and the line stays JSON', () => {
    const lines: string[] = [];
    createLog('info', { write: (line) => lines.push(line) }).warn(`from ${ALL_HOSTILE}`, {
      app: ALL_HOSTILE,
      [`key${ALL_HOSTILE}`]: new Error(ALL_HOSTILE),
    });
    expect(lines).toHaveLength(1);
    expectHarmless(lines.join(''));
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ app: ALL_HOSTILE });
  });
});

describe('over HTTP', () => {
  test.each(['/v1/status', '/v1/diff', '/v1/vips', '/readyz?verbose', '/metrics', '/v1/history', '/no'])(
    '%s does no harm in the terminal of whoever asks with curl',
    async (path) => {
      const serving = await Serving.start();
      try {
        const web = { ...WEB, apps: [`/web${ALL_HOSTILE}`] };
        const desired = { ...desiredOf(web), rejected: poisoned([rejection], () => true) };
        serving.converge(passOf({ desired }));
        const { body } = await serving.get(path);
        expectHarmless(body);
      } finally {
        await serving.close();
      }
    },
  );
});

describe('a command, given a hostile file', () => {
  let directory: string;
  let file: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'foreign-text-'));
    file = join(directory, 'apps.json');
    const apps = HOSTILE.flatMap((text, at) => {
      const labels = { VIP_0: `/a${at}:80`, VIP_1: `no colon${text}`, [`VIP_${text}`]: text };
      const port = { port: 0, protocol: at % 2 === 0 ? 'tcp' : `p${text}`, labels, name: `port${text}` };
      const task = { id: `t${text}`, host: '10.0.0.5', ports: [31000], state: 'TASK_RUNNING' };
      return [
        { id: `/app${text}`, cmd: 'x', portDefinitions: [port], tasks: [task] },
        { id: `/scheduler${text}`, portDefinitions: [{ labels: { VIP_0: '/s:1', IPVS_SCHEDULER: text } }] },
        { id: `/wrong${text}`, portDefinitions: text },
        { [`no${text}`]: text },
      ];
    });
    await writeFile(file, JSON.stringify({ apps }));
  });
  afterAll(() => rm(directory, { recursive: true }));

  const marathonIpvs = async (...args: string[]) =>
    await command([join(ROOT, 'controller/marathon-ipvs'), ...args]);

  test.each([
    ['diff', '--against', 'none'],
    ['diff', '--against', 'none', '--color', 'always'],
    ['diff', '--against', 'none', '-o', 'ipvsadm'],
    ['connection', '-o', 'text'],
  ])('%s %s %s %s does no harm', async (...args) => {
    const { stdout, stderr } = await marathonIpvs(...args.filter(Boolean), '--source', `file=${file}`);
    expect(stdout).not.toBe('');
    expectHarmless(stdout + stderr);
  });

  test.each([
    ['diff', '--against', 'none', '-o', 'json'],
    ['connection', '', '', '-o', 'json'],
  ])('%s %s %s %s %s does no harm, and is JSON', async (...args) => {
    const { stdout, stderr } = await marathonIpvs(...args.filter(Boolean), '--source', `file=${file}`);
    expectHarmless(stdout + stderr);
    expect(JSON.parse(stdout)).toBeTruthy();
  });

  test.each([
    ['an unknown command', [`x${ALL_HOSTILE}`]],
    ['an unknown option', ['diff', `--x${ALL_HOSTILE}`]],
    ['a source that is not there', ['diff', '--source', `file=/no${ALL_HOSTILE.replaceAll('\0', '')}`]],
  ])('%s is told in one line that does no harm', async (_what, args) => {
    const { stderr, status } = await marathonIpvs(...args.map((arg) => arg.replaceAll('\0', '')));
    expectHarmless(stderr);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(status).toBe(2);
  });
});

describe('a command, given a hostile master', () => {
  test.each([
    [['diff', '--against', 'none'], '--source'],
    [['app', 'list'], '--marathon'],
    [['app', 'list', '-o', 'yaml'], '--marathon'],
    [['app', 'show', '/web'], '--marathon'],
    [['app', 'remove', '/web'], '--marathon'],
  ])('%j does no harm', async (args, option) => {
    for (const status of [200, 422]) {
      const server = createServer((request, response) => {
        const app = { id: `/web${ALL_HOSTILE}`, cmd: ALL_HOSTILE, deployments: [{ id: ALL_HOSTILE }] };
        const info = { name: 'x', version: '1.11', marathon_config: { framework_name: `m${ALL_HOSTILE}` } };
        const good = request.url?.startsWith('/v2/info') ? info : { apps: [app], app };
        const bad = { message: ALL_HOSTILE, details: [{ path: ALL_HOSTILE, errors: [ALL_HOSTILE] }] };
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(status === 200 ? good : bad));
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const where = option === '--source' ? `marathon=${url}` : url;
      try {
        const { stdout, stderr } = await command([
          join(ROOT, 'controller/marathon-ipvs'),
          ...args,
          option,
          where,
        ]);
        expectHarmless(stdout + stderr);
        if (args.includes('yaml') && status === 200) expect(parse(stdout)).toHaveLength(1);
      } finally {
        server.close();
        server.closeAllConnections();
      }
    }
  });
});
