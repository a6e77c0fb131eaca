import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { expect, test } from '@jest/globals';

const sh = (script: string) => execFileSync('sh', ['-ec', script], { encoding: 'utf8' });

test('the lab of the data path has IPVS and nftables with NAT in one kernel, and more than one processor', () => {
  sh(`ip netns add lab
    ip netns exec lab ip link set lo up
    ip netns exec lab ipvsadm -A -t 192.0.2.1:80 -s wlc
    ip netns exec lab nft 'add table inet lab; add chain inet lab nat { type nat hook output priority -101; };
      add rule inet lab nat fib daddr type local tcp dport 80 dnat ip to 192.0.2.2'`);

  expect(sh('ip netns exec lab ipvsadm -Sn')).toContain('-A -t 192.0.2.1:80 -s wlc');
  expect(sh('ip netns exec lab nft list table inet lab')).toContain('dnat ip to 192.0.2.2');
  expect(availableParallelism()).toBeGreaterThan(1);
  sh('ip netns delete lab');
});
