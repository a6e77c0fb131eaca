import { isIpvsError } from 'ipvs-netlink-ts';
import { type Family, familyOf } from '../address.ts';
import { ControllerError, messageOf } from '../errors.ts';
import { loadModules } from '../fixes.ts';
import type { ReachabilityReport } from '../ports.ts';
import { createRuleset, type FilterInput, OWN_CLIENTS, type Ruleset, TABLE } from './nftables/ruleset.ts';
import type { FilterTable, RefusedPart } from './nftables/table.ts';

export interface PacketFilterOptions {
  /** Networks of the named VIPs. */
  readonly pools: readonly string[];
  /** Addresses of our servers. */
  readonly servers: readonly string[];
  /** Source address of local clients as backends see it; null: that of the interface towards the backend. */
  readonly hostAddress: string | null;
}

export interface PacketFilterReport extends ReachabilityReport {
  /** Whether the filter translates the source address of local clients, so that backends can answer. */
  readonly translatesOwn: Readonly<Record<Family, boolean>>;
}

const NAME = `packet filter table ${TABLE.family} ${TABLE.name}`;
/** Each attempt leaves out the parts that the kernel refused, with those that depend on them. */
const MAX_ATTEMPTS = 6;

/** Our nftables table: written in one transaction, checked every second, and written again when it has changed. */
export class PacketFilter {
  /** Its name in messages. */
  readonly description = NAME;
  readonly #table: FilterTable;
  readonly #options: PacketFilterOptions;
  /** What the kernel accepted of the desired table; null while there is none to keep. */
  #kept: Ruleset | null = null;
  /** The generation of the ruleset when the table was last found to be correct. */
  #generation: string | null = null;

  constructor(table: FilterTable, options: PacketFilterOptions) {
    this.#table = table;
    this.#options = options;
  }

