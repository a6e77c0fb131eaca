/**
 * `GET /v1/status` and `marathon-ipvs status -o json`: the one description of their shape. Keys may be added, never
 * renamed. Times are RFC 3339; sizes are bytes; rates are per second.
 */

import { z } from 'zod';
import { ejection, kernel, networkNamespaces } from './host-document.ts';
import {
  apiVersion,
  backendSettings,
  called,
  conflict,
  count,
  instant,
  nearness,
  portNumber,
  protocol,
  rejection,
  serviceSettings,
  slowStartSeconds,
  spread,
} from './shapes.ts';
import { state, summary } from './summary.ts';

const traffic = z.object({
  connections: count.describe('Connections since the kernel made it.'),
  inPackets: count.describe('Packets from clients since the kernel made it.'),
  outPackets: count.describe('Packets to clients since the kernel made it.'),
  inBytes: count.describe('Bytes from clients since the kernel made it.'),
  outBytes: count.describe('Bytes to clients since the kernel made it.'),
  connectionRate: count.describe("New connections per second, the kernel's average over some seconds."),
  inPacketRate: count.describe("Packets per second from clients, the kernel's average over some seconds."),
  outPacketRate: count.describe("Packets per second to clients, the kernel's average over some seconds."),
  inByteRate: count.describe("Bytes per second from clients, the kernel's average over some seconds."),
  outByteRate: count.describe("Bytes per second to clients, the kernel's average over some seconds."),
});

const connections = {
  activeConnections: count.describe('Connections now, as the kernel counts them.'),
  inactiveConnections: count.describe('Those that have ended and that the kernel still remembers.'),
  traffic: traffic.nullable().describe("The kernel's counters; null where they are not known."),
};

const decision = z.object({
  rule: z
    .enum([
      'mass removal',
      'draining',
      'last in rotation',
      'postponed',
      'refused',
      'ejected',
      'slow start',
      'nearness',
    ])
    .describe(
      'mass removal: the brake holds it. draining: its connections go on. last in rotation: its replacement could not be added. postponed: a write failed, or waits for one that failed. refused: the kernel takes its address for no destination. ejected: clients and probes of this host get no answer from it. slow start: it came into rotation of late and grows to its weight. nearness: nearer backends are waited for before the others leave.',
    ),
  since: instant.describe("Since when; at most since the controller's start."),
  reason: z.string().nullable().describe('Why the rule applies; null where the rule says it all.'),
  endsWhen: z.string().describe('What ends it, in words.'),
  endsAt: instant
    .nullable()
    .describe('When it ends at the latest, or is looked at again; null where no time is set.'),
});

const backend = z.object({
  address: z.string().describe('Where this host sends packets.'),
  port: portNumber.describe('The port there.'),
  hostPort: z
    .object({
      address: z.string().describe('Address of the host that publishes it.'),
      port: portNumber.describe('Port of that host.'),
    })
    .nullable()
    .describe(
      'How other hosts reach it, where packets of this host go to the address and port of its container; else null.',
    ),
  ...backendSettings,
  weight: z
    .int()
    .describe('What the kernel has where it has it, else what it should have. 0: no new connections.'),
  app: z
    .string()
    .nullable()
    .describe('Id of its app; null for one that leaves and that no source knows any more.'),
  task: z
    .string()
    .nullable()
    .describe('Id of its task; null for one that leaves and that no source knows any more.'),
  reason: z.string().describe('Why it has this weight, in words.'),
  since: instant.describe(
    "When weight or reason last changed; the controller's start where it found them so.",
  ),
  inKernel: z.boolean().describe('Whether the kernel has it: a UDP backend of weight 0 is left out there.'),
  ...connections,
  drain: z
    .object({
      connections: count.describe('Connections that it still has, active and inactive.'),
      deadline: instant.describe('When it goes at the latest.'),
      secondsLeft: count.describe('Seconds until then.'),
    })
    .nullable()
    .describe('How it leaves; null while it does not.'),
  decision: decision.nullable().describe('Why it is not, or not yet, as the sources say; null where it is.'),
});

const vip = z.object({
  id: z.string().describe('tcp/11.0.0.1:80; tcp/web.marathon:80 of one that is in no table yet. Unique.'),
  ...called,
  protocol,
  address: z.string().nullable().describe('Its address; null for a name that has none yet.'),
  port: portNumber.describe('The port that clients use.'),
  ...serviceSettings,
  scheduler: z
    .string()
    .nullable()
    .describe("The kernel's short name: wlc; null for one that has no backend."),
  apps: z.array(z.string()).describe('Ids of the apps that declare it.'),
  slowStartSeconds,
  state: state.describe(
    'forwarding: as desired, with a backend in rotation. out of rotation: as desired, all weights are 0. draining: it leaves, connections go on. held: something of it would be removed, and waits for confirmation. pending: not yet as desired. conflict: another program has its address and port. no backend: declared, and not in the kernel.',
  ),
  reason: z
    .string()
    .nullable()
    .describe('Why, where the state says not all: the write that failed, what it waits for.'),
  since: instant.describe("When its state last changed; the controller's start where it found it so."),
  decision: decision
    .nullable()
    .describe('Why the service itself is not, or not yet, as the sources say; null where it is.'),
  nearness: nearness
    .nullable()
    .describe('Which backends it has, where only the nearest are wanted; null where all are.'),
  spread: spread
    .nullable()
    .describe(
      'How evenly new connections spread over its backends, as of the last minutes; null where there are too few of them, or not two backends to compare.',
    ),
  ...connections,
  backends: z.array(backend).describe('All of them, those that leave too, by address and port.'),
});

