/** The parts of the status document about the host itself, apart from its VIPs. */

import { z } from 'zod';
import { count, instant } from './shapes.ts';

/** Size and load of the IPVS tables. */
const tables = z.object({
  grow: z
    .boolean()
    .describe(
      'Whether they grow and shrink with what is in them, and belong to this network namespace alone (since Linux 7.1).',
    ),
  connections: z
    .object({
      count: count.nullable().describe("Connections, those of other programs' services too."),
      buckets: count.describe('Buckets of the table now.'),
      maxBuckets: count
        .nullable()
        .describe('What it may grow to: 2 to the power of the module parameter conn_tab_bits.'),
      loadFactor: z.int().nullable().describe('net.ipv4.vs.conn_lfactor.'),
      max: count.nullable().describe('How many there may be: net.ipv4.vs.conn_max.'),
    })
    .describe('The table of connections.'),
  services: z
    .object({
      count: count.nullable().describe('Services, those of other programs too.'),
      buckets: count.describe('Buckets of the table now.'),
      loadFactor: z.int().nullable().describe('net.ipv4.vs.svc_lfactor.'),
    })
    .describe('The table of services.'),
  estimation: z
    .object({
      threads: count.nullable().describe('Threads that count rates.'),
      maxThreads: count.nullable().describe('How many of these there may be.'),
      perThread: count.describe('Services and backends that one of them counts at most.'),
      chainLength: count.nullable().describe('Services and backends that it counts in one go.'),
    })
    .nullable()
    .describe('null where the kernel does not tell.'),
});

/** The tables of the kernel. */
export const kernel = z.object({
  readAt: instant
    .nullable()
    .describe('When the counters were read; null: they could not be, and those of the last pass are shown.'),
  error: z.string().nullable().describe('Why they could not be read.'),
  ipvsVersion: z.string().nullable().describe("Version of the kernel's IPVS."),
  services: count.describe('Services of the whole table, those of other programs among them.'),
  foreignServices: count.describe('Those of other programs.'),
  backends: count.describe('Backends of the whole table.'),
  connectionTableSize: count.nullable().describe('Buckets of the connection table.'),
  conntrack: z
    .object({ count: count.describe('Entries now.'), max: count.describe('How many there may be.') })
    .nullable()
    .describe('The table of connection tracking; null where it is not known.'),
  timeouts: z
    .object({
      tcp: count.describe('Seconds, of an open TCP connection.'),
      tcpFin: count.describe('Seconds, of a TCP connection that was closed.'),
      udp: count.describe('Seconds, after a datagram.'),
    })
    .nullable()
    .describe('For how long IPVS keeps an idle connection; null where it is not known.'),
  tables: tables
    .nullable()
    .describe(
      'Size and load of the IPVS tables; null where they are not known, and so is each number that the kernel does not tell.',
    ),
});

/** What watching the backends for answers has found. */
export const ejection = z.object({
  mode: z.enum(['on', 'observe']).describe('observe: what is found stays in rotation.'),
  suspects: count.describe('Backends that are being probed because clients seem to get no reply.'),
  blind: z
    .object({
      since: instant.describe('Since when.'),
      failing: count.describe('Agents that could not be reached.'),
      answering: count.describe('Agents that answered meanwhile.'),
    })
    .nullable()
    .describe('Set where so many agents fail that this host may be cut off: nothing more is ejected.'),
  behind: z
    .string()
    .nullable()
    .describe('What keeps connections or counters from being read often enough; null: nothing.'),
  backends: z
    .array(
      z.object({
        backend: z.string().describe('tcp/10.0.0.1:31000.'),
        agent: z.string().describe('Address of the host that it runs on; its own where that is not known.'),
        cause: z
          .enum(['timed out', 'unreachable', 'refused', 'agent'])
          .describe('How connections to it fail. agent: TCP backends of its agent time out.'),
        reason: z.string().describe('What clients and probes met.'),
        since: instant.describe('Since when.'),
        nextProbe: instant.nullable().describe("null where its agent's other backends are probed instead."),
      }),
    )
    .describe(
      'Those that do not answer, also where a VIP keeps them: at most half of one leaves the rotation.',
    ),
});

/** Other network namespaces that get the same VIPs. */
export const networkNamespaces = z.object({
  directory: z.string().describe('What --netns-dir names.'),
  failure: z
    .string()
    .nullable()
    .describe('Why it could not be looked at; what was found before stays. null: it could.'),
  namespaces: z
    .array(
      z.object({
        id: z.string().describe('Name of its file.'),
        path: z.string().nullable().describe('What leads to it; null where its file gives none.'),
        inSync: z.boolean().describe('Whether its table, interface and routes are as desired.'),
        reason: z.string().nullable().describe('Why not; null where it is in sync.'),
        vips: count.describe('VIPs of ours that its table has.'),
        since: instant.describe('Since when it is in sync, or not.'),
      }),
    )
    .describe('By id.'),
});
