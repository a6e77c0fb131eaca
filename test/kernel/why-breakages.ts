/** Ways in which a connection to a VIP breaks on a real host, one by one, each with the cause that `why` must name. */

import type { Cause } from '../../controller/why/causes.ts';
import { SERVERS } from './why-name-servers.ts';

export interface Breakage {
  readonly cause: Cause;
  /** Who did what. */
  readonly by: string;
  /** What is asked; the VIP of `/my-service` unless told otherwise. */
  readonly ask?: string;
  /** Further options of `why`. */
  readonly options?: readonly string[];
  /** A line of shell that breaks it, and one that mends it. */
  readonly breaks?: string;
  readonly mends?: string;
  /** The client's resolv.conf and hosts file. */
  readonly resolv?: string;
  readonly hosts?: string;
  /** What the proof must have in it. */
  readonly proof?: RegExp;
}

export const VIP = '11.134.217.55';
const SERVICE = `-t ${VIP}:5555`;
const REMOTE = '10.9.0.1:31000';
const OTHER = '10.9.0.1:31001';

/** Of names and apps: the definitions have all of it. */
export const DECLARED: readonly Breakage[] = [
  {
    cause: 'unknown-name',
    by: 'a client that writes the name wrong',
    ask: 'my-servise:5555',
    proof: /my-servise/,
  },
  { cause: 'wrong-port', by: 'a client that uses another port', ask: 'my-service:80', proof: /5555\/tcp/ },
  { cause: 'wrong-protocol', by: 'a client that uses UDP', ask: 'my-service:5555/udp', proof: /tcp only/ },
  { cause: 'label-rejected', by: 'a label without a port', ask: 'nocolon', proof: /VIP_0.*nocolon/ },
  {
    cause: 'app-rejected',
    by: 'ports that are not a list',
    ask: '/malformed',
    proof: /portDefinitions: "http"/,
  },
  { cause: 'no-backend', by: 'an app without tasks', ask: 'idle:80' },
  { cause: 'unhealthy', by: 'tasks that fail their health check', ask: 'sick', proof: /failing/ },
  { cause: 'no-health-result', by: 'a health check without a result', ask: 'young', proof: /no result yet/ },
  { cause: 'weight-zero', by: 'IPVS_WEIGHT=0', ask: 'resting', proof: /IPVS_WEIGHT/ },
  { cause: 'ending', by: 'tasks that are being killed', ask: 'ending', proof: /being killed/ },
  {
    cause: 'conflict',
    by: "another program's service",
    ask: '192.168.77.7:80',
    // Whose it is says the ledger alone.
    options: ['--ledger', '/run/no-such-ledger.json'],
  },
];

/** Of the kernel's table. */
export const TABLE: readonly Breakage[] = [
  {
    cause: 'service-missing',
    by: 'someone who removes the service',
    breaks: `ipvsadm -D ${SERVICE}`,
    mends: `ipvsadm -A ${SERVICE} -s wlc && ipvsadm -a ${SERVICE} -r ${REMOTE} -m && ipvsadm -a ${SERVICE} -r ${OTHER} -m`,
  },
  {
    cause: 'destination-missing',
    by: 'someone who removes a backend',
    breaks: `ipvsadm -d ${SERVICE} -r ${REMOTE}`,
    mends: `ipvsadm -a ${SERVICE} -r ${REMOTE} -m`,
    proof: /10\.9\.0\.1:31000/,
  },
  {
    cause: 'destination-weight',
    by: 'someone who sets a weight to 0',
    breaks: `ipvsadm -e ${SERVICE} -r ${REMOTE} -m -w 0`,
    mends: `ipvsadm -e ${SERVICE} -r ${REMOTE} -m -w 1`,
    proof: /10\.9\.0\.1:31000/,
  },
  {
    cause: 'destination-forwarding',
    by: 'someone who sets direct routing',
    ask: 'same-port',
    breaks: `ipvsadm -e -t $(ipvsadm -Sn | sed -n 's/^-A -t \\(.*:31000\\) .*/\\1/p') -r ${REMOTE} -g -w 1`,
    mends: `ipvsadm -e -t $(ipvsadm -Sn | sed -n 's/^-A -t \\(.*:31000\\) .*/\\1/p') -r ${REMOTE} -m -w 1`,
  },
  {
    cause: 'destination-unwanted',
    by: 'someone who adds a backend',
    breaks: `ipvsadm -a ${SERVICE} -r 10.9.0.1:31999 -m`,
    mends: `ipvsadm -d ${SERVICE} -r 10.9.0.1:31999`,
    proof: /31999/,
  },
];

