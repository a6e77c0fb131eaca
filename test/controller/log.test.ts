import { spawnSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import { createLog, type LogLevel } from '../../controller/log.ts';

/** What a log of this level writes, line by line. */
function written(write: (log: ReturnType<typeof createLog>) => void, level: LogLevel = 'debug') {
  const lines: string[] = [];
  write(createLog(level, { write: (line) => lines.push(line) }));
  return lines.map((line) => {
    expect(line).toMatch(/^\{[^\n]*\}\n$/);
    return JSON.parse(line) as Record<string, unknown>;
  });
}

test('a line has the time, the level, the message and the fields', () => {
  const [line] = written((log) => log.warn('step failed', { step: '-A', tries: 3 }));
  expect(line).toEqual({
    level: 'warn',
    time: expect.stringMatching(/^\d{4}-.*Z$/),
    step: '-A',
    tries: 3,
    msg: 'step failed',
  });
});

test('what is below the level is not written', () => {
  const lines = written((log) => {
    log.debug('a');
    log.info('b');
    log.warn('c');
    log.error('d');
  }, 'warn');
  expect(lines.map(({ msg }) => msg)).toEqual(['c', 'd']);
});

test('an error keeps its code and the messages of its causes', () => {
  const cause = Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:8080'), { code: 'ECONNREFUSED' });
  const error = new Error('GET /v2/apps', { cause });
  const [line] = written((log) => log.error('x', { error, nested: { cause } }));
  expect(line).toMatchObject({
    error: {
      type: 'Error',
      message: 'GET /v2/apps: connect ECONNREFUSED 10.0.0.1:8080',
      stack: expect.stringMatching(/^ +at /),
    },
    nested: { cause: { code: 'ECONNREFUSED' } },
  });
});

test('values that JSON does not know are written too', () => {
  const round: Record<string, unknown> = {};
  round['round'] = round;
  const [line] = written((log) =>
    log.info('x', {
      big: 2n ** 64n,
      map: new Map([['a', 1n]]),
      set: new Set(['b']),
      at: new Date(0),
      none: undefined,
      round,
    }),
  );
  expect(line).toMatchObject({
    big: '18446744073709551616',
    map: [['a', '1']],
    set: ['b'],
    at: '1970-01-01T00:00:00.000Z',
  });
});

test('a field called as one of our own does not hide it', () => {
  const [line] = written((log) => log.info('x', { time: 1, level: 'y', msg: 'z' }));
  expect(line).toMatchObject({ level: 'info', msg: 'x', time_: 1, level_: 'y', msg_: 'z' });
});

describe('no secret is written', () => {
  test.each<[string, Record<string, unknown>]>([
    [
      'by the name of its field',
      { password: 'hunter2', headers: { Authorization: 'hunter2', 'set-cookie': 'hunter2' } },
    ],
    ['in a URL', { url: 'http://admin:hunter2@m:8080/v2/apps', list: ['https://hunter2@m'] }],
    ['in a header as text', { header: 'authorization: Basic aHVudGVyMg==hunter2' }],
    ['in a DC/OS header', { header: 'token=hunter2hunter2' }],
    [
      'in an error',
      { error: new Error('GET http://a:hunter2@m', { cause: new Error('token=hunter2hunter2') }) },
    ],
    [
      'in the code of an error',
      { error: Object.assign(new Error('x'), { stack: 'Error: http://a:hunter2@m\n    at f' }) },
    ],
  ])('%s', (_name, fields) => {
    expect(JSON.stringify(written((log) => log.info('x', fields)))).not.toContain('hunter2');
  });

  test('while the path of a file and its line survive', () => {
    const stack = 'Error: x\n    at f (file:///app/node_modules/@scope/name/index.js:1:2)';
    const [line] = written((log) =>
      log.info('x', { error: Object.assign(new Error('x'), { stack }), tokenFile: null }),
    );
    expect(line).toMatchObject({
      error: { stack: '    at f (file:///app/node_modules/@scope/name/index.js:1:2)' },
    });
  });
});

test('nobody reading standard error any more does not end the process', () => {
  const script = `
    const { createLog } = await import('./controller/log.ts');
    const log = createLog('info');
    for (let i = 0; i < 2000; i++) log.info('x', { filling: 'y'.repeat(200) });
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (let i = 0; i < 2000; i++) log.info('x', { filling: 'y'.repeat(200) });
    await new Promise((resolve) => setTimeout(resolve, 50));
    process.stdout.write('still here');`;
  const command = `"$0" --input-type=module --conditions=ipvs-source -e "$1" 2> >(head -c 1 > /dev/null)`;
  const { stdout } = spawnSync('bash', ['--norc', '-c', command, process.execPath, script], {
    cwd: new URL('../..', import.meta.url),
    encoding: 'utf8',
  });
  expect(stdout).toBe('still here');
});
