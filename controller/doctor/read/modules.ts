import type { ModuleFact, ModuleState } from '../facts.ts';
import { textOf } from './text.ts';

type Needed = Omit<ModuleFact, 'state'>;

/** Modules that VIPs need besides those of their schedulers. */
const NEEDED: readonly Needed[] = [
  { name: 'ip_vs', why: 'without it there are no VIPs', optional: false },
  { name: 'dummy', why: 'the interface that holds VIP addresses is a dummy interface', optional: false },
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
 * Reads the state of each module that VIPs with these schedulers need. `seenAtWork` has modules that evidently work: a
 * container has no file that lists built-in ones.
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
  const why = `without it VIPs with the scheduler ${scheduler} cannot be added`;
  return { name: `ip_vs_${scheduler}`, why, optional: false };
}

/** Module names have `_` even if their file names have `-`. */
function names(text: string | null, pattern: RegExp): ReadonlySet<string> | null {
  if (text === null) return null;
  return new Set([...text.matchAll(pattern)].map(([whole, name]) => (name ?? whole).replaceAll('-', '_')));
}