/** As the fix of most of these says, the controller puts it back. */
export const RESTORE = 'restore';

/** Of route, interface and settings. */
export const ROUTES: readonly Breakage[] = [
  {
    cause: 'interface-missing',
    by: 'a network manager that removes the interface',
    breaks: 'ip link del vip0',
    mends: RESTORE,
    proof: /vip0/,
  },
  {
    cause: 'interface-down',
    by: 'someone who sets the interface down',
    breaks: 'ip link set vip0 down; ip route flush dev vip0 table local',
    mends: RESTORE,
    proof: /vip0 is down/,
  },
  {
    cause: 'route-missing',
    by: 'someone who removes the route, with a default route elsewhere',
    breaks: 'ip route add default via 10.9.0.254; ip route flush dev vip0 table local',
    mends: RESTORE,
    proof: /leave this host through agent/,
  },
  {
    cause: 'route-refuses',
    by: 'someone who removes the route, without any other',
    breaks: 'ip route del default 2>/dev/null; ip route flush dev vip0 table local',
    mends: RESTORE,
  },
  {
    cause: 'route-refuses',
    by: 'a rule that prohibits the address',
    breaks: `ip rule add to ${VIP} prohibit pref 0; ip rule del from all lookup local pref 0; ip rule add from all lookup local pref 10`,
    mends: `ip rule add from all lookup local pref 0; ip rule del to ${VIP} prohibit; ip rule del pref 10`,
  },
];

const drop = (chain: string, rule: string, target = 'DROP') => ({
  breaks: `iptables-legacy ${chain.includes(' ') ? chain.replace(' ', ' -I ') : `-I ${chain}`} ${rule} -j ${target}`,
  mends: `iptables-legacy ${chain.includes(' ') ? chain.replace(' ', ' -D ') : `-D ${chain}`} ${rule} -j ${target}`,
});

/** Of packet filters. */
export const FILTERS: readonly Breakage[] = [
  {
    cause: 'filter-drops',
    by: 'a raw rule for the address of the VIP',
    ...drop('-traw OUTPUT', `-d ${VIP}`),
    proof: /-d 11\.134\.217\.55/,
  },
  {
    cause: 'filter-drops',
    by: 'a mangle rule for the port, in a chain of its own',
    breaks:
      'iptables-legacy -tmangle -N other && iptables-legacy -tmangle -A other -p tcp --dport 5555 -j DROP && iptables-legacy -tmangle -I OUTPUT -j other',
    mends:
      'iptables-legacy -tmangle -D OUTPUT -j other; iptables-legacy -tmangle -F other; iptables-legacy -tmangle -X other',
    proof: /--dport 5555/,
  },
  {
    cause: 'filter-drops-backend',
    by: 'a firewall that drops the port of the backends',
    ...drop('INPUT', '-p tcp --dport 31000:31001'),
    proof: /backend 10\.9\.0\.1:3100/,
  },
  {
    cause: 'filter-drops-backend',
    by: 'a firewall that rejects the port of the backends',
    ...drop('INPUT', '-p tcp -m multiport --dports 31000,31001', 'REJECT'),
  },
  {
    cause: 'filter-policy',
    by: 'a firewall that accepts other ports only',
    // It drops answers to questions for names too.
    ask: `${VIP}:5555`,
    breaks: 'iptables-legacy -A INPUT -p tcp --dport 22 -j ACCEPT && iptables-legacy -P INPUT DROP',
    mends: 'iptables-legacy -P INPUT ACCEPT && iptables-legacy -F INPUT',
    proof: /INPUT.*policy/,
  },
  {
    cause: 'filter-translates',
    by: 'a port that a container runtime publishes',
    breaks:
      'iptables-legacy -tnat -A OUTPUT -p tcp --dport 5555 -m addrtype --dst-type LOCAL -j DNAT --to-destination 10.9.0.1:31000',
    mends: 'iptables-legacy -tnat -F OUTPUT',
    proof: /DNAT/,
  },
];

