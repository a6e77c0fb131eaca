import { loadModule, shellWord } from '../../fixes.ts';
import { type Found, fine } from '../document.ts';
import type { ChainFact, Facts, ModuleFact } from '../facts.ts';

/** Checks that the kernel has the modules that VIPs need, or can load them. */
export function checkModules({ modules, kernelRelease }: Pick<Facts, 'modules' | 'kernelRelease'>): Found[] {
  return modules.map((module) => moduleFinding(module, kernelRelease));
}

function moduleFinding({ name, state, why, optional }: ModuleFact, release: string): Found {
  const check = `module ${name}`;
  const code = name === 'ip_vs' ? 'ipvs-module' : 'module';
  switch (state) {
    case 'loaded':
    case 'built in':
      return fine(code, check, state);
    case 'loadable':
      return fine(code, check, 'not loaded; the kernel loads it when it is needed');
    default:
      return {
        code,
        check,
        state: optional || state === 'unknown' ? 'warning' : 'problem',
        found:
          state === 'missing'
            ? `kernel ${release} has it neither built in nor as a module here`
            : `not loaded; whether it can be is unknown, since /lib/modules/${release} does not exist here`,
        wanted: 'loaded, built in or loadable',
        why,
        command: state === 'missing' ? `${loadModule(name)} # ${PACKAGES}` : loadModule(name),
      };
  }
}

/** Distributions often ship these modules in a package of their own. */
const PACKAGES =
  'first install the package that has it: Debian linux-image-amd64 (not -cloud-), Ubuntu linux-modules-extra-$(uname -r), RHEL kernel-modules-extra';

/** Suggested if something cannot be read for lack of rights. */
const AS_ROOT = 'marathon-ipvs doctor # as root; in a container with --cap-add NET_ADMIN';

/** Checks that IPVS answers this process. */
export function checkIpvs({ ipvs, kernelRelease }: Pick<Facts, 'ipvs' | 'kernelRelease'>): Found[] {
  const check = 'IPVS';
  if ('services' in ipvs)
    return [fine('ipvs', check, `answers; ${ipvs.services.length} services in its table`)];
  return [
    {
      code: 'ipvs',
      check,
      state: 'problem',
      found: ipvs.error,
      wanted: 'answers over netlink',
      why: `without it there are no VIPs (kernel ${kernelRelease})`,
      command: ipvs.missing ? loadModule('ip_vs') : AS_ROOT,
    },
  ];
}

/** Checks that nftables answers, and warns of other programs' chains that may drop VIP traffic before IPVS sees it. */
export function checkNftables({ nftables, wanted }: Pick<Facts, 'nftables' | 'wanted'>): Found[] {
  if ('error' in nftables) {
    return [
      {
        code: 'nftables',
        check: 'nftables',
        state: 'warning',
        found: nftables.error,
        wanted: 'answers over netlink',
        why: 'without it other ports of VIP addresses stay open, and replies that need masquerading are lost',
        command: nftables.denied ? AS_ROOT : loadModule('nf_tables'),
      },
    ];
  }
  const { chains } = nftables;
  const dropping = chains.filter(
    ({ dropsByDefault, hook }) => dropsByDefault && (hook === 'input' || hook === 'forward'),
  );
  return [
    fine('nftables', 'nftables', `answers; ${chains.length} base chains`),
    ...dropping.map((chain) => droppingFinding(chain, wanted.pools)),
  ];
}

function droppingFinding(chain: ChainFact, pools: readonly string[]): Found {
  const { name, hook, priority, family } = chain;
  const fitting = pools.filter((pool) => family === 'inet' || family === familyWord(pool));
  const where = name.split(' ').map(shellWord).join(' ');
  const rules =
    hook === 'input'
      ? fitting.map((pool) => `nft insert rule ${where} ${familyWord(pool)} daddr ${pool} accept`)
      : [`nft insert rule ${where} ct state established,related accept`];
  return {
    code: 'packet-filter',
    check: `packet filter ${name}`,
    state: 'warning',
    found: `drops packets that none of its rules accepts (hook ${hook}, priority ${priority})`,
    wanted:
      hook === 'input'
        ? 'a rule that accepts packets to VIP addresses'
        : 'a rule that accepts replies from backends',
    why: 'it sees these packets before IPVS does; whether its rules accept them is not checked',
    command: rules.length === 0 ? null : `${rules.join(' && ')} # ${NOT_PERSISTENT}`,
  };
}

/** The rule does not last: its table belongs to another program. */
const NOT_PERSISTENT =
  'until that table is reloaded; to keep it, add it where the table comes from: /etc/nftables.conf, firewalld, ufw';

function familyWord(network: string): 'ip' | 'ip6' {
  return network.includes(':') ? 'ip6' : 'ip';
}
