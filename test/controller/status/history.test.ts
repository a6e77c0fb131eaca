import { describe, expect, test } from '@jest/globals';
import { createStatusBoard } from '../../../controller/status/board.ts';
import { createHistory, type History } from '../../../controller/status/history.ts';
import { backend, service } from '../../support/builders.ts';
import { desiredOf } from '../../support/observed.ts';
import { DB, passOf, settled, WEB } from './passes.ts';

const ID = 'tcp/11.0.0.1:80';
/** The same VIP with another backend in rotation beside it, or instead of it. */
const TWO = {
  ...WEB,
  backends: service('', 80, [backend('10.0.0.1', 31_000), backend('10.0.0.3', 31_000)]).backends,
};
const OTHER = { ...WEB, backends: service('', 80, [backend('10.0.0.3', 31_000)]).backends };

/** What the history has after passes that left these services, a second apart. */
function played(history: History, ...passes: (typeof WEB)[][]): History {
  const clock = { epoch: () => 0, monotonic: () => 0 };
  const board = createStatusBoard({ sources: [], dryRun: false, clock, history });
  passes.forEach((services, at) => {
    board.passed({ ...passOf({ desired: desiredOf(...services) }), finishedAt: at * 1_000 });
  });
  return history;
}

const changesIn = (history: History, id = ID) =>
  history.ofVip(id).map(({ at, kind, backend: which, text }) => `${at} ${kind} ${which} ${text}`);

describe('the history of a VIP', () => {
  test('has nothing of the first pass, which is the baseline', () => {
    expect(changesIn(played(createHistory(), [WEB], [WEB]))).toEqual([]);
  });

  test('lists added and removed backends, the newest first', () => {
    expect(changesIn(played(createHistory(), [WEB], [TWO], [OTHER]))).toEqual([
      '2000 backend removed 10.0.0.1:31000 running, no health check',
      '1000 backend added 10.0.0.3:31000 weight 1: running, no health check',
    ]);
  });

  test('lists a change of weight with its reason, and the resulting state', () => {
    const killed = backend('10.0.0.1', 31_000, { weight: 0, reason: 'TASK_KILLING' });
    const idle = { ...WEB, backends: service('', 80, [killed]).backends };
    expect(changesIn(played(createHistory(), [WEB], [idle]))).toEqual([
      '1000 state null forwarding -> out of rotation: every backend has weight 0',
      '1000 backend 10.0.0.1:31000 weight 1 -> 0: TASK_KILLING',
    ]);
  });

  test('lists the start and the end of a slow start, but not its steps', () => {
    const history = createHistory();
    const clock = { epoch: () => 0, monotonic: () => 0 };
    const board = createStatusBoard({ sources: [], dryRun: false, clock, history });
    const first = backend('10.0.0.1', 31_000, { weight: 100 });
    const decision = {
      rule: 'slow start',
      since: 0,
      endsWhen: 'it has its full weight',
      endsAt: 9_000,
    } as const;
    [0, 10, 20, 90, 100].forEach((weight, at) => {
      const reason = weight < 100 ? `slow start: ${weight} %` : 'running, no health check';
      const all = weight === 0 ? [first] : [first, backend('10.0.0.2', 31_000, { weight, reason })];
      const desired = desiredOf(service('11.0.0.1', 80, all, { slowStartSeconds: 9 }));
      const decisions = new Map([[ID, new Map([['10.0.0.2:31000', decision]])]]);
      const over = weight > 0 && weight < 100 ? { decisions } : {};
      board.passed({ ...passOf({ desired, over }), finishedAt: at * 1_000 });
    });
    expect(changesIn(history)).toEqual([
      '4000 backend 10.0.0.2:31000 weight 0.9 -> 1: running, no health check',
      '1000 backend added 10.0.0.2:31000 weight 0.1: slow start: 10 %',
    ]);
  });

  test('outlives the VIP, and lists settings and apps', () => {
    const changed = { ...WEB, scheduler: 'rr', apps: ['/web', '/web2'] };
    expect(changesIn(played(createHistory(), [WEB], [changed], [DB], [DB, WEB]))).toEqual([
      '3000 appeared null forwarding; 1 backend',
      '2000 gone null no longer declared',
      '1000 settings null scheduler wlc -> rr; apps /web -> /web, /web2',
    ]);
  });

  test('a pass that could not read the kernel changes nothing', () => {
    const history = createHistory();
    const board = createStatusBoard({
      sources: [],
      dryRun: false,
      clock: { epoch: () => 0, monotonic: () => 0 },
      history,
    });
    board.passed(passOf({ desired: desiredOf(WEB) }));
    board.passed(passOf({ desired: desiredOf(), over: { error: 'EPERM' } }));
    board.passed(passOf({ desired: desiredOf(WEB), observed: settled(WEB) }));
    expect(history.latest(10)).toEqual([]);
  });
});

test('the history is bounded per VIP and in total, and drops the VIP that changed least recently', () => {
  const flapping = Array.from({ length: 20 }, (_, at) => [at % 2 === 0 ? TWO : WEB, DB]);
  const history = played(createHistory({ perVip: 5, vips: 1 }), [WEB], [WEB, DB], ...flapping);
  expect(history.ofVip(ID)).toHaveLength(5);
  expect(history.ofVip('tcp/11.0.0.2:5432')).toEqual([]);
  expect(history.latest(3).map(({ at }) => at)).toEqual([21_000, 20_000, 19_000]);
});