/** Of limits and of the backends themselves. */
export const TRAFFIC: readonly Breakage[] = [
  {
    cause: 'conntrack-full',
    by: 'a small table of connection tracking',
    // With a full table names cannot be asked for either.
    ask: `${VIP}:5555`,
    breaks:
      'iptables-legacy -I INPUT -m conntrack --ctstate INVALID -j ACCEPT; for i in 1 2 3 4 5 6 7 8 9; do curl -s -o /dev/null http://10.9.0.1:31000/; done; cat /proc/sys/net/netfilter/nf_conntrack_max >/tmp/most; echo 5 >/proc/sys/net/netfilter/nf_conntrack_max',
    mends: 'cat /tmp/most >/proc/sys/net/netfilter/nf_conntrack_max; iptables-legacy -F INPUT',
    proof: /nf_conntrack_max/,
  },
  {
    cause: 'ports-used-up',
    by: 'a tiny range of source ports',
    breaks:
      'cat /proc/sys/net/ipv4/ip_local_port_range >/tmp/range; echo "40000 40003" >/proc/sys/net/ipv4/ip_local_port_range',
    mends: 'cat /tmp/range >/proc/sys/net/ipv4/ip_local_port_range',
    proof: /no source port/,
  },
  {
    cause: 'backend-refuses',
    by: 'a task that does not listen',
    ask: 'deaf',
    proof: /10\.9\.0\.1:31005: refused/,
  },
  {
    cause: 'backend-refuses',
    by: 'one task of two that does not listen',
    ask: 'half-deaf',
    proof: /1 of 2 backends/,
  },
  {
    cause: 'backend-silent',
    by: 'a host that takes packets and says nothing',
    ask: 'gone',
    proof: /10\.9\.0\.77/,
  },
  { cause: 'backend-unreachable', by: 'an agent without a route to it', ask: 'far', proof: /no route/ },
  {
    cause: 'limit-reached',
    by: 'IPVS_MAX_CONNECTIONS',
    ask: '192.168.77.8:80',
    breaks: 'for i in 1 2; do curl -s -m 5 -o /dev/null http://192.168.77.8/; done',
    proof: /IPVS_MAX_CONNECTIONS/,
  },
];

const serverLines = (...servers: readonly string[]) => servers.map((each) => `nameserver ${each}\n`).join('');

/** Of names. */
export const NAMES: readonly Breakage[] = [
  { cause: 'no-name-server', by: 'a resolv.conf without servers', resolv: 'search example.org\n' },
  {
    cause: 'hosts-file',
    by: 'a forgotten line of a hosts file',
    hosts: '10.1.1.1 my-service.marathon.l4lb.thisdcos.directory',
    proof: /10\.1\.1\.1/,
  },
  {
    cause: 'name-server-silent',
    by: 'a server that does not answer',
    resolv: serverLines(SERVERS.silent),
    proof: /no answer/,
  },
  {
    cause: 'name-server-silent',
    by: 'a server that does not run',
    resolv: serverLines(SERVERS.absent),
    proof: /127\.0\.0\.58/,
  },
  {
    cause: 'name-server-fails',
    by: 'a forwarder that fails',
    resolv: serverLines(SERVERS.failing),
    proof: /server failure/,
  },
  {
    cause: 'name-not-known',
    by: 'a server that does not know the zone, before one that does',
    resolv: serverLines(SERVERS.ignorant, SERVERS.knowing),
    proof: /127\.0\.0\.54 does not know/,
  },
  {
    cause: 'wrong-address',
    by: 'a server with another pool',
    resolv: serverLines(SERVERS.wrong),
    proof: /11\.9\.9\.9/,
  },
];

export const FROM_CLIENT = ['--from-netns', 'client'];

