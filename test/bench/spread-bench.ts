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
import { firstOfHost, maxOverMean } from '../support/spread.ts';
import { median, Report } from './report.ts';

const BACKENDS = 10;
/** One figure says little: it is the median of so many VIPs. */
const VIPS = 9;
const nameOf = (host: number) => `node-${host} 10.0.0.${host}`;
const ASCENDING: HostOrder = (_service, additions) => additions;

const report = new Report();
add(
  'one order on all hosts (what was)',
  10,
  onKernel(10, () => ASCENDING),
  null,
);
add(
  'an order of its own on each',
  10,
  onKernel(10, (host) => createHostOrder(nameOf(host))),
  4,
);
add(
  'an order of its own on each',
  40,
  onKernel(40, (host) => createHostOrder(nameOf(host))),
  2.5,
);
add('the same by simulation', 500, simulated(500), 1.3);
report.print();

function add(what: string, hosts: number, figures: readonly number[], most: number | null): void {
  const target = most === null ? null : ({ ratio: most, is: 'at most' } as const);
  const worst = Math.max(...figures).toFixed(2);
  report.add(
    `${hosts} hosts x 1 connection, max/mean, ${what}`,
    median(figures),
    target,
    `worst of ${VIPS}: ${worst}`,
  );
}

function simulated(hosts: number): readonly number[] {
  return Array.from({ length: VIPS }, (_, vip) => {
    const choices = Array.from({ length: hosts }, (__, host) => firstOfHost(nameOf(host), vip, BACKENDS));
    return maxOverMean(choices, BACKENDS);
  });
}

/** For each VIP, how the connections of all hosts are spread. */
function onKernel(hosts: number, orderOf: (host: number) => HostOrder): readonly number[] {
  const choices = Array.from({ length: hosts }, (_, host) => choicesOf(orderOf(host)));
  return Array.from({ length: VIPS }, (_, vip) =>
    maxOverMean(
      choices.map((of) => of[vip] ?? -1),
      BACKENDS,
    ),
  );
}

/** In a namespace of its own: what the kernel chooses for the first connection to each VIP. */
function choicesOf(order: HostOrder): readonly number[] {
  const urls = Array.from({ length: VIPS }, (_, vip) => `http://11.0.0.${vip + 1}/`);
  const script = `
    ip link set lo up
    ip route add local 11.0.0.0/24 dev lo
    ip route add local 10.1.0.0/24 dev lo
    ipvsadm -R
    # Nobody listens: the kernel has chosen once the first packet is out.
    curl -s -Z --parallel-immediate -m 0.5 ${urls.join(' ')} 2>/dev/null
    ipvsadm -Ln --stats --exact`;
  const stdout = execFileSync('unshare', ['-n', 'sh', '-c', script], {
    input: tableOf(order),
    encoding: 'utf8',
  });
  return stdout
    .split(/^TCP +/m)
    .slice(1)
    .map((service) => {
      const chosen = [...service.matchAll(/-> 10\.1\.0\.(\d+):\d+ +(\d+)/g)].find(
        ([, , count]) => count !== '0',
      );
      return Number(chosen?.[1]) - 1;
    });
}

function tableOf(order: HostOrder): string {
  const lines: string[] = [];
  for (let vip = 1; vip <= VIPS; vip += 1) {
    const service = { protocol: 'tcp', address: `11.0.0.${vip}`, port: 80 };
    const additions = Array.from({ length: BACKENDS }, (_, i) => ({
      op: 'add-backend' as const,
      service,
      backend: { address: `10.1.0.${i + 1}`, port: 31_000 + vip, weight: 1 },
    }));
    const made = { ...service, scheduler: 'wlc', persistenceSeconds: 0 };
    lines.push(formatStep({ op: 'add-service', service: made }));
    lines.push(...order(`tcp/${service.address}:80`, additions).map(formatStep));
  }
  return `${lines.join('\n')}\n`;
}
