/** The schema of `GET /v1/why` and `marathon-ipvs why -o json`. Keys may be added, never renamed. */

import { z } from 'zod';
import { apiVersion, instant, portNumber } from '../status/schemas.ts';
import { type Cause, causes, STAGES } from './causes.ts';

const verdict = z.enum(['works', 'broken', 'unknown']);

const step = z.object({
  stage: z.enum(STAGES).describe('The stage of the connection.'),
  state: z
    .enum(['ok', 'note', 'suspect', 'broken', 'unknown'])
    .describe(
      'note: worth knowing, connections work. suspect: it may make some connections fail. broken: connections fail here. unknown: it could not be checked.',
    ),
  found: z.string().describe('What was found, as evidence.'),
  cause: z
    .enum(causes as [Cause, ...Cause[]])
    .nullable()
    .describe('Code of the cause, see docs/why.md; null if nothing is broken or suspect.'),
  fix: z.string().nullable().describe('What to do; null if there is nothing to do.'),
});

const trace = z.object({
  vip: z
    .object({
      id: z.string().describe('As in the status.'),
      fqdn: z.string().nullable().describe('Name with framework and zone; null for an IP VIP.'),
      protocol: z.string().describe('tcp or udp.'),
      address: z.string().nullable().describe('Its address; null for a name that has none yet.'),
      port: portNumber.describe('The port that clients use.'),
    })
    .nullable()
    .describe('The VIP; null if no VIP has this name.'),
  verdict: verdict.describe('Result for this VIP.'),
  cause: z
    .enum(causes as [Cause, ...Cause[]])
    .nullable()
    .describe('Why connections fail; null if they work or the cause could not be found.'),
  title: z.string().nullable().describe('Description of the cause; null if there is none.'),
  steps: z.array(step).describe('In the order of the stages, up to the first that is broken.'),
});

export const whyDocument = z.object({
  apiVersion,
  at: instant.describe('When the checks were made.'),
  asked: z.string().describe('The VIP, as requested.'),
  from: z.enum(['controller', 'sources']).describe('Where the desired state comes from.'),
  client: z
    .string()
    .nullable()
    .describe('The network namespace that names and connections were tried from; null for the host.'),
  namespace: z
    .string()
    .nullable()
    .describe(
      'Path of the network namespace whose table, routes and filters were checked (--netns); null for the host.',
    ),
  verdict: verdict.describe(
    'works: every VIP does. broken: at least one is. unknown: none is broken, but not everything could be checked.',
  ),
  ways: z.array(trace).describe('One for each matching VIP.'),
});

export type WhyDocument = z.infer<typeof whyDocument>;
export type TraceDocument = z.infer<typeof trace>;
export type StepDocument = z.infer<typeof step>;