/** From a container, some with a backend on another host. */
export const CONTAINERS: readonly Breakage[] = [
  {
    cause: 'client-unreachable',
    by: 'a container without a route',
    options: FROM_CLIENT,
    ask: `${VIP}:5555`,
    breaks: 'ip -n client route del default',
    mends: 'ip -n client route add default via 10.8.0.1',
    proof: /no route/,
  },
  {
    cause: 'forwarding-off',
    by: 'someone who switches forwarding off',
    options: FROM_CLIENT,
    ask: '192.168.77.9:80',
    breaks: 'echo 0 >/proc/sys/net/ipv4/ip_forward',
    mends: 'echo 1 >/proc/sys/net/ipv4/ip_forward',
    proof: /ip_forward is 0/,
  },
  {
    cause: 'no-answer',
    by: 'a backend that answers by another way',
    options: FROM_CLIENT,
    ask: '192.168.77.9:80',
    breaks: 'ip -n remote route del default',
    mends: 'ip -n remote route add default via 10.6.0.1',
    proof: /SYN_RECV to 10\.6\.0\.2:31000/,
  },
];

/** Hosts on which connections work although something looks odd: no cause may be named. */
export const HEALTHY: readonly Omit<Breakage, 'cause'>[] = [
  { by: 'nothing odd, by name' },
  {
    by: 'the DNS name, in capitals and with a dot',
    ask: 'My-Service.marathon.l4lb.thisdcos.directory.:5555',
  },
  { by: 'the address, whatever the resolver says', ask: `${VIP}:5555`, resolv: serverLines(SERVERS.absent) },
  { by: 'the app', ask: '/my-service' },
  {
    by: 'a right line in the hosts file',
    hosts: `${VIP} my-service.marathon.l4lb.thisdcos.directory`,
    resolv: '',
  },
  { by: 'a silent server before one that answers', resolv: serverLines(SERVERS.absent, SERVERS.knowing) },
  { by: 'one backend of two that is not healthy', ask: 'half-sick' },
  { by: 'a UDP VIP', ask: 'names:53' },
  { by: 'a limit that is not reached', ask: '192.168.77.10:80' },
  { by: 'a container', ask: `${VIP}:5555`, options: FROM_CLIENT },
  { by: 'a container, with a backend elsewhere', ask: '192.168.77.9:80', options: FROM_CLIENT },
  {
    by: 'an interface that is down, with its routes',
    breaks: 'ip link set vip0 down',
    mends: RESTORE,
  },
  {
    by: 'a firewall that drops by default and accepts what it should',
    breaks:
      'iptables-legacy -A INPUT -i lo -j ACCEPT && iptables-legacy -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT && iptables-legacy -P INPUT DROP',
    mends: 'iptables-legacy -P INPUT ACCEPT && iptables-legacy -F INPUT',
  },
  { by: 'rules for other ports', ...drop('INPUT', '-p tcp --dport 5556') },
  { by: 'a rule that the packets of this host never meet', ...drop('OUTPUT', `-d ${VIP}`) },
  {
    by: 'a port that a container runtime publishes, another one',
    breaks: 'iptables-legacy -tnat -A OUTPUT -p tcp --dport 5556 -j DNAT --to-destination 10.9.0.1:31000',
    mends: 'iptables-legacy -tnat -F OUTPUT',
  },
  {
    by: 'a backend that still drains',
    breaks: `ipvsadm -a ${SERVICE} -r 10.9.0.1:31999 -m -w 0`,
    mends: `ipvsadm -d ${SERVICE} -r 10.9.0.1:31999`,
  },
  {
    by: "other programs' services",
    breaks: 'ipvsadm -A -t 10.99.0.1:80 -s rr',
    mends: 'ipvsadm -D -t 10.99.0.1:80',
  },
  {
    by: 'no default route',
    breaks: 'ip route del default 2>/dev/null; true',
  },
  {
    by: 'forwarding switched off, and a client of this host',
    breaks: 'echo 0 >/proc/sys/net/ipv4/ip_forward',
    mends: 'echo 1 >/proc/sys/net/ipv4/ip_forward',
  },
  { by: 'an IP VIP', ask: '192.168.77.7:80' },
  { by: 'an IPv6 VIP', ask: '[fd00:8::7]:80' },
  { by: 'a VIP with the port of its backend', ask: 'same-port' },
  { by: 'a VIP with persistence and another scheduler', ask: 'sticky:80' },
  {
    by: 'a resolv.conf with a search list, options and comments',
    resolv: `# kept by hand\nsearch example.org\noptions ndots:5 timeout:1\n${serverLines(SERVERS.knowing)}`,
  },
  { by: 'lines of a hosts file for other names', hosts: '10.1.1.1 other.marathon.l4lb.thisdcos.directory' },
  {
    by: 'weight and scheduler that someone changed',
    breaks: `ipvsadm -E ${SERVICE} -s rr; ipvsadm -e ${SERVICE} -r ${REMOTE} -m -w 5`,
    mends: `ipvsadm -E ${SERVICE} -s wlc; ipvsadm -e ${SERVICE} -r ${REMOTE} -m -w 1`,
  },
  {
    by: 'a UDP service of another program at the same address and port',
    breaks: `ipvsadm -A -u ${VIP}:5555 -s rr`,
    mends: `ipvsadm -D -u ${VIP}:5555`,
  },
  { by: 'a service by firewall mark', breaks: 'ipvsadm -A -f 9 -s rr', mends: 'ipvsadm -D -f 9' },
  {
    by: 'a small table of connection tracking that has room',
    breaks:
      'cat /proc/sys/net/netfilter/nf_conntrack_max >/tmp/most; echo 2000 >/proc/sys/net/netfilter/nf_conntrack_max',
    mends: 'cat /tmp/most >/proc/sys/net/netfilter/nf_conntrack_max',
  },
  {
    by: 'a small range of source ports that is enough',
    breaks:
      'cat /proc/sys/net/ipv4/ip_local_port_range >/tmp/range; echo "40000 40999" >/proc/sys/net/ipv4/ip_local_port_range',
    mends: 'cat /tmp/range >/proc/sys/net/ipv4/ip_local_port_range',
  },
  {
    by: 'no tracking of what IPVS forwards, and a client of this host',
    breaks: 'echo 0 >/proc/sys/net/ipv4/vs/conntrack',
    mends: 'echo 1 >/proc/sys/net/ipv4/vs/conntrack',
  },
  {
    by: 'a default route elsewhere',
    breaks: 'ip route add default via 10.9.0.254',
    mends: 'ip route del default',
  },
  {
    by: 'a rule that prohibits other addresses',
    breaks: 'ip rule add to 203.0.113.0/24 prohibit pref 5',
    mends: 'ip rule del pref 5',
  },
  {
    by: 'an interface for smaller packets',
    breaks: 'ip link set vip0 mtu 1280',
    mends: 'ip link set vip0 mtu 1500',
  },
  {
    by: 'a firewall that forwards nothing, and a client of this host',
    breaks: 'iptables-legacy -P FORWARD DROP',
    mends: 'iptables-legacy -P FORWARD ACCEPT',
  },
  {
    by: 'a firewall that forwards answers only, and a container with a backend elsewhere',
    ask: '192.168.77.9:80',
    options: FROM_CLIENT,
    breaks:
      'iptables-legacy -P FORWARD DROP && iptables-legacy -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT',
    mends: 'iptables-legacy -P FORWARD ACCEPT && iptables-legacy -F FORWARD',
  },
  { by: 'a firewall that drops invalid packets', ...drop('INPUT', '-m conntrack --ctstate INVALID') },
  { by: 'a firewall that drops what comes by another interface', ...drop('INPUT', '-i to-client') },
  {
    by: 'a chain that drops everything and that nothing calls',
    breaks: 'iptables-legacy -N spare && iptables-legacy -A spare -j DROP',
    mends: 'iptables-legacy -F spare && iptables-legacy -X spare',
  },
];

/** Causes that no real kernel here can be brought to by a line of shell: the rules of their stages are tested alone. */
export const BY_RULE_ALONE: readonly Cause[] = [
  ...(['leaving', 'no-address', 'out-of-rotation', 'ipvs-missing', 'dry-run', 'write-failed'] as const),
  ...(['conntrack-off', 'vip-refuses', 'not-at-ipvs', 'answered-elsewhere'] as const),
];