const source = z.object({
  name: z.string().describe('As given to --source, without credentials.'),
  apps: count.describe('Apps and pods that it told of.'),
  readAt: instant.nullable().describe('When it was last read well; null if never since the start.'),
  fromDiskOf: instant
    .nullable()
    .describe('When what is used now was saved to our own disk; null when it comes from the source itself.'),
  ageSeconds: count.nullable().describe('Age of what is used now, in seconds; null while there is nothing.'),
  failure: z
    .object({ at: instant.describe('When.'), message: z.string().describe('What went wrong.') })
    .nullable()
    .describe('The last failure, if it came after the last good read.'),
});

const held = z.object({
  reason: z.string().describe('How much would go, and of how much.'),
  since: instant.describe('Since when.'),
  until: instant.describe('When they are made if the source still says the same.'),
  services: z.array(z.string()).describe('Ids of the VIPs that lose something.'),
});

const largeRemoval = z.object({
  at: instant.describe('When.'),
  reason: z.string().describe('How much went, of how much, and why it was not held.'),
  because: z
    .array(
      z.object({
        rule: z
          .enum(['named', 'ended', 'confirmed', 'few', 'brake off'])
          .describe(
            'named: a source said so of the task or app. ended: a list says that the task ends. confirmed: it was held, and the sources, read again, said the same. few: without what was named, too few to be held. brake off: --allow-mass-removal.',
          ),
        source: z.string().nullable().describe('The source that named them; null where none did.'),
        at: instant.describe('When the last of them was told of.'),
        backends: count.describe('How many went for this reason.'),
      }),
    )
    .describe('The most frequent first.'),
  services: z.array(z.string()).describe('Ids of the VIPs that lost something.'),
});

export const statusDocument = z.object({
  apiVersion,
  at: instant.describe('When this was written.'),
  version: z.string().describe('Version of the controller.'),
  startedAt: instant.describe('When the controller started.'),
  dryRun: z.boolean().describe('Whether nothing is written (--dry-run).'),
  ready: z.boolean().describe('What /readyz says.'),
  checks: z
    .array(
      z.object({
        name: z.string().describe('What is checked.'),
        ok: z.boolean().describe('Whether it passes.'),
        message: z.string().nullable().describe('Why not, or a note; null where there is nothing to say.'),
      }),
    )
    .describe('The checks of /readyz.'),
  lastPass: z
    .object({
      kind: z
        .enum(['full', 'changes'])
        .describe("full: the kernel's whole table was read. changes: what was known of it was used."),
      finishedAt: instant.describe('When it ended.'),
      durationMs: count.describe('How long it took, in milliseconds.'),
      error: z.string().nullable().describe('What ended it early; null if nothing did.'),
    })
    .nullable()
    .describe('null until every source was read once, or loaded from disk.'),
  convergedAt: instant.nullable().describe('When a pass last left the kernel as desired; null if none did.'),
  summary: summary.describe('Of the whole document, also where only some VIPs were asked for.'),
  sources: z.array(source).describe('One for each --source, in the order given.'),
  vips: z.array(vip).describe('By name, then id.'),
  held: held.nullable().describe('Removals that the mass-removal brake holds back; null: nothing is held.'),
  largeRemovals: z
    .array(largeRemoval)
    .describe(
      'Removals of the last hour so large that one may ask why they were not held; at most ten, the newest first.',
    ),
  conflicts: z
    .array(
      z.object({
        id: z.string().describe('Id of the VIP.'),
        ...conflict,
      }),
    )
    .describe("VIPs whose address and port another program's service has."),
  rejected: z.array(rejection).describe('What could not be used of the definitions.'),
  warnings: z.array(z.string()).describe('What is odd in the definitions and could be used.'),
  failures: z
    .array(
      z.object({
        step: z.string().describe("The write, in ipvsadm's notation."),
        message: z.string().describe('Why it failed.'),
      }),
    )
    .describe('Writes of the last pass that failed; they are tried again.'),
  refused: z
    .array(
      z.object({
        address: z.string().describe('The address.'),
        since: instant.describe('When the kernel first refused it.'),
        endsAt: instant.describe('When it is tried again.'),
        reason: z.string().describe('Why it is no backend.'),
      }),
    )
    .describe("Addresses of backends that this host's kernel takes for no destination; at most a thousand."),
  waiting: count.describe('Writes that failed before and wait for their next try.'),
  host: z
    .object({
      problems: z.array(z.string()).describe('What keeps VIPs from being reached, each with its fix.'),
      advice: z.array(z.string()).describe('What should be otherwise, each with its fix.'),
    })
    .describe('Interface, routes, packet filter and kernel settings.'),
  ejection: ejection
    .nullable()
    .describe('What watching the backends for answers has found; null where nobody watches (--eject off).'),
  networkNamespaces: networkNamespaces
    .nullable()
    .describe('Other network namespaces that get the same VIPs; null without --netns-dir.'),
  kernel: kernel.describe('The tables of the kernel.'),
});

export type StatusDocument = z.infer<typeof statusDocument>;
export type VipDocument = z.infer<typeof vip>;
export type BackendDocument = z.infer<typeof backend>;
export type { VipState } from './summary.ts';
