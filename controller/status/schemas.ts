/** Schemas that several documents of `/v1` share. */

import { z } from 'zod';
import {
  BACKEND,
  type BackendSettings,
  backendFields,
  SERVICE,
  type ServiceSettings,
  serviceFields,
} from '../settings/settings.ts';

export const apiVersion = z.literal('marathon-ipvs/v1').describe('Keys may be added to it, never renamed.');
export const instant = z.iso.datetime();
export const count = z.number().nonnegative();
export const portNumber = z.int().min(0).max(65_535);

/** A part of a definition that cannot be used, described so that its author can find it. */
export const rejection = z.object({
  app: z.string().describe("Id of the app or pod; the file's path where there is no app."),
  at: z
    .string()
    .describe('Path in its JSON, such as portDefinitions[0].labels.VIP_0; empty for the whole document.'),
  value: z.string().describe('The offending value as text, truncated to a readable length.'),
  reason: z.string().describe('What was expected, or why it is refused.'),
});

/** The parts of a VIP's DNS name. */
export const vipName = {
  name: z.string().nullable().describe('Cleaned for DNS: my-service; null for an IP VIP.'),
  framework: z.string().nullable().describe('Cleaned for DNS: marathon; null for an IP VIP.'),
  fqdn: z.string().nullable().describe('Name with framework and zone; null for an IP VIP.'),
};

/** Why a VIP is not programmed: another program's service has its address and port. */
export const conflict = {
  apps: z.array(z.string()).describe('Ids of the apps that declare it.'),
  reason: z.string().describe('Why it is left alone.'),
};

export const protocol = z.string().describe('tcp or udp.');

export const slowStartSeconds = z
  .int()
  .optional()
  .describe(
    'How many seconds the weight of a backend that comes into rotation takes to rise to its full value. If present, all weights are multiplied by 100. Absent: no slow start.',
  );

/** Settings of a service and of a backend that the controller writes. */
export const serviceSettings = shapeOf<ServiceSettings>(SERVICE, serviceFields.unset);
export const backendSettings = shapeOf<BackendSettings>(BACKEND, backendFields.unset);

type Shape<Settings> = {
  readonly [Name in keyof Settings]: Settings[Name] extends number ? z.ZodInt : z.ZodString;
};

function shapeOf<Settings extends object>(
  rows: { readonly [Name in keyof Settings]: { readonly about: string } },
  example: Settings,
): Shape<Settings> {
  const names = Object.keys(rows) as (keyof Settings)[];
  const shapes = names.map((name) => {
    const shape = typeof example[name] === 'number' ? z.int() : z.string();
    return [name, shape.describe(rows[name].about)];
  });
  return Object.fromEntries(shapes) as Shape<Settings>;
}

const share = z.object({
  backend: z.string().describe('10.0.0.1:31000.'),
  connections: count.describe('New connections that it got.'),
  ofShare: count.describe('Its connections as a multiple of what its weight entitles it to; 1 is even.'),
});

/** How evenly new connections spread over the backends of a VIP. */
export const spread = z.object({
  since: instant.describe('When counting began: five to ten minutes ago, or the start.'),
  connections: count.describe('New connections to the backends compared.'),
  backends: count.describe(
    'How many backends are compared: those in rotation with the same weight since then, and never full.',
  ),
  most: share.describe('The backend with the largest multiple of its share.'),
  least: share.describe('The backend with the smallest multiple of its share.'),
  uneven: z.boolean().describe('Whether a backend got twice its share or more, or a quarter of it or less.'),
});

/** Which backends a VIP uses. */
export const nearness = z.object({
  tier: z
    .enum(['node', 'zone', 'region', 'all'])
    .describe('Backends on this host, in its zone or in its region; all: none nearer is in rotation.'),
  leftOut: z.int().min(0).describe('How many other backends are left out for that.'),
});
