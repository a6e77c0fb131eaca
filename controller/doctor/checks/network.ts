import ipaddr from 'ipaddr.js';
import { shellWord, writeFile } from '../../fixes.ts';
import { type Found, fine } from '../document.ts';
import type { Facts } from '../facts.ts';

/** Checks that no VIP has an address of this host or of a network that it routes to. */
export function checkVipAddresses({
  controller,
  addresses,
  routes,
  wanted,
}: Pick<Facts, 'controller' | 'addresses' | 'routes' | 'wanted'>): Found[] {
  if (controller === null) return [];
  const ours = ({ interfaceName }: { readonly interfaceName: string }) =>
    interfaceName === wanted.interfaceName;
  const taken = new Map(addresses.filter((one) => !ours(one)).map((one) => [one.address, one.interfaceName]));
  const connected = routes.filter((route) => !ours(route) && !isDefault(route.network));
  const findings: Found[] = [];
  for (const { id, address, name } of controller.vips) {
    if (address === null) continue;
    const holder = taken.get(address);
    const near = name === null ? connected.find(({ network }) => contains(network, address)) : undefined;
    if (holder === undefined && near === undefined) continue;
    const found =
      holder === undefined
        ? `in ${near?.network}, which is routed to ${near?.interfaceName}`
        : `this host has it on ${holder}`;
    findings.push({
      code: 'vip-address',
      check: `VIP ${id}`,
      state: holder === undefined ? 'warning' : 'problem',
      found,
      wanted: 'an address that no host has',
      why: 'every host that runs a controller claims the address, which cuts off its real owner',
      command: `marathon-ipvs status ${address} # names the app whose label must get another address`,
    });
  }
  if (findings.length > 0) return findings;
  return [
    fine(
      'vip-address',
      'VIP addresses',
      `none of ${controller.vips.length} VIPs has an address of this host or of a network that it routes to`,
    ),
  ];
}

/** Checks that the pools of named VIPs overlap no network that this host routes to. */
export function checkPools({ routes, wanted }: Pick<Facts, 'routes' | 'wanted'>): Found[] {
  return wanted.pools.map((pool) => {
    const clashes = routes.filter(
      ({ network, interfaceName }) =>
        interfaceName !== wanted.interfaceName && !isDefault(network) && overlap(network, pool),
    );
    const check = `pool ${pool}`;
    const [first] = clashes;
    if (first === undefined) return fine('pool', check, 'overlaps no route of this host');
    const option = pool.includes(':') ? 'pool-ipv6' : 'pool-ipv4';
    return {
      code: 'pool',
      check,
      state: 'problem',
      found: `overlaps ${clashes.map(({ network, interfaceName }) => `${network} dev ${interfaceName}`).join(', ')}`,
      wanted: 'a network that nothing else uses',
      why: 'what lies in both cannot be reached from this host any more',
      command: `ip route show root ${first.network} # who needs it? else: give ${option} another network in the file of --config on every host, then systemctl restart marathon-ipvs`,
    };
  });
}

/** Other programs that write IPVS tables, with the interfaces and processes that reveal them. */
const OWNERS = [
  {
    program: 'kube-proxy in IPVS mode',
    interfaceName: 'kube-ipvs0',
    process: 'kube-proxy',
    removes: 'it removes every service that it does not know',
  },
  {
    program: 'dcos-net',
    interfaceName: 'minuteman',
    process: 'dcos-net',
    removes: 'it has the same pool and the same VIPs',
  },
  {
    program: 'kube-router',
    interfaceName: 'kube-dummy-if',
    process: 'kube-router',
    removes: 'it removes every service that it does not know',
  },
  { program: 'keepalived', interfaceName: null, process: 'keepalived', removes: null },
] as const;

/** Warns of other programs that write this host's IPVS table. */
export function checkOwners({
  interfaces,
  processes,
  ipvs,
  controller,
  wanted,
}: Pick<Facts, 'interfaces' | 'processes' | 'ipvs' | 'controller' | 'wanted'>): Found[] {
  const foreign = controller?.foreignServices ?? null;
  const findings: Found[] = OWNERS.flatMap(({ program, interfaceName, process, removes }) => {
    const traces = [
      ...(interfaceName !== null && interfaces.includes(interfaceName) ? [`interface ${interfaceName}`] : []),
      ...(processes.has(process) ? [`process ${process}`] : []),
    ];
    // kube-proxy writes IPVS tables only in IPVS mode.
    if (traces.length === 0 || (process === 'kube-proxy' && !interfaces.includes('kube-ipvs0'))) return [];
    return {
      code: 'other-writer',
      check: program,
      state: 'warning',
      found: traces.join(', '),
      wanted: 'one writer for each service',
      why: removes ?? 'its services are left alone; two programs must not have the same address and port',
      command:
        removes === null
          ? null
          : `marathon-ipvs diff --config /etc/marathon-ipvs/config.yaml # shows what is still missing; then stop ${program}`,
    } satisfies Found;
  });
  const others =
    foreign === null
      ? `${outsideThePools(ipvs, wanted.pools)} outside the pools`
      : `${foreign} of other programs, left alone`;
  return [...findings, fine('other-writer', 'other services', others)];
}

