/**
 * The schema of `GET /v1/status` and `marathon-ipvs status -o json`. Keys may be added, never renamed. Times are RFC 3339;
 * sizes are bytes; rates are per second.
 */

import { z } from 'zod';
import { ejection, kernel, networkNamespaces } from './host-document.ts';
import {
  apiVersion,
  backendSettings,
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
  vipName,
} from './schemas.ts';
import { state, summary } from './summary.ts';

const traffic = z.object({
  connections: count.describe('Connections since it was added to the kernel.'),
  inPackets: count.describe('Packets from clients since it was added to the kernel.'),
  outPackets: count.describe('Packets to clients since it was added to the kernel.'),
  inBytes: count.describe('Bytes from clients since it was added to the kernel.'),
  outBytes: count.describe('Bytes to clients since it was added to the kernel.'),
  connectionRate: count.describe("New connections per second, the kernel's average over a few seconds."),
  inPacketRate: count.describe("Packets per second from clients, the kernel's average over a few seconds."),
  outPacketRate: count.describe("Packets per second to clients, the kernel's average over a few seconds."),
  inByteRate: count.describe("Bytes per second from clients, the kernel's average over a few seconds."),
  outByteRate: count.describe("Bytes per second to clients, the kernel's average over a few seconds."),
});

const connections = {
  activeConnections: count.describe('Active connections, as the kernel counts them.'),
  inactiveConnections: count.describe('Connections that have ended and that the kernel still remembers.'),
  traffic: traffic.nullable().describe("The kernel's counters; null if unknown."),
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
      'unknown part',
    ])
    .describe(
      'mass removal: the brake holds it. draining: its connections may finish. last in rotation: its replacement could not be added. postponed: a write failed, or waits for one that failed. refused: the kernel does not accept its address as a destination. ejected: clients and probes on this host get no answer from it. slow start: it came into rotation recently and its weight is still rising. nearness: it stays until nearer backends are in rotation. unknown part: no source declares it, and it may belong to a file, app or object that could not be read since the start.',
    ),
  since: instant.describe("Since when; no earlier than the controller's start."),
  reason: z.string().nullable().describe('Why the rule applies; null if the rule says it all.'),
  endsWhen: z.string().describe('What ends it.'),
  endsAt: instant
    .nullable()
    .describe('When it ends at the latest, or is next checked; null if no time is set.'),
});

const backend = z.object({
  address: z.string().describe('The address that this host sends packets to.'),
  port: portNumber.describe('The port that this host sends packets to.'),
  hostPort: z
    .object({
      address: z.string().describe('Address of the host that publishes it.'),
      port: portNumber.describe('Port on that host.'),
    })
    .nullable()
    .describe(
      'How other hosts reach it, if this host sends packets directly to its container; null otherwise.',
    ),
  ...backendSettings,
  weight: z
    .int()
    .describe('Its weight in the kernel, or the desired one if the kernel lacks it. 0: no new connections.'),
  app: z
    .string()
    .nullable()
    .describe('Id of its app; null for a leaving backend that no source knows any more.'),
  task: z
    .string()
    .nullable()
    .describe('Id of its task; null for a leaving backend that no source knows any more.'),
  reason: z.string().describe('Why it has this weight.'),
  since: instant.describe(
    "When weight or reason last changed; the controller's start if they have not changed since.",
  ),
  inKernel: z.boolean().describe('Whether the kernel has it: UDP backends of weight 0 are kept out.'),
  ...connections,
  drain: z
    .object({
      connections: count.describe('Connections that it still has, active and inactive.'),
      deadline: instant.describe('When it is removed at the latest.'),
      secondsLeft: count.describe('Seconds until the deadline.'),
    })
    .nullable()
    .describe('Progress of its drain; null if it does not drain.'),
  decision: decision.nullable().describe('Why it differs from what the sources say; null if it does not.'),
});

const vip = z.object({
  id: z
    .string()
    .describe('tcp/11.0.0.1:80, or tcp/web.marathon:80 for a VIP that is in no table yet. Unique.'),
  ...vipName,
  protocol,
  address: z.string().nullable().describe('Its address; null for a name that has none yet.'),
  port: portNumber.describe('The port that clients use.'),
  ...serviceSettings,
  scheduler: z.string().nullable().describe("The kernel's short name, such as wlc; null without backends."),
  apps: z.array(z.string()).describe('Ids of the apps that declare it.'),
  slowStartSeconds,
  state: state.describe(
    'forwarding: as desired, with a backend in rotation. out of rotation: as desired, all weights are 0. draining: it is being removed, its connections may finish. held: some or all of it would be removed and stays, because the mass-removal brake waits for the sources to confirm, or because it may belong to what could not be read since the start. pending: not yet as desired. conflict: another program has its address and port. no backend: declared, not in the kernel.',
  ),
  reason: z
    .string()
    .nullable()
    .describe('Details of the state: the write that failed, or what it waits for; null if there are none.'),
  since: instant.describe("When its state last changed; the controller's start if it has not changed since."),
  decision: decision
    .nullable()
    .describe('Why the service itself differs from what the sources say; null if it does not.'),
  nearness: nearness
    .nullable()
    .describe('Which backends it uses, if it prefers the nearest; null if it uses all.'),
  spread: spread
    .nullable()
    .describe(
      'How evenly new connections spread over its backends in the last minutes; null if there are too few connections, or fewer than two backends to compare.',
    ),
  ...connections,
  backends: z.array(backend).describe('All backends, leaving ones included, by address and port.'),
});

