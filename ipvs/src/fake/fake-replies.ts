import { align4 } from '../align.ts';
import { attrTable, nested, viewOf } from '../codec.ts';
import { isIpvsError } from '../errors.ts';
import { GENL_HEADER, genlPayload } from '../genl.ts';
import { eachMessage, MESSAGE_HEADER, type Message, message } from '../message.ts';
import { HOST_IS_LE } from '../scalars.ts';
import {
  type CommandAttrs,
  commandAttrs,
  familyAttrs,
  infoAttrs,
  stats32Attrs,
  stats64Attrs,
} from '../tables.ts';
import { GENL, IP_VS_SVC_F, IPVS_CMD, NLM_F, NLMSG } from '../uapi.ts';
import type { FakeService, FakeTable } from './fake-table.ts';
import type { FakeFaults, FakeRequest } from './faults.ts';

/** Any number from NLMSG_MIN_TYPE on other than that of the generic netlink controller. */
const IPVS_FAMILY = 28;

/** Maximum size of a part of a dump: a page without the kernel's overhead. */
const DUMP_BYTES = 3_776;

const ENOENT = 2;
const ESRCH = 3;
const EINVAL = 22;
const EOPNOTSUPP = 95;

/** A Linux version that added attributes. */
export type FakeVersion = '3.18' | '4.1' | '5.2';

/** What the answer to a request depends on. */
export interface FakeContext {
  readonly table: FakeTable;
  readonly faults: FakeFaults;
  readonly hasIpvs: boolean;
  readonly before: FakeVersion | undefined;
  readonly seen: (request: FakeRequest) => void;
}

const commandNames = new Map(Object.entries(IPVS_CMD).map(([name, number]) => [number as number, name]));

/** Carries out every message of a send and returns the datagrams that answer them. */
export function answerAll(bytes: Uint8Array, context: FakeContext): Uint8Array[] {
  const datagrams: Uint8Array[] = [];
  eachMessage(viewOf(bytes), bytes.length, (request) => {
    datagrams.push(...answer(bytes.slice(request.from - MESSAGE_HEADER, request.to), request, context));
  });
  return datagrams;
}

function answer(bytes: Uint8Array, request: Message, context: FakeContext): Uint8Array[] {
  const number = bytes[MESSAGE_HEADER] ?? 0;
  const command = request.type === GENL.ID_CTRL ? 'GETFAMILY' : (commandNames.get(number) ?? String(number));
  const dump = (request.flags & NLM_F.DUMP) === NLM_F.DUMP;
  const seen: FakeRequest = { command, dump, seq: request.seq, bytes };
  context.seen(seen);
  context.faults.before?.(seen);

  const refused = context.faults.refuse?.(seen) ?? 0;
  const replies = refused === 0 ? carryOut(request, number, dump, context) : refused;
  if (typeof replies === 'number') return outcome(bytes, request, replies);
  if (dump) return multipart(replies, request, context.faults);
  return [...replies.map((payload) => reply(request, 0, payload)), ...outcome(bytes, request, 0)];
}

/** Carries out one request. Returns the payloads of the replies, or an error number. */
function carryOut(
  request: Message,
  command: number,
  dump: boolean,
  context: FakeContext,
): Uint8Array[] | number {
  if (request.type === GENL.ID_CTRL) {
    if (!context.hasIpvs) return ENOENT;
    return [genlPayload(1, 2, familyAttrs.write({ name: 'IPVS', id: IPVS_FAMILY }))];
  }
  if (request.type !== IPVS_FAMILY || !context.hasIpvs) return ENOENT;
  try {
    const attrs = commandAttrs.readView(request.view, request.from + GENL_HEADER, request.to);
    return dump ? dumped(command, attrs, context) : done(command, attrs, context);
  } catch (cause) {
    if (isIpvsError(cause)) return EINVAL;
    throw cause;
  }
}

function done(command: number, attrs: CommandAttrs, context: FakeContext): Uint8Array[] | number {
  switch (command) {
    case IPVS_CMD.GET_SERVICE: {
      const service = context.table.find(attrs.service);
      return service ? [serviceReply(service, context)] : ESRCH;
    }
    case IPVS_CMD.GET_INFO:
      return [
        genlPayload(IPVS_CMD.SET_INFO, 1, infoAttrs.write({ version: 0x010201, connectionTableSize: 4096 })),
      ];
    case IPVS_CMD.GET_CONFIG:
      return [genlPayload(IPVS_CMD.SET_CONFIG, 1, commandAttrs.write(context.table.timeouts))];
    case IPVS_CMD.GET_DEST:
    case IPVS_CMD.GET_DAEMON:
      return EOPNOTSUPP;
    default:
      return context.table.change(command, attrs) || [];
  }
}

