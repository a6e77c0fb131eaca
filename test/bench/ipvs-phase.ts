/** One phase of ipvs-bench in a process of its own, as cold as a program that was just started. Prints milliseconds. */
import { appendFileSync } from 'node:fs';
import { type Change, IpvsClient, netlinkTransport, type TableEntry, type Transport } from 'ipvs-netlink-ts';
import { MESSAGE_HEADER } from '../../ipvs/src/message.ts';
import { GENL } from '../../ipvs/src/uapi.ts';

/** An address as a program has it that has read it somewhere: what is put together from parts is put in one piece at its first use. */
function address(...octets: readonly number[]): string {
  return octets.join('.');
}

/** The table that the whole benchmark is about. */
function table(services: number, destinations: number): Change[] {
  return Array.from({ length: services }, (_, index) => {
    const service = {
      protocol: 'tcp',
      address: address(11, 0, index >> 8, index & 255),
      port: 80,
      scheduler: 'rr',
    } as const;
    return [
      { op: 'add-service', service } as const,
      ...Array.from({ length: destinations }, (_, place) => ({
        op: 'add-destination' as const,
        service,
        destination: {
          address: address(10, index >> 8, index & 255, place + 1),
          port: 31000 + place,
          weight: 1,
          forwardingMethod: 'masquerade' as const,
        },
      })),
    ];
  }).flat();
}

/** The same as `ipvsadm -R` reads it. */
function lines(changes: readonly Change[]): string {
  return changes
    .map((change) => {
      if (change.op === 'zero' || 'fwmark' in change.service) return '';
      const service = `-t ${change.service.address}:${change.service.port}`;
      if (!('destination' in change)) return `-A ${service} -s rr\n`;
      return `-a ${service} -r ${change.destination.address}:${change.destination.port} -m -w 1\n`;
    })
    .join('');
}

/** Keeps what is sent to IPVS, for the replay in C. */
function recorder(path: string): Transport {
  const kernel = netlinkTransport();
  return {
    open(protocol, events) {
      const link = kernel.open(protocol, events);
      return {
        ...link,
        send(bytes) {
          link.send(bytes);
          const type = new DataView(bytes.buffer, bytes.byteOffset, MESSAGE_HEADER).getUint16(4, true);
          if (type === GENL.ID_CTRL) return;
          appendFileSync(path, new Uint8Array(Uint32Array.of(bytes.length).buffer));
          appendFileSync(path, bytes);
        },
      };
    },
  };
}

/** Milliseconds of some work, which goes to stderr. */
async function timed<T>(work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  process.stderr.write(`${(performance.now() - start).toFixed(3)}\n`);
  return result;
}

/** Reads the table as a process that was just started, and then as one that has run for a while. */
async function read(expected: number): Promise<void> {
  const client = await timed(async () => {
    const opened = await IpvsClient.open();
    check(await opened.listTable());
    return opened;
  });
  for (let again = 0; again < 5; again++) await timed(async () => check(await client.listTable()));
  client.close();

  function check(entries: readonly TableEntry[]): void {
    const found = entries.reduce((sum, { destinations: each }) => sum + 1 + each.length, 0);
    if (found !== expected) throw new Error(`read ${found} of ${expected}`);
  }
}

const CHANGES = 50;

/** One backend comes and another goes, again and again, in a process that has run for a while. */
async function change(): Promise<void> {
  const [first] = changes;
  if (first?.op !== 'add-service') throw new Error('the table begins with a service');
  const { service } = first;
  const client = await IpvsClient.open();
  const destination = (place: number) => ({
    address: `10.99.0.${1 + (place % 2)}`,
    port: 31_000,
    weight: 1,
    forwardingMethod: 'masquerade' as const,
  });
  await client.addDestination(service, destination(0));
  for (let round = 1; round <= CHANGES; round++) {
    const failures = await timed(() =>
      client.batch([
        { op: 'add-destination', service, destination: destination(round) },
        { op: 'remove-destination', service, destination: destination(round - 1) },
      ]),
    );
    if (failures[0]) throw failures[0].error;
  }
  await client.removeDestination(service, destination(CHANGES));
  client.close();
}

const [phase, services, destinations, path = ''] = process.argv.slice(2);
const changes = phase === 'read' ? [] : table(Number(services), Number(destinations));

if (phase === 'lines') {
  process.stdout.write(lines(changes));
} else if (phase === 'program') {
  const client = await IpvsClient.open();
  const failures = await timed(() => client.batch(changes));
  client.close();
  if (failures[0]) throw failures[0].error;
} else if (phase === 'record-program') {
  const client = await IpvsClient.open({ transport: recorder(path) });
  await client.batch(changes);
  client.close();
} else if (phase === 'record-read') {
  const client = await IpvsClient.open({ transport: recorder(path) });
  await client.listTable();
  client.close();
} else if (phase === 'change') {
  await change();
} else if (phase === 'read') {
  await read(Number(services) * (1 + Number(destinations)));
}
