/** Rules of nftables that other programs have: those that break the VIP, and those beside which it works. */

import { type Breakage, FROM_CLIENT, VIP } from '../kernel/why-breakages.ts';

/** A table that one breakage makes and takes away. Packets of this host's own clients meet IPVS in `output`, at -99. */
const table = (chains: string, family = 'inet') => ({
  breaks: `nft 'table ${family} other {
${chains}
}'`,
  mends: `nft delete table ${family} other`,
});
const chain = (hook: string, priority: number, rules: string, policy = 'accept') =>
  `chain ${hook} { type filter hook ${hook} priority ${priority}; policy ${policy}; ${rules} }`;

export const BROKEN: readonly Breakage[] = [
  {
    cause: 'filter-drops',
    by: 'a set of ports',
    ...table(chain('output', -150, 'tcp dport { 22, 5555 } drop;')),
    proof: /inet other output/,
  },
  {
    cause: 'filter-drops',
    by: 'a range of addresses, in the family of IPv4',
    ...table(chain('output', -150, 'ip daddr 11.134.0.0-11.135.255.255 drop;'), 'ip'),
    proof: /are dropped by ip other output/,
  },
  {
    cause: 'filter-drops',
    by: 'a named block list with timeouts, in a chain of its own',
    ...table(`
      set blocked { type ipv4_addr; flags timeout; elements = { ${VIP} timeout 1h, 198.51.100.9 timeout 1h }; }
      chain blocking { ip daddr @blocked counter drop; }
      ${chain('output', -150, 'jump blocking;')}`),
    proof: /are dropped by inet other blocking/,
  },
  {
    cause: 'filter-drops',
    by: 'a map of verdicts',
    ...table(chain('output', -150, 'tcp dport vmap { 22 : accept, 5555 : drop };')),
    proof: /are dropped/,
  },
  {
    cause: 'filter-drops',
    by: 'address and port together',
    ...table(chain('output', -150, `ip daddr . tcp dport { ${VIP} . 5555, 198.51.100.9 . 80 } drop;`)),
    proof: /are dropped/,
  },
  {
    cause: 'filter-drops',
    by: 'a rejection of what comes from a container',
    options: FROM_CLIENT,
    ...table(chain('input', 0, 'ip saddr 10.8.0.0/24 tcp dport 5555 reject with tcp reset;')),
    proof: /may be rejected/,
  },
  {
    cause: 'filter-drops-backend',
    by: 'new connections to the ports of the backends',
    ...table(chain('input', 0, 'ct state new tcp dport 31000-31001 drop;')),
    proof: /backend 10\.9\.0\.1:3100/,
  },
  {
    cause: 'filter-drops-backend',
    by: 'iptables in its nft form',
    breaks: 'iptables-nft -I INPUT -p tcp -m multiport --dports 31000,31001 -j DROP',
    mends: 'iptables-nft -F INPUT',
    proof: /backend 10\.9\.0\.1:3100/,
  },
  {
    cause: 'filter-policy',
    by: 'a firewall that accepts another port only',
    ...table(chain('input', 0, 'tcp dport 22 accept;', 'drop')),
    proof: /inet other input: no rule accepts it/,
  },
  {
    cause: 'filter-translates',
    by: "a published port, translated before the controller's table can prevent it",
    ...table(
      'chain publish { type nat hook output priority -110; fib daddr type local tcp dport 5555 dnat ip to 10.9.0.1:31000; }',
    ),
    proof: /dnat/,
  },
];

export const HEALTHY: readonly Omit<Breakage, 'cause'>[] = [
  { by: "no rules but the controller's" },
  {
    by: "a port that a container runtime publishes, the one of the VIP: the controller's table prevents its translation",
    ...table(
      'chain publish { type nat hook output priority -100; fib daddr type local tcp dport 5555 dnat ip to 10.9.0.1:9; }',
    ),
  },
  {
    by: 'a firewall like that of firewalld',
    ...table(
      chain(
        'input',
        10,
        'ct state { established, related } accept; ct status dnat accept; iifname lo accept; ct state invalid drop; reject with icmpx admin-prohibited;',
      ),
    ),
  },
  {
    by: 'a policy of drop, with the ports of the backends accepted',
    ...table(chain('input', 0, 'ct state established accept; tcp dport { 22, 31000-31001 } accept;', 'drop')),
  },
  {
    by: 'a map of verdicts for connections that are known, and one for ports',
    ...table(
      chain(
        'input',
        0,
        'ct state vmap { established : accept, related : accept, invalid : drop }; tcp dport vmap { 22 : accept, 23 : drop };',
      ),
    ),
  },
  {
    by: 'a rate that is not reached',
    ...table(chain('output', -150, 'tcp dport 5555 limit rate over 10000/second drop;')),
  },
  {
    by: 'counters and log lines',
    ...table(chain('output', -150, `ip daddr ${VIP} counter log prefix "drop ";`)),
  },
  {
    by: 'a block list without the VIP',
    ...table(`
      set blocked { type ipv4_addr; flags interval; elements = { 11.0.0.0/16, 11.135.0.0-11.255.255.255 }; }
      ${chain('output', -150, 'ip daddr @blocked drop;')}`),
  },
  {
    by: 'a chain of nftables that forwards nothing, and a client of this host',
    ...table(chain('forward', 0, '', 'drop')),
  },
  {
    by: 'rules for bridges',
    ...table('chain forward { type filter hook forward priority 0; policy drop; }', 'bridge'),
  },
];
