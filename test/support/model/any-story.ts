/** Stories by chance: what happens how often. */

import fc from 'fast-check';
import type { Protocol } from '../../../controller/model/endpoint.ts';
import { type AppSpec, MEANINGS, type Mode, SOURCES, type TaskSpec } from './cluster.ts';
import type { Meddling, OwnService, StoryEvent } from './events.ts';
import type { Trouble } from './kernel.ts';
import type { Mishap } from './machine.ts';
import type { Story } from './story.ts';

const IDS = ['/a', '/b'];
const source = fc.oneof(
  { arbitrary: fc.constant(SOURCES[0]), weight: 3 },
  { arbitrary: fc.constant(SOURCES[1]), weight: 1 },
);
/** A few meet often, so that apps share VIPs and other programs' services get in their way. */
const vip = fc.oneof(
  { arbitrary: fc.constantFrom('/web:80', '192.168.7.7:80'), weight: 2 },
  { arbitrary: fc.constantFrom(...Object.keys(MEANINGS)), weight: 1 },
);
const tasks = (): fc.Arbitrary<readonly TaskSpec[]> =>
  fc.oneof(
    { arbitrary: fc.array(taskSpec, { minLength: 1, maxLength: 3 }), weight: 6 },
    { arbitrary: fc.constant([]), weight: 1 },
  );

const taskSpec: fc.Arbitrary<TaskSpec> = fc.record({
  place: fc.integer({ min: 1, max: 4 }),
  state: fc.oneof(
    { arbitrary: fc.constant('running' as const), weight: 9 },
    { arbitrary: fc.constant('unreachable' as const), weight: 3 },
    {
      arbitrary: fc.constantFrom('killing' as const, 'gone' as const, 'staging' as const),
      weight: 3,
    },
  ),
  health: fc.oneof(
    { arbitrary: fc.constantFrom('unchecked' as const, 'healthy' as const), weight: 4 },
    { arbitrary: fc.constantFrom('unhealthy' as const, 'unknown' as const), weight: 1 },
  ),
});

const options: fc.Arbitrary<Readonly<Record<string, string>>> = fc.record(
  {
    IPVS_SCHEDULER: fc.constantFrom('rr', 'sh', 'wlc', 'nonsense'),
    IPVS_SCHEDULER_FLAGS: fc.constantFrom('sh-port', 'sh-port,sh-fallback', 'x'),
    IPVS_PERSISTENCE_SECONDS: fc.constantFrom('60', '0', 'x'),
    IPVS_PERSISTENCE_PREFIX: fc.constantFrom('24', '24/64', 'x'),
    IPVS_WEIGHT: fc.constantFrom('5', '0', '1'),
    IPVS_DRAIN_SECONDS: fc.constantFrom('30', '0'),
  },
  { requiredKeys: [] },
);

const appSpec: fc.Arbitrary<AppSpec> = fc.record({
  id: fc.constantFrom(...IDS),
  source,
  mode: fc.constantFrom<Mode[]>('host', 'container', 'six'),
  protocols: fc.constantFrom<(readonly Protocol[])[]>(['tcp'], ['udp'], ['udp', 'tcp']),
  vips: fc.array(vip, { minLength: 1, maxLength: 2 }),
  options: fc
    .tuple(
      fc.oneof({ arbitrary: fc.constant({}), weight: 2 }, { arbitrary: options, weight: 1 }),
      fc.constantFrom({}, {}, { IPVS_SLOW_START_SECONDS: '60' }, { IPVS_SLOW_START_SECONDS: '300' }),
    )
    .map(([some, slow]) => ({ ...some, ...slow })),
  tasks: tasks(),
});

const mishap: fc.Arbitrary<Mishap> = fc.oneof(
  { arbitrary: fc.constant({}), weight: 4 },
  { arbitrary: fc.record({ dieAt: fc.integer({ min: 1, max: 14 }) }), weight: 3 },
  { arbitrary: fc.record({ refuseAt: fc.integer({ min: 1, max: 8 }) }), weight: 2 },
  {
    arbitrary: fc.record({
      trouble: fc.constantFrom<Trouble[]>('interrupted', 'endless', 'cut', 'lost', 'unsent'),
    }),
    weight: 2,
  },
  { arbitrary: fc.constantFrom<Mishap[]>({ ledgerFull: true }, { routesFail: true }), weight: 1 },
);

/** In and out of the pools, where labels ask for a service (11.0.0.1 is what `web.marathon` gets) and elsewhere. */
const ownService: fc.Arbitrary<OwnService> = fc.oneof(
  {
    arbitrary: fc.constantFrom<OwnService[]>(
      { protocol: 'tcp', address: '192.168.7.7', port: 80 },
      { protocol: 'tcp', address: '11.0.0.1', port: 80 },
    ),
    weight: 2,
  },
  {
    arbitrary: fc.constantFrom<OwnService[]>(
      { protocol: 'udp', address: '192.168.7.7', port: 80 },
      { protocol: 'udp', address: '11.0.0.1', port: 80 },
      { protocol: 'sctp', address: '11.0.0.1', port: 80 },
      { protocol: 'tcp', address: '11.0.0.5', port: 81 },
      { protocol: 'tcp', address: 'fd01:c::6', port: 80 },
      { protocol: 'tcp', address: 'fd00:7::7', port: 80 },
      { protocol: 'tcp', address: '172.16.0.1', port: 443 },
    ),
    weight: 1,
  },
);

