/** `GET /v1/why` and `marathon-ipvs why -o json`: the one description of their shape. Keys may be added, never renamed. */

import { z } from 'zod';
import { apiVersion, instant, portNumber } from '../status/shapes.ts';
import { type Cause, causes, STAGES } from './causes.ts';

const verdict = z.enum(['works', 'broken', 'unknown']);

const step = z.object({
  stage: z.enum(STAGES).describe('Where on the way of a connection.'),
  state: z
    .enum(['ok', 'note', 'suspect', 'broken', 'unknown'])
    .describe(
      'note: worth knowing, and connections work with it. suspect: it may keep some connections from working. broken: the way ends here. unknown: it could not be found out.',
    ),
  found: z.string().describe('What was found: the proof of what is broken.'),
  cause: z
    .enum(causes as [Cause, ...Cause[]])
    .nullable()
    .describe('Code of the cause, as docs/why.md lists them; null where nothing is broken or suspect.'),
  fix: z.string().nullable().describe('The one thing to do; null where there is nothing.'),
});

const way = z.object({
  vip: z
    .object({
      id: z.string().describe('As in the status.'),
      fqdn: z.string().nullable().describe('Name with framework and zone; null for an IP VIP.'),
      protocol: z.string().describe('tcp or udp.'),
      address: z.string().nullable().describe('Its address; null for a name that has none yet.'),
      port: portNumber.describe('The port that clients use.'),
    })
    .nullable()
    .describe('The VIP; null where the name means none.'),
  verdict: verdict.describe('Of this way.'),
  cause: z
    .enum(causes as [Cause, ...Cause[]])
    .nullable()
    .describe('What keeps connections from working; null where nothing does, or it could not be found out.'),
  title: z.string().nullable().describe('The cause in words; null where there is none.'),
  steps: z.array(step).describe('In the order of the way, up to what is broken.'),
});

export const whyDocument = z.object({
  apiVersion,
  at: instant.describe('When it was looked at.'),
  asked: z.string().describe('What was asked.'),
  from: z.enum(['controller', 'sources']).describe('Who told what should be.'),
  client: z
    .string()
    .nullable()
    .describe('The network namespace from which names and connections were tried; null: that of the host.'),
  namespace: z
    .string()
    .nullable()
    .describe(
      'Path of the network namespace whose table, routes and filters were looked at (--netns); null: that of the host.',
    ),
  verdict: verdict.describe(
    'works: every way does. broken: one is. unknown: none is broken, and not all could be found out.',
  ),
  ways: z.array(way).describe('One for each VIP that is meant.'),
});

export type WhyDocument = z.infer<typeof whyDocument>;
export type WayDocument = z.infer<typeof way>;
export type StepDocument = z.infer<typeof step>;
