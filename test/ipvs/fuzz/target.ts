/** All that this library reads replies with, held to its promise: a result that makes sense, or an `IpvsError`. */

import type { ObservedDestination, ObservedService, Stats } from 'ipvs-netlink-ts';
import { viewOf } from '../../../ipvs/src/codec.ts';
import { readDaemon, readInfo, readTimeouts } from '../../../ipvs/src/control.ts';
import { decode, formatDecoded } from '../../../ipvs/src/decode/decode.ts';
import { IpvsError } from '../../../ipvs/src/errors.ts';
import { GENL_HEADER } from '../../../ipvs/src/genl.ts';
import { eachMessage, errnoOf, type Message } from '../../../ipvs/src/message.ts';
import { readDestination, readService } from '../../../ipvs/src/replies.ts';
import { familyAttrs } from '../../../ipvs/src/tables.ts';

/** What came of a reply: `result`, or the error's message without its numbers. Throws for anything else. */
export function readReply(bytes: Uint8Array): readonly string[] {
  const outcomes: string[] = [];
  const attempt = (what: string, read: () => void) => {
    try {
      read();
      outcomes.push(what);
    } catch (error) {
      if (!(error instanceof IpvsError)) throw error;
      if (error.code !== 'malformed-reply') throw new Error(`${what}: code ${error.code}`, { cause: error });
      outcomes.push(`${what}: ${error.message.replaceAll(/\d+/g, 'N')}`);
    }
  };
  attempt('datagram', () =>
    eachMessage(viewOf(bytes), bytes.length, (message) => {
      for (const [what, read] of READERS) attempt(what, () => read(message));
    }),
  );
  return outcomes;
}

const READERS: readonly (readonly [string, (message: Message) => void])[] = [
  ['service', (message) => checkService(readService(message))],
  ['destination', (message) => checkDestination(readDestination(message, 'ipv4'))],
  ['destination of IPv6', (message) => checkDestination(readDestination(message, 'ipv6'))],
  ['info', (message) => check('version', /^\d+\.\d+\.\d+$/.test(readInfo(message).version))],
  [
    'timeouts',
    (message) => {
      for (const [name, value] of Object.entries(readTimeouts(message))) checkInteger(name, value, 32);
    },
  ],
  ['daemon', (message) => checkInteger('sync id', readDaemon(message).syncId, 32)],
  ['family', ({ view, from, to }) => familyAttrs.readView(view, from + GENL_HEADER, to)],
  ['error', (message) => check('errno', Number.isInteger(errnoOf(message)))],
];

/** The decoder of the command line takes any bytes, and has no error at all. */
export function decodeReply(bytes: Uint8Array): void {
  formatDecoded(decode(Buffer.from(Buffer.from(bytes).toString('hex')), { family: 28 }));
}

function checkService(service: ObservedService): void {
  if ('address' in service) {
    check('address', service.address.length >= 2);
    checkInteger('port', service.port, 16);
  } else {
    checkInteger('fwmark', service.fwmark, 32);
  }
  check('scheduler', typeof service.scheduler === 'string');
  checkStats(service.stats);
}

function checkDestination({ address, port, weight, stats, ...rest }: ObservedDestination): void {
  check('address', address.length >= 2);
  checkInteger('port', port, 16);
  checkInteger('weight', weight, 32);
  checkInteger('connections', rest.activeConnections, 32);
  checkStats(stats);
}

function checkStats({ connections, inBytes, connectionRate, outByteRate }: Stats): void {
  for (const counter of [connections, inBytes]) check('counter', counter >= 0n && counter < 2n ** 64n);
  for (const rate of [connectionRate, outByteRate]) check('rate', rate >= 0 && rate <= 2 ** 64);
}

function checkInteger(what: string, value: number, bits: number): void {
  check(what, Number.isInteger(value) && value >= 0 && value < 2 ** bits);
}

function check(what: string, holds: boolean): void {
  if (!holds) throw new Error(`${what} makes no sense`);
}
