/** Schemas of the parts of the status document about the host rather than its VIPs. */

import { z } from 'zod';
import { count, instant } from './schemas.ts';

/** Size and load of the IPVS tables. */
const tables = z.object({
  grow: z
    .boolean()
    .describe(
      'Whether they are resized with their contents and belong to this network namespace alone (since Linux 7.1).',
    ),
  connections: z
    .object({
      count: count.nullable().describe("Connections, other programs' services included."),
      buckets: count.describe('Hash buckets at present.'),
      maxBuckets: count
        .nullable()
        .describe('Maximum number of buckets: 2 to the power of the module parameter conn_tab_bits.'),
      loadFactor: z.int().nullable().describe('net.ipv4.vs.conn_lfactor.'),
      max: count.nullable().describe('Maximum number of connections: net.ipv4.vs.conn_max.'),
    })
    .describe('The connection table.'),
  services: z
    .object({
      count: count.nullable().describe('Services, those of other programs included.'),
      buckets: count.describe('Hash buckets at present.'),
      loadFactor: z.int().nullable().describe('net.ipv4.vs.svc_lfactor.'),
    })
    .describe('The service table.'),
  estimation: z
    .object({
      threads: count.nullable().describe('Threads that estimate rates.'),
      maxThreads: count.nullable().describe('Maximum number of threads.'),
      perThread: count.describe('Maximum number of services and backends per thread.'),
      chainLength: count.nullable().describe('Services and backends that a thread updates in one go.'),
    })
    .nullable()
    .describe('Rate estimation; null if the kernel does not report it.'),
});

/** The kernel's tables. */
export const kernel = z.object({
  readAt: instant
    .nullable()
    .describe('When the counters were read; null if they could not be: those of the last pass are shown.'),
  error: z.string().nullable().describe('Why the counters could not be read.'),
  ipvsVersion: z.string().nullable().describe("Version of the kernel's IPVS."),
  services: count.describe('All services, those of other programs included.'),
  foreignServices: count.describe('Services of other programs.'),
  backends: count.describe('Backends of all services.'),
  connectionTableSize: count.nullable().describe('Hash buckets of the connection table.'),
  conntrack: z
    .object({
      count: count.describe('Entries at present.'),
      max: count.describe('Maximum number of entries.'),
    })
    .nullable()
    .describe('The connection-tracking table; null if unknown.'),
  timeouts: z
    .object({
      tcp: count.describe('Seconds, for an open TCP connection.'),
      tcpFin: count.describe('Seconds, for a TCP connection after FIN.'),
      udp: count.describe('Seconds, after the last datagram.'),
    })
    .nullable()
    .describe('How long IPVS keeps an idle connection; null if unknown.'),
  tables: tables
    .nullable()
    .describe(
      'Size and load of the IPVS tables; null if unknown, as is each number that the kernel does not report.',
    ),
});

/** Ejection: backends that do not answer. */
export const ejection = z.object({
  mode: z.enum(['on', 'observe']).describe('observe: backends that do not answer stay in rotation.'),
  suspects: count.describe('Backends that are being probed because clients seem to get no reply.'),
  blind: z
    .object({
      since: instant.describe('Since when.'),
      failing: count.describe('Agents that cannot be reached.'),
      answering: count.describe('Agents that answer.'),
    })
    .nullable()
    .describe('Set if so many agents fail that this host may be cut off; ejection is then paused.'),
  behind: z
    .string()
    .nullable()
    .describe('Why connections or counters cannot be read often enough; null if they can.'),
  backends: z
    .array(
      z.object({
        backend: z.string().describe('tcp/10.0.0.1:31000.'),
        agent: z.string().describe('Address of the host that it runs on, or its own if that is unknown.'),
        cause: z
          .enum(['timed out', 'unreachable', 'refused', 'agent'])
          .describe('How connections to it fail. agent: TCP backends of its agent time out.'),
        reason: z.string().describe('What clients and probes observed.'),
        since: instant.describe('Since when.'),
        nextProbe: instant
          .nullable()
          .describe('When it is probed next; null if other backends of its agent are probed instead.'),
      }),
    )
    .describe(
      'Backends that do not answer, even those that a VIP keeps: at most half of its backends leave the rotation.',
    ),
});

/** Other network namespaces that get the same VIPs. */
export const networkNamespaces = z.object({
  directory: z.string().describe('The directory of --netns-dir.'),
  failure: z
    .string()
    .nullable()
    .describe(
      'Why the directory cannot be read, while the namespaces found before are kept; null if it can.',
    ),
  namespaces: z
    .array(
      z.object({
        id: z.string().describe('Name of its file.'),
        path: z.string().nullable().describe('Path of the namespace; null if its file gives none.'),
        inSync: z.boolean().describe('Whether its table, interface and routes are as desired.'),
        reason: z.string().nullable().describe('Why it is not in sync; null if it is.'),
        vips: count.describe("This controller's VIPs in its table."),
        since: instant.describe('When inSync last changed.'),
      }),
    )
    .describe('By id.'),
});
