import type { ModuleFact, ModuleState } from '../facts.ts';
import { textOf } from './text.ts';

type Needed = Omit<ModuleFact, 'state'>;

/** What VIPs need, apart from schedulers. */
const NEEDED: readonly Needed[] = [
  { name: 'ip_vs', why: 'without it there are no VIPs', optional: false },
  { name: 'dummy', why: 'the interface that holds VIP addresses is of this kind', optional: false },
  { name: 'nf_conntrack', why: 'without it VIP traffic cannot be masqueraded', optional: false },
  { name: 'nf_nat', why: 'without it VIP traffic cannot be masqueraded', optional: false },
  { name: 'nf_tables', why: 'without it other ports of VIP addresses stay open', optional: true },
  {
    name: 'nft_chain_nat',
    why: 'without it clients on the same machine as their backend get no answer',
    optional: true,
  },
  {
    name: 'nft_masq',
    why: 'without it clients on the same machine as their backend get no answer',
    optional: true,
  },
];

/**
 * What this kernel has of the modules that VIPs with these schedulers need. `seenAtWork`: modules of which there is
 * other evidence, since one that is built in is listed by no file that a container has.
 */
export async function readModules(
  schedulers: Iterable<string>,
  seenAtWork: ReadonlySet<string>,
  release: string,
  root = '',
): Promise<readonly ModuleFact[]> {
  const directory = `${root}/lib/modules/${release}`;
  const [loaded, builtIn, loadable] = await Promise.all([
    textOf(`${root}/proc/modules`).then((text) => names(text, /^\w+/gm)),
    textOf(`${directory}/modules.builtin`).then((text) => names(text, FILE)),
    textOf(`${directory}/modules.dep`).then((text) => names(text, /^[^:]*\/([\w-]+)\.ko(?=[.\w]*:)/gm)),
  ]);
  const stateOf = (name: string): ModuleState => {
    if (loaded?.has(name) === true) return 'loaded';
    if (builtIn?.has(name) === true) return 'built in';
    if (seenAtWork.has(name)) return 'built in';
    if (loadable?.has(name) === true) return 'loadable';
    return loadable === null ? 'unknown' : 'missing';
  };
  const needed = [...NEEDED, ...[...schedulers].map(schedulerModule)];
  return needed.map((module) => ({ ...module, state: stateOf(module.name) }));
}

const FILE = /([\w-]+)\.ko/g;

function schedulerModule(scheduler: string): Needed {
  const why = `without it a VIP with the scheduler ${scheduler} cannot be made`;
  return { name: `ip_vs_${scheduler}`, why, optional: false };
}

/** Modules are called with `_`, whatever their files are called. */
function names(text: string | null, pattern: RegExp): ReadonlySet<string> | null {
  if (text === null) return null;
  return new Set([...text.matchAll(pattern)].map(([whole, name]) => (name ?? whole).replaceAll('-', '_')));
}
