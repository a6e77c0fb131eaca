/**
 * How hosts that know nothing of each other spread their connections: each opens one to a VIP with ten backends. With 10 and
 * 40 hosts, each a network namespace, the kernel chooses; with 500 the choice is computed. Run in the lab, as root:
 *
 *   node --conditions=ipvs-source test/bench/spread-bench.ts [--check]
 *
 * `--check` exits with 1 when a target is missed.
 */

import { execFileSync } from 'node:child_process';
import { createHostOrder, type HostOrder } from '../../controller/plan/host-order.ts';
import { formatStep } from '../../controller/plan/ipvsadm.ts';
import { WEIGHT_1, WLC } from '../support/builders.ts';
import { firstOfHost, maxOverMean } from '../support/spread.ts';
import { median, Report } from './report.ts';

const BACKENDS = 10;
/** One figure says little: it is the median of so many VIPs. */
const VIPS = 9;
const nameOf = (host: number) => `node-${host} 10.0.0.${host}`;
const ASCENDING: HostOrder = (_service, additions) => additions;

const report = new Report();
// All hosts are alike then: a few show it.
const before = Array.from({ length: 3 }, () => choicesOf(ASCENDING));
const now = Array.from({ length: 40 }, (_, host) => choicesOf(createHostOrder(nameOf(host))));
add('one order on all hosts (what was)', before, null);
add('an order of its own on each', now.slice(0, 10), 4);
add('an order of its own on each', now, 2.5);
add('the same by simulation', simulated(500), 1.3);
report.print();

/** `choices`: of each host, one for each VIP. */
function add(what: string, choices: readonly (readonly number[])[], most: number | null): void {
  const figures = Array.from({ length: VIPS }, (_, vip) =>
    maxOverMean(
      choices.map((of) => of[vip] ?? -1),
      BACKENDS,
    ),
  );
  const target = most === null ? null : ({ ratio: most, is: 'at most' } as const);
  const worst = `worst of ${VIPS}: ${Math.max(...figures).toFixed(2)}`;
  report.add(`${choices.length} hosts x 1 connection, max/mean, ${what}`, median(figures), target, worst);
}

function simulated(hosts: number): readonly (readonly number[])[] {
  return Array.from({ length: hosts }, (_, host) =>
    Array.from({ length: VIPS }, (__, vip) => firstOfHost(nameOf(host), vip, BACKENDS)),
  );
}

/** In a namespace of its own: what the kernel chooses for the first connection to each VIP. */
function choicesOf(order: HostOrder): readonly number[] {
  const script = `
    ip link set lo up
    ip route add local 11.0.0.0/24 dev lo
    ip route add local 10.1.0.0/24 dev lo
    ipvsadm -R
    # The kernel chooses for the first datagram of a flow as for the first packet of a TCP connection, and nobody need answer.
    for i in $(seq ${VIPS}); do echo > /dev/udp/11.0.0.$i/80; done
    ipvsadm -Ln`;
  // With a socket as its input bash takes itself for a remote shell, and would read its start-up file.
  const stdout = execFileSync('unshare', ['-n', 'bash', '--norc', '-c', script], {
    input: tableOf(order),
    encoding: 'utf8',
  });
  return stdout
    .split(/^UDP +/m)
    .slice(1)
    .map((service) => {
      const chosen = [...service.matchAll(/-> 10\.1\.0\.(\d+):\d+ +Masq +1 +\d+ +(\d+)/g)].find(
        ([, , count]) => count !== '0',
      );
      if (chosen === undefined) throw new Error(`no backend was chosen:\n${stdout}`);
      return Number(chosen[1]) - 1;
    });
}

function tableOf(order: HostOrder): string {
  const lines: string[] = [];
  for (let vip = 1; vip <= VIPS; vip += 1) {
    const service = { protocol: 'udp', address: `11.0.0.${vip}`, port: 80 };
    const additions = Array.from({ length: BACKENDS }, (_, i) => ({
      op: 'add-backend' as const,
      service,
      backend: { address: `10.1.0.${i + 1}`, port: 31_000 + vip, ...WEIGHT_1 },
    }));
    const made = { ...service, ...WLC };
    lines.push(formatStep({ op: 'add-service', service: made }));
    lines.push(...order(`udp/${service.address}:80`, additions).map(formatStep));
  }
  return `${lines.join('\n')}\n`;
}