  /** Updates the table for these addresses (VIPs outside the pools). Never rejects: failures are in the report. */
  async ensure(addresses: readonly string[]): Promise<PacketFilterReport> {
    const wanted = createRuleset(this.#input(addresses));
    try {
      await this.#table.generation();
      return await this.#ensure(wanted);
    } catch (error) {
      if (kernelLacksIt(error)) {
        this.#kept = null;
        return { ...EMPTY_REPORT, advice: [noFilter(messageOf(error))] };
      }
      const hint = isIpvsError(error, 'not-permitted') ? ' (CAP_NET_ADMIN is needed)' : '';
      const problems = [`${NAME}: ${messageOf(error)}${hint}`];
      // A failed transaction changes nothing, so the old table is still there.
      return this.#kept === null
        ? { ...EMPTY_REPORT, problems }
        : { ...EMPTY_REPORT, problems, translatesOwn: translatesOwn(this.#kept) };
    }
  }

  /** Restores what someone removed or changed since the last `ensure`. Resolves with what it restored. */
  async repair(): Promise<readonly string[]> {
    const kept = this.#kept;
    if (kept === null) return [];
    const generation = await this.#table.generation();
    if (generation === this.#generation) return [];
    const { changed, refused } = await this.#bring(kept);
    const [first] = refused;
    if (first !== undefined) throw new ControllerError('kernel', `${NAME}: ${first.error.message}`);
    return changed;
  }

  exists(): Promise<boolean> {
    return this.#table.exists().catch(falseIfLacking);
  }

  /** Resolves with false when the table did not exist. */
  remove(): Promise<boolean> {
    this.#kept = null;
    return this.#table.remove().catch(falseIfLacking);
  }

  close(): void {
    this.#table.close();
  }

  async #ensure(wanted: Ruleset): Promise<PacketFilterReport> {
    const left: RefusedPart[] = [];
    let possible = wanted;
    for (let attempt = 1; ; attempt++) {
      const { changed, refused } = await this.#bring(possible);
      if (refused.length === 0) {
        this.#kept = possible;
        return { changed, problems: [], advice: advice(left), translatesOwn: translatesOwn(possible) };
      }
      for (const { message, error } of refused) {
        if (!kernelLacksIt(error) || message.part === null || attempt === MAX_ATTEMPTS) throw error;
      }
      left.push(...refused);
      possible = without(possible, refused);
    }
  }

  /** Writes the desired table. When the kernel refuses parts, resolves with these and changes nothing. */
  async #bring(
    wanted: Ruleset,
  ): Promise<{ readonly changed: readonly string[]; readonly refused: readonly RefusedPart[] }> {
    // Read first, so that a change during the comparison causes another one.
    const generation = await this.#table.generation();
    const { structure, sets } = await this.#table.compare(wanted);
    if (structure.length === 0 && sets.length === 0) {
      this.#generation = generation;
      return { changed: [], refused: [] };
    }
    // When only members differ they are changed in place, without replacing sets and rules in use.
    const whole = structure.length > 0;
    const refused = whole ? await this.#table.replace(wanted) : await this.#table.refill(sets);
    // Our own write changed the generation, too. A simultaneous change by others is found by the next check.
    this.#generation = null;
    const what = whole
      ? `written: ${structure.join(', ')}`
      : `sets ${sets.map(({ name }) => name).join(', ')} filled`;
    return { changed: refused.length === 0 ? [`${NAME} ${what}`] : [], refused };
  }

  #input(addresses: readonly string[]): FilterInput {
    const { pools, servers, hostAddress } = this.#options;
    const host = hostAddress === null ? [] : [hostAddress];
    const [ipv4 = null] = ofFamily('ipv4', host);
    const [ipv6 = null] = ofFamily('ipv6', host);
    return {
      vips: byFamily([...pools, ...addresses]),
      servers: byFamily(servers),
      hostAddress: { ipv4, ipv6 },
    };
  }
}

const EMPTY_REPORT: PacketFilterReport = {
  changed: [],
  problems: [],
  advice: [],
  translatesOwn: { ipv4: false, ipv6: false },
};

/** The errors of a kernel that does not know a protocol, a family, a chain type or an expression. */
function kernelLacksIt(error: unknown): boolean {
  return isIpvsError(error) && ['unsupported', 'not-found', 'invalid'].includes(error.code);
}

function falseIfLacking(error: unknown): false {
  if (kernelLacksIt(error)) return false;
  throw error;
}

/** The modules that our rules need; each loads its own dependencies. */
const MODULES = ['nft_chain_nat', 'nft_ct', 'nft_nat', 'nft_masq', 'nft_reject_inet'];
const FIX = `fix, on the host itself: ${loadModules('nftables', MODULES)}`;

/** What does not work without nftables, and the fix. */
function noFilter(reason: string): string {
  return (
    `${NAME}: this kernel has no nftables (${reason}): without it other ports of VIPs reach what listens on all ` +
    'addresses of this host, ports that a container runtime publishes take the same port of every VIP, and there is ' +
    `no answer where client and backend are behind the same interface; --packet-filter none accepts that; ${FIX}`
  );
}

/** One line for each feature that does not work, whatever the number of refused parts. */
function advice(left: readonly RefusedPart[]): readonly string[] {
  const lines = new Map<string, string>();
  for (const { message, error } of left) {
    for (const lacking of lackingWithout(message.part)) {
      if (lines.has(lacking)) continue;
      lines.set(lacking, `${NAME}: the kernel refuses: ${error.message}; without it: ${lacking}; ${FIX}`);
    }
  }
  return [...lines.values()];
}

function lackingWithout(part: RefusedPart['message']['part']): readonly string[] {
  if (part === null || 'members' in part) return [];
  return 'rules' in part ? part.rules.map((rule) => rule.without) : [part.without];
}

function without({ sets, chains }: Ruleset, refused: readonly RefusedPart[]): Ruleset {
  const gone = new Set<unknown>(refused.map(({ message }) => message.part));
  return {
    sets: sets.filter((set) => !gone.has(set)),
    chains: chains
      .filter((chain) => !gone.has(chain))
      .map((chain) => ({ ...chain, rules: chain.rules.filter((rule) => !gone.has(rule)) })),
  };
}

function translatesOwn({ chains }: Ruleset): Record<Family, boolean> {
  const comments = new Set(chains.flatMap(({ rules }) => rules.map(({ comment }) => comment)));
  return { ipv4: comments.has(OWN_CLIENTS.ipv4), ipv6: comments.has(OWN_CLIENTS.ipv6) };
}

function byFamily(addresses: readonly string[]): Record<Family, readonly string[]> {
  return { ipv4: ofFamily('ipv4', addresses), ipv6: ofFamily('ipv6', addresses) };
}

function ofFamily(family: Family, addresses: readonly string[]): readonly string[] {
  return addresses.filter((address) => familyOf(address) === family);
}