function outsideThePools(ipvs: Facts['ipvs'], pools: readonly string[]): number {
  if (!('services' in ipvs)) return 0;
  return ipvs.services.filter((address) => !pools.some((pool) => contains(pool, address))).length;
}

/** The files of deploy/systemd, for an interface of any name. */
const DROP_INS = {
  NetworkManager: {
    target: '/etc/NetworkManager/conf.d/90-marathon-ipvs.conf',
    lines: (name: string) => ['[device-marathon-ipvs]', `match-device=interface-name:${name}`, 'managed=0'],
    reload: 'systemctl reload NetworkManager',
  },
  'systemd-networkd': {
    target: '/etc/systemd/network/05-marathon-ipvs.network',
    lines: (name: string) => ['[Match]', `Name=${name}`, '', '[Link]', 'Unmanaged=yes'],
    reload: 'networkctl reload',
  },
} as const;

/** Checks that running network managers leave the controller's interface alone (dcos #7683: its addresses vanished). */
export function checkManagers({ managers, wanted }: Pick<Facts, 'managers' | 'wanted'>): Found[] {
  return managers.map(({ name, running, leavesOursAlone }) => {
    if (!running) return fine('network-manager', name, 'does not run here');
    if (leavesOursAlone)
      return fine('network-manager', name, `runs, and is configured to leave ${wanted.interfaceName} alone`);
    const { lines, target, reload } = DROP_INS[name];
    return {
      code: 'network-manager',
      check: name,
      state: 'warning',
      found: `runs, and may take over ${wanted.interfaceName}`,
      wanted: `${target} with ${wanted.interfaceName} as unmanaged`,
      why: 'it may remove routes that it did not add; the controller restores them within about a second, and connections break meanwhile',
      command: `${writeFile(target, lines(wanted.interfaceName))} && ${reload}`,
    };
  });
}

/** Checks that a container can reach a VIP that it is itself a backend of. */
export function checkBridges({ bridges }: Pick<Facts, 'bridges'>): Found[] {
  const { filtered, containerPorts } = bridges;
  const check = 'bridges';
  const counted = `${containerPorts.length} ports that lead to containers`;
  const without = containerPorts.filter(({ hairpin }) => !hairpin).map(({ name }) => name);
  if (!filtered) return [fine('bridges', check, `${counted}; not seen by the packet filter`)];
  if (without.length === 0) return [fine('bridges', check, `${counted}, all in hairpin mode`)];
  const shown = without.slice(0, MAX_SHOWN_PORTS).join(', ');
  const more = without.length > MAX_SHOWN_PORTS ? `, ${without.length - MAX_SHOWN_PORTS} more` : '';
  return [
    {
      code: 'bridges',
      check,
      state: 'warning',
      found: `br_netfilter, and ${without.length} of ${counted} not in hairpin mode (${shown}${more})`,
      wanted: 'hairpin mode, or net.bridge.bridge-nf-call-iptables = 0',
      why: 'a container that is a backend gets no answer when it connects to its own VIP: the bridge does not send a packet back to the port that it came from',
      command: `bridge link set dev ${shellWord(without[0] ?? '')} hairpin on # until that container ends; to keep it, for all containers, set the option of the runtime (CNI bridge: hairpinMode, docker: userland-proxy false)`,
    },
  ];
}

/** A host may have hundreds of containers. */
const MAX_SHOWN_PORTS = 3;

function isDefault(network: string): boolean {
  return network.endsWith('/0');
}

function contains(network: string, address: string): boolean {
  const [range, prefix] = ipaddr.parseCIDR(network);
  const parsed = ipaddr.parse(address);
  return parsed.kind() === range.kind() && parsed.match(range, prefix);
}

function overlap(a: string, b: string): boolean {
  const [first = ''] = a.split('/');
  const [second = ''] = b.split('/');
  return contains(a, second) || contains(b, first);
}