const source = z.object({
  name: z.string().describe('As given to --source, without credentials.'),
  apps: count.describe('Apps and pods that it lists.'),
  readAt: instant.nullable().describe('When it was last read successfully; null if never since the start.'),
  fromDiskOf: instant
    .nullable()
    .describe('When the state in use was saved to disk; null if it comes from the source itself.'),
  ageSeconds: count.nullable().describe('Age of the state in use, in seconds; null if there is none.'),
  failure: z
    .object({ at: instant.describe('When.'), message: z.string().describe('What went wrong.') })
    .nullable()
    .describe('The last failure, if it came after the last successful read.'),
});

const held = z.object({
  reason: z.string().describe('How much would be removed, and of how much.'),
  since: instant.describe('Since when.'),
  until: instant.describe('When the removals are made if the source still says the same.'),
  services: z.array(z.string()).describe('Ids of the VIPs affected.'),
});

const largeRemoval = z.object({
  at: instant.describe('When.'),
  reason: z.string().describe('How much was removed, of how much, and why it was not held.'),
  because: z
    .array(
      z.object({
        rule: z
          .enum(['named', 'ended', 'confirmed', 'few', 'brake off'])
          .describe(
            'named: a source reported it for this very task or app. ended: a list shows the task ending. confirmed: it was held, and the sources, read again, said the same. few: apart from what was named, too few to be held. brake off: --allow-mass-removal.',
          ),
        source: z.string().nullable().describe('The source that named them; null if none did.'),
        at: instant.describe('When the last of them was reported.'),
        backends: count.describe('How many backends were removed for this reason.'),
      }),
    )
    .describe('The most frequent first.'),
  services: z.array(z.string()).describe('Ids of the VIPs affected.'),
});

export const statusDocument = z.object({
  apiVersion,
  at: instant.describe('Time of this document.'),
  version: z.string().describe('Version of the controller.'),
  startedAt: instant.describe('When the controller started.'),
  dryRun: z.boolean().describe('Whether it only reports differences and writes nothing (--dry-run).'),
  ready: z.boolean().describe('The result of /readyz.'),
  checks: z
    .array(
      z.object({
        name: z.string().describe('What is checked.'),
        ok: z.boolean().describe('Whether it passes.'),
        message: z.string().nullable().describe('Why it fails, or a note; null if there is nothing to say.'),
      }),
    )
    .describe('The checks of /readyz.'),
  lastPass: z
    .object({
      kind: z
        .enum(['full', 'changes'])
        .describe("full: read the kernel's whole table. changes: used what was already known of it."),
      finishedAt: instant.describe('When it ended.'),
      durationMs: count.describe('How long it took, in milliseconds.'),
      error: z.string().nullable().describe('The error that ended it early; null if there was none.'),
    })
    .nullable()
    .describe('null until every source was read once, or loaded from disk.'),
  convergedAt: instant.nullable().describe('When a pass last left the kernel as desired; null if none did.'),
  summary: summary.describe('Counts over all VIPs, even if only some were requested.'),
  sources: z.array(source).describe('One for each --source, in the order of the command line.'),
  vips: z.array(vip).describe('By name, then id.'),
  held: held.nullable().describe('Removals that the mass-removal brake holds; null if nothing is held.'),
  largeRemovals: z
    .array(largeRemoval)
    .describe('Large removals of the last hour that the brake did not hold; at most ten, the newest first.'),
  conflicts: z
    .array(
      z.object({
        id: z.string().describe('Id of the VIP.'),
        ...conflict,
      }),
    )
    .describe("VIPs whose address and port belong to another program's service."),
  rejected: z.array(rejection).describe('Parts of the definitions that cannot be used.'),
  warnings: z.array(z.string()).describe('Parts of the definitions that are used but look wrong.'),
  failures: z
    .array(
      z.object({
        step: z.string().describe("The write, in ipvsadm's notation."),
        message: z.string().describe('Why it failed.'),
      }),
    )
    .describe('Writes of the last pass that failed; they are retried.'),
  refused: z
    .array(
      z.object({
        address: z.string().describe('The address.'),
        since: instant.describe('When the kernel first refused it.'),
        endsAt: instant.describe('When it is tried again.'),
        reason: z.string().describe('Why it cannot be a backend.'),
      }),
    )
    .describe('Backend addresses that the kernel does not accept as destinations; at most a thousand.'),
  waiting: count.describe('Writes that failed and wait for their retry.'),
  host: z
    .object({
      problems: z.array(z.string()).describe('Problems that make VIPs unreachable, each with its fix.'),
      advice: z.array(z.string()).describe('Settings that should be changed, each with its fix.'),
    })
    .describe('Interface, routes, packet filter and kernel settings.'),
  ejection: ejection.nullable().describe('Backends that do not answer; null with --eject off.'),
  networkNamespaces: networkNamespaces
    .nullable()
    .describe('Other network namespaces that get the same VIPs; null without --netns-dir.'),
  kernel: kernel.describe("The kernel's tables."),
});

export type StatusDocument = z.infer<typeof statusDocument>;
export type VipDocument = z.infer<typeof vip>;
export type BackendDocument = z.infer<typeof backend>;
export type { VipState } from './summary.ts';