function dumped(command: number, attrs: CommandAttrs, context: FakeContext): Uint8Array[] | number {
  const { services, daemons } = context.table;
  if (command === IPVS_CMD.GET_SERVICE)
    return [...services.values()].map((service) => serviceReply(service, context));
  if (command === IPVS_CMD.GET_DAEMON) {
    return [...daemons.values()].map((daemon) =>
      genlPayload(IPVS_CMD.NEW_DAEMON, 1, commandAttrs.write({ daemon })),
    );
  }
  if (command !== IPVS_CMD.GET_DEST) return EOPNOTSUPP;
  const destinations = context.table.find(attrs.service)?.destinations.values() ?? [];
  return [...destinations].map((destination) => destinationReply(destination, context));
}

const noCounters = { connections: 0n, inPackets: 0n, outPackets: 0n, inBytes: 0n, outBytes: 0n };
const noRates = { connectionRate: 0, inPacketRate: 0, outPacketRate: 0, inByteRate: 0, outByteRate: 0 };
const noStats = { ...noCounters, ...noRates };

/** An attribute that a future kernel might send: readers must skip it. */
const futureRow = { future: { type: 77, codec: nested(stats32Attrs) } } as const;
const futureAttrs = attrTable('future', {
  stats: { type: 10, codec: nested(stats32Attrs) },
  stats64: { type: 12, codec: nested(stats64Attrs) },
  ...futureRow,
});

/** The fake kernel counts no traffic, so all replies have the same statistics. */
const stats32 = futureAttrs.write({ stats: noStats });
const stats64 = futureAttrs.write({ stats: noStats, stats64: noStats, future: noStats });

function statistics({ before }: FakeContext): Uint8Array {
  return before === '3.18' || before === '4.1' ? stats32 : stats64;
}

function serviceReply({ attrs }: FakeService, context: FakeContext): Uint8Array {
  const flags = { value: (attrs.flags?.value ?? 0) | IP_VS_SVC_F.HASHED, mask: 0xffff_ffff };
  const bytes = commandAttrs.write({ service: { ...attrs, flags } });
  return genlPayload(IPVS_CMD.NEW_SERVICE, 1, appendToNest(bytes, statistics(context)));
}

function destinationReply(attrs: CommandAttrs['destination'], context: FakeContext): Uint8Array {
  const family = context.before === '3.18' ? undefined : attrs?.family;
  const { tunnelType = 0, tunnelPort = 0, tunnelFlags = 0, ...known } = attrs ?? {};
  const tunnel = context.before === undefined ? { tunnelType, tunnelPort, tunnelFlags } : {};
  const bytes = commandAttrs.write({ destination: { ...known, ...tunnel, family } });
  return genlPayload(IPVS_CMD.NEW_DEST, 1, appendToNest(bytes, statistics(context)));
}

/** Appends attributes to the nest in `bytes`, which must hold exactly one. */
function appendToNest(bytes: Uint8Array, more: Uint8Array): Uint8Array {
  const all = new Uint8Array(bytes.length + more.length);
  all.set(bytes);
  all.set(more, bytes.length);
  viewOf(all).setUint16(0, all.length, HOST_IS_LE);
  return all;
}

function reply(request: Message, flags: number, payload: Uint8Array): Uint8Array {
  return message(request.type, flags, request.seq, payload);
}

/** The acknowledgement or error for a request; nothing if it succeeded and requested no acknowledgement. */
function outcome(bytes: Uint8Array, request: Message, errno: number): Uint8Array[] {
  if (errno === 0 && (request.flags & NLM_F.ACK) === 0) return [];
  // An error repeats the whole request, an acknowledgement only its header.
  const echo = errno === 0 ? bytes.subarray(0, MESSAGE_HEADER) : bytes;
  const payload = new Uint8Array(4 + echo.length);
  viewOf(payload).setInt32(0, -errno, HOST_IS_LE);
  payload.set(echo, 4);
  return [message(NLMSG.ERROR, errno === 0 ? NLM_F.CAPPED : 0, request.seq, payload)];
}

function multipart(payloads: readonly Uint8Array[], request: Message, faults: FakeFaults): Uint8Array[] {
  const interrupted = (faults.interruptDumps ?? 0) > 0;
  if (interrupted) faults.interruptDumps = (faults.interruptDumps ?? 0) - 1;
  const flags = NLM_F.MULTI | (interrupted ? NLM_F.DUMP_INTR : 0);

  const datagrams: Uint8Array[] = [];
  let part: Uint8Array[] = [];
  let size = 0;
  for (const payload of payloads) {
    const bytes = reply(request, flags, payload);
    if (size + bytes.length > DUMP_BYTES) {
      datagrams.push(Buffer.concat(part));
      [part, size] = [[], 0];
    }
    part.push(bytes);
    size += align4(bytes.length);
  }
  if (part.length > 0) datagrams.push(Buffer.concat(part));

  const errno = new Uint8Array(4);
  viewOf(errno).setInt32(0, -(faults.failDumps ?? 0), HOST_IS_LE);
  return [...datagrams, message(NLMSG.DONE, flags, request.seq, errno)];
}
