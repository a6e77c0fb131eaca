import { describe, expect, test } from '@jest/globals';
import type { App } from '../../../controller/model/app.ts';
import type { Desired } from '../../../controller/model/desired.ts';
import { app, port, task, taskPort } from '../../support/builders.ts';
import { lines, passes } from './support.ts';

const AT = 'discovery.ports.ports[0]';
const INVALID = {
  app: '/web',
  at: `${AT}.labels.VIP_0`,
  value: 'web',
  reason: 'expected NAME:PORT or IP:PORT',
};

/** An app that its tasks make up, one of each label, the newest of which is the last one. */
function ofTasks(labels: readonly string[], what: Partial<App>): App {
  const ports = labels.map((VIP_0) => port({ VIP_0 }, { at: AT }));
  const tasks = ports.map((each, i) => task(`web.${i}`, [taskPort(each, `10.0.0.${i + 1}:80`)]));
  return app('/web', { ports: ports.slice(-1), tasks, ...what });
}

function backendsOf(desired: Desired): (string | undefined)[] {
  return lines(desired).map((line) => line.split(' -> ')[1]);
}

describe.each<[string, Partial<App>]>([
  ['copies of one app', { fromTasks: true }],
  ['tasks that differ', { fromTasks: true, labelsPerTask: true }],
  ['tasks that differ, as a relay tells of them', { labelsPerTask: true }],
])('of %s', (_what, what) => {
  test.each<[string, readonly string[], string]>([
    ['an older', ['web', 'web:80', 'web:80'], '10.0.0.2:80 w1 10.0.0.3:80 w1'],
    ['the newest', ['web:80', 'web:80', 'web'], '10.0.0.1:80 w1 10.0.0.2:80 w1'],
    ['several', ['web', 'web', 'web:80'], '10.0.0.3:80 w1'],
  ])(
    '%s one with an invalid label is behind no VIP of its siblings, and told once',
    (_which, labels, backends) => {
      const pass = passes();
      for (const desired of [pass(ofTasks(labels, what)), pass(ofTasks(labels, what))]) {
        expect(backendsOf(desired)).toEqual([backends]);
        expect(desired.rejected).toEqual([INVALID]);
      }
    },
  );

  test('a refused address is behind no VIP of its siblings either', () => {
    const desired = passes()(ofTasks(['127.0.0.1:80', '10.250.0.7:80'], what));
    expect(lines(desired)).toEqual(['tcp/10.250.0.7:80 wlc -> 10.0.0.2:80 w1']);
    expect(desired.rejected).toMatchObject([{ value: '127.0.0.1:80' }]);
  });
});

test('a new version of copies whose label has become invalid keeps the VIP that it had', () => {
  const pass = passes();
  pass(ofTasks(['web:80'], { fromTasks: true }));
  expect(backendsOf(pass(ofTasks(['web:80', 'web'], { fromTasks: true })))).toEqual([
    '10.0.0.1:80 w1 10.0.0.2:80 w1',
  ]);
});

test('a new task of a service whose tasks differ has nothing of what others had before', () => {
  const pass = passes();
  const what = { fromTasks: true, labelsPerTask: true } as const;
  pass(ofTasks(['web:80'], what));
  expect(backendsOf(pass(ofTasks(['web:80', 'web'], what)))).toEqual(['10.0.0.1:80 w1']);
});