const meddling: fc.Arbitrary<Meddling> = fc.oneof(
  fc.record({ kind: fc.constant('own' as const), service: ownService }),
  fc.record({
    kind: fc.constantFrom(
      'weight' as const,
      'direct' as const,
      'scheduler' as const,
      'add backend' as const,
      'remove backend' as const,
      'remove service' as const,
    ),
  }),
);

/** Of what is there; the remainder counts. */
const pick = fc.nat(20);

const relabel: fc.Arbitrary<StoryEvent> = fc.record({ what: fc.constant('relabel' as const), pick, vip });
/** Tasks that run on behind no VIP: what makes a backend drain. */
const leave = fc.oneof(fc.record({ what: fc.constant('unreachable' as const), pick }), relabel);

const change: fc.Arbitrary<StoryEvent> = fc.oneof(
  { arbitrary: fc.record({ what: fc.constant('tasks' as const), pick, tasks: tasks() }), weight: 6 },
  { arbitrary: fc.record({ what: fc.constant('deploy' as const), app: appSpec }), weight: 5 },
  { arbitrary: relabel, weight: 2 },
  {
    arbitrary: fc.record({ what: fc.constant('delete' as const), id: fc.constantFrom(...IDS), source }),
    weight: 1,
  },
);

const pass: fc.Arbitrary<StoryEvent> = fc.record({
  what: fc.constant('pass' as const),
  full: fc.boolean(),
  read: fc.constantFrom('whole' as const, 'whole' as const, 'one app' as const, 'nothing' as const),
  mishap,
});

const connect: fc.Arbitrary<StoryEvent> = fc.record({
  what: fc.constant('connect' as const),
  pick,
  connections: fc.constantFrom(3, 3, 0),
});

const silent: fc.Arbitrary<StoryEvent> = fc.record({
  what: fc.constantFrom('falls silent' as const, 'falls silent' as const, 'answers again' as const),
  pick,
});

const meddle: fc.Arbitrary<StoryEvent> = fc.record({
  what: fc.constant('meddle' as const),
  how: meddling,
  pick,
  weight: fc.constantFrom(0, 1, 7),
});

/** Between the read of the table and the pass that works on it, changes are made, by us and by others. */
const refreshInBackground: fc.Arbitrary<readonly StoryEvent[]> = fc
  .tuple(
    fc.record({
      what: fc.constant('read beside' as const),
      mishap: fc.constantFrom<Mishap[]>({}, {}, {}, { trouble: 'cut' }, { routesFail: true }, { dieAt: 1 }),
    }),
    fc.array(
      fc.oneof(
        fc.tuple(change, pass),
        fc.tuple(fc.constant<StoryEvent>({ what: 'wait', seconds: 31 }), pass),
        fc.tuple(meddle),
        fc.tuple(connect, leave, pass),
      ),
      { minLength: 1, maxLength: 3 },
    ),
    pass.map((each) => ({ ...each, full: true })),
  )
  .map(([read, between, last]) => [read, ...between.flat(), last]);

/** A source that has lost its memory for a moment, and a minute in which it finds it again or not. */
const emptyLists: fc.Arbitrary<readonly StoryEvent[]> = fc.tuple(
  fc.constant<StoryEvent>({ what: 'pass', full: false, read: 'empty lists', mishap: {} }),
  fc.constant<StoryEvent>({ what: 'wait', seconds: 61 }),
);

const silence: fc.Arbitrary<StoryEvent> = fc.record({ what: fc.constant('silence' as const), mishap });
/** Long enough that what the sources said is saved. */
const pause: fc.Arbitrary<StoryEvent> = fc.constant({ what: 'wait', seconds: 5 });

const other: fc.Arbitrary<StoryEvent> = fc.oneof(
  fc.record({ what: fc.constant('wait' as const), seconds: fc.constantFrom(1, 31, 301) }),
  fc.record({ what: fc.constantFrom('stop' as const, 'kill' as const, 'reboot' as const) }),
  fc.record({ what: fc.constantFrom('down' as const, 'up' as const), source }),
);

/** What often comes together. */
const turn: fc.Arbitrary<readonly StoryEvent[]> = fc.oneof(
  { arbitrary: fc.tuple(change, pass), weight: 8 },
  { arbitrary: fc.tuple(connect, leave, pass), weight: 4 },
  { arbitrary: fc.tuple(silent, pass), weight: 3 },
  { arbitrary: fc.tuple(meddle), weight: 5 },
  { arbitrary: fc.tuple(change), weight: 1 },
  { arbitrary: fc.tuple(pass), weight: 2 },
  { arbitrary: fc.tuple(connect), weight: 1 },
  { arbitrary: fc.tuple(pause, change, pass, silence), weight: 2 },
  { arbitrary: emptyLists, weight: 1 },
  { arbitrary: fc.tuple(silence), weight: 1 },
  { arbitrary: refreshInBackground, weight: 3 },
  { arbitrary: fc.tuple(other), weight: 4 },
);

export const anyStory: fc.Arbitrary<Story> = fc.record({
  adopt: fc.boolean(),
  events: fc.array(turn, { minLength: 1, maxLength: 20, size: 'max' }).map((turns) => turns.flat()),
});
