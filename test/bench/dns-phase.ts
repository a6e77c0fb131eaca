/** The DNS server of the controller with so many names: `dns-phase.ts PORT NAMES`. For dns-bench.ts. */

import { NameServer } from '../../controller/dns/name-server.ts';
import { DnsMetrics } from '../../controller/metrics/dns.ts';
import { serviceKey } from '../../controller/model/service.ts';
import { systemClock } from '../../controller/time.ts';
import { service } from '../support/builders.ts';

const [port, names] = process.argv.slice(2).map(Number);
const quiet = () => undefined;

const server = new NameServer({
  listen: [{ address: '127.0.0.1', port: port ?? 0 }],
  zones: ['l4lb.thisdcos.directory'],
  pools: ['11.0.0.0/8', 'fd01:c::/64'],
  ttlSeconds: 5,
  meter: new DnsMetrics(),
  store: { loadSerial: async () => null, saveSerial: async () => undefined },
  log: { debug: quiet, info: quiet, warn: quiet, error: console.error },
  clock: systemClock,
});
const services = Array.from({ length: names ?? 0 }, (_, i) =>
  service(`11.0.${i >> 8}.${i & 255}`, 80, [], { name: `web${i}` }),
);
server.publish(new Map(services.map((each) => [serviceKey(each), each])));
