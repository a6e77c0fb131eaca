import {
  type Attrs,
  attrTable,
  be16,
  be32,
  type Netlink,
  NLM_F,
  nested,
  openNetlink,
  raw,
  u8,
} from 'ipvs-netlink-ts/netlink';
import { type ConnectionKey, type RawEndpoint, tcpKey } from '../model/connection-entry.ts';
import type { WaitingConnections } from '../ports.ts';

const NETLINK_NETFILTER = 12;
/** NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET */
const GET_CONNECTIONS = (1 << 8) | 1;
/** NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS */
const GET_STATS = (1 << 8) | 5;
/** Size of struct nfgenmsg. With all bytes zero it selects both IPv4 and IPv6. */
const HEADER = 4;
const IPPROTO_TCP = 6;
/** IPS_SEEN_REPLY */
const SEEN_REPLY = 1 << 1;
/** TCP_CONNTRACK_SYN_SENT */
const SYN_SENT = 1;
/** Maximum number of waiting connections to use: more are a SYN flood rather than failing backends. */
const MAX_CONNECTIONS = 2_048;
/** How many calls make no query after one that failed or showed too few connections. */
const SKIPPED_CALLS = 300;

// <linux/netfilter/nfnetlink_conntrack.h>
const addressAttrs = attrTable('conntrack address', {
  sourceV4: { type: 1, codec: raw },
  destinationV4: { type: 2, codec: raw },
  sourceV6: { type: 3, codec: raw },
  destinationV6: { type: 4, codec: raw },
});
const portAttrs = attrTable('conntrack protocol', {
  protocol: { type: 1, codec: u8 },
  source: { type: 2, codec: be16 },
  destination: { type: 3, codec: be16 },
});
const tupleAttrs = attrTable('conntrack tuple', {
  address: { type: 1, codec: nested(addressAttrs) },
  ports: { type: 2, codec: nested(portAttrs) },
});
const tcpAttrs = attrTable('conntrack TCP', { state: { type: 1, codec: u8 } });
const stateAttrs = attrTable('conntrack state', { tcp: { type: 1, codec: nested(tcpAttrs) } });
const statsAttrs = attrTable('conntrack stats', { entries: { type: 1, codec: be32 } });
const connectionAttrs = attrTable('conntrack entry', {
  original: { type: 1, codec: nested(tupleAttrs) },
  reply: { type: 2, codec: nested(tupleAttrs) },
  status: { type: 3, codec: be32 },
  state: { type: 4, codec: nested(stateAttrs) },
  statusMask: { type: 26, codec: be32 },
});

const REQUEST = Buffer.concat([
  Buffer.alloc(HEADER),
  connectionAttrs.write({ status: 0, statusMask: SEEN_REPLY }),
]);

/**
 * Queries connection tracking for unanswered connections. It includes those that IPVS forwards if `net.ipv4.vs.conntrack` is
 * 1 and a packet filter uses connection tracking, as this controller's does. Kernels before Linux 5.15 cannot filter by state:
 * there, one query finds that out and all later calls resolve with null.
 */
export function createWaitingConnections(
  open: () => Netlink = () => openNetlink(NETLINK_NETFILTER),
): WaitingConnections {
  let socket: Netlink | null = null;
  let skip = 0;
  return {
    async read(connections) {
      skip -= 1;
      if (skip >= 0) return null;
      skip = SKIPPED_CALLS;
      try {
        socket ??= open();
        const [stats] = await socket.request(GET_STATS, 0, Buffer.alloc(HEADER), 'count connections');
        const { entries = 0 } = stats === undefined ? {} : statsAttrs.read(stats.subarray(HEADER));
        // Connection tracking keeps a connection about as long as IPVS does: far fewer entries mean that it lacks those of IPVS.
        if (entries < connections / 2) return null;
        const replies = await socket.request(GET_CONNECTIONS, NLM_F.DUMP, REQUEST, 'list connections');
        const keys = replies.slice(0, MAX_CONNECTIONS).map((reply) => keyOf(reply.subarray(HEADER)));
        // A kernel without this filter ignores it and returns all connections.
        const isFiltered = !keys.includes(ANSWERED);
        skip = isFiltered ? 0 : Number.POSITIVE_INFINITY;
        return isFiltered ? keys.filter((key) => typeof key === 'string') : null;
      } catch {
        return null;
      }
    },
    close() {
      socket?.close();
      socket = null;
    },
  };
}

const ANSWERED = Symbol('answered');

/** The key of a TCP connection that waits for its first answer; null for another protocol or state. */
function keyOf(entry: Uint8Array): ConnectionKey | typeof ANSWERED | null {
  const { original, reply, status = 0, state } = connectionAttrs.read(entry);
  if ((status & SEEN_REPLY) !== 0) return ANSWERED;
  if (original?.ports?.protocol !== IPPROTO_TCP || state?.tcp?.state !== SYN_SENT) return null;
  const [client, vip, backend] = [sourceOf(original), destinationOf(original), sourceOf(reply)];
  return client && vip && backend ? tcpKey(client, vip, backend) : null;
}

type Tuple = Attrs<(typeof tupleAttrs)['rows']>;

function sourceOf({ address, ports }: Tuple = {}): RawEndpoint | null {
  return endpointOf(address?.sourceV4 ?? address?.sourceV6, ports?.source);
}

function destinationOf({ address, ports }: Tuple = {}): RawEndpoint | null {
  return endpointOf(address?.destinationV4 ?? address?.destinationV6, ports?.destination);
}

function endpointOf(address: Uint8Array | undefined, port: number | undefined): RawEndpoint | null {
  return address === undefined || port === undefined ? null : { address, port };
}
