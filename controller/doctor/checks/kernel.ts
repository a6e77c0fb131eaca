import { type Finding, fine } from '../document.ts';
import type { ChainFact, Facts, ModuleFact } from '../facts.ts';

/** Whether the kernel has what VIPs need, or can load it. */
export function checkModules({
  modules,
  kernelRelease,
}: Pick<Facts, 'modules' | 'kernelRelease'>): Finding[] {
  return modules.map((module) => moduleFinding(module, kernelRelease));
}

function moduleFinding({ name, state, why, optional }: ModuleFact, release: string): Finding {
  const check = `module ${name}`;
  switch (state) {
    case 'loaded':
    case 'built in':
      return fine('Kernel', check, state);
    case 'loadable':
      return fine('Kernel', check, 'not loaded; the kernel loads it when it is needed');
    default:
      return {
        group: 'Kernel',
        check,
        state: optional || state === 'unknown' ? 'warning' : 'problem',
        found:
          state === 'missing'
            ? `kernel ${release} has it neither built in nor as a module here`
            : `not loaded, and /lib/modules/${release} is not here to tell whether it could be`,
        wanted: 'loaded, built in or loadable',
        why,
        command: `modprobe ${name}`,
      };
  }
}

/** Whether IPVS answers this process. */
export function checkIpvs({ ipvs, kernelRelease }: Pick<Facts, 'ipvs' | 'kernelRelease'>): Finding[] {
  const check = 'IPVS';
  if ('services' in ipvs)
    return [fine('Kernel', check, `answers; ${ipvs.services.length} services in its table`)];
  return [
    {
      group: 'Kernel',
      check,
      state: 'problem',
      found: ipvs.error,
      wanted: 'answers over netlink',
      why: `without it there are no VIPs (kernel ${kernelRelease})`,
      command: ipvs.missing ? 'modprobe ip_vs' : 'sudo marathon-ipvs doctor',
    },
  ];
}

/** Whether packet-filter rules can be written, and whether others' drop VIP traffic before IPVS sees it. */
export function checkNftables({ nftables, wanted }: Pick<Facts, 'nftables' | 'wanted'>): Finding[] {
  if ('error' in nftables) {
    return [
      {
        group: 'Kernel',
        check: 'nftables',
        state: 'warning',
        found: nftables.error,
        wanted: 'answers over netlink',
        why: 'without it other ports of VIP addresses stay open, and replies that need masquerading are lost',
        command: nftables.denied ? 'sudo marathon-ipvs doctor' : 'modprobe nf_tables',
      },
    ];
  }
  const { chains } = nftables;
  const dropping = chains.filter(
    ({ dropsByDefault, hook }) => dropsByDefault && (hook === 'input' || hook === 'forward'),
  );
  return [
    fine('Kernel', 'nftables', `answers; ${chains.length} base chains`),
    ...dropping.map((chain) => droppingFinding(chain, wanted.pools)),
  ];
}

function droppingFinding(chain: ChainFact, pools: readonly string[]): Finding {
  const { name, hook, priority, family } = chain;
  const fitting = pools.filter((pool) => family === 'inet' || family === familyWord(pool));
  const rules =
    hook === 'input'
      ? fitting.map((pool) => `nft insert rule ${name} ${familyWord(pool)} daddr ${pool} accept`)
      : [`nft insert rule ${name} ct state established,related accept`];
  return {
    group: 'Network',
    check: `packet filter ${name}`,
    state: 'warning',
    found: `drops what none of its rules accepts (hook ${hook}, priority ${priority})`,
    wanted:
      hook === 'input'
        ? 'a rule that accepts packets to VIP addresses'
        : 'a rule that accepts replies of backends',
    why: 'it sees these packets before IPVS does; whether one of its rules accepts them is not checked',
    command: rules.length === 0 ? null : rules.join(' && '),
  };
}

function familyWord(network: string): 'ip' | 'ip6' {
  return network.includes(':') ? 'ip6' : 'ip';
}
