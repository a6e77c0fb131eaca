/** Looks at the kernel after every single write, and at ledger, memory, routes and names, for what must never be. */

import type { NameMemory } from '../../../controller/model/name-memory.ts';
import { type AppSpec, inPools } from './cluster.ts';
import { DrainWatch } from './drain-watch.ts';
import { forwards, type Printed, type PrintedService, readPrinted } from './printed.ts';
import { difference, shortfall } from './shortfall.ts';
import type { Wanted } from './wanted.ts';

/** What a pass works on. */
export interface PassContext {
  /** Every source has been read since the process started. */
  readonly complete: boolean;
  readonly apps: readonly AppSpec[];
  /** Where sources said by name that a task ended, or serves a VIP no more. */
  readonly named: ReadonlySet<string>;
  /** Asked once names have their addresses, which is before anything is written to the kernel. */
  readonly wanted: () => Wanted;
  readonly now: number;
}

/** `clean`: without an error, and every step was made. */
export type PassEnd = 'clean' | 'steps failed' | 'cut short';

export class Watch {
  readonly violations: string[] = [];
  readonly drains = new DrainWatch();
  kernel: Printed = new Map();
  /** Services of other programs: each is told apart from what it was by its whole text. */
  readonly foreign = new Map<string, string>();
  /** Services that the controller made, or adopted. */
  readonly ours = new Set<string>();
  readonly #adopt: boolean;
  /** Keys of the ledger as it is on disk. */
  #ledger: ReadonlySet<string> = new Set();
  #reachable: ReadonlySet<string> = new Set();
  #announced: ReadonlySet<string> = new Set();
  #pass: PassContext | null = null;
  #atStart: Printed = new Map();
  #read = false;
  /** Services with which others meddled since the controller last read them: it cannot know better before it reads. */
  readonly #meddled = new Set<string>();
  /** Of those the ones that another program made where the ledger claims one of ours that never came to be, before or after. */
  readonly #claimedUnseen = new Set<string>();
  /** What the ledger still claims although the process that runs has seen that the kernel lacks it: ours no more. */
  #knownGone: ReadonlySet<string> = new Set();
  #ledgerIsNew = false;

  constructor(adopt: boolean) {
    this.#adopt = adopt;
  }

  // ---- what happens --------------------------------------------------------------------------------

  /** Names are answered by the process itself: a new one has not said any. */
  processStarts(): void {
    this.#announced = new Set();
  }

  processEnds(): void {
    this.#knownGone = new Set();
  }

  passBegins(pass: PassContext): void {
    this.#pass = pass;
    this.#atStart = this.kernel;
    this.#read = false;
  }

  /** Whether the pass that was last has read the whole table. */
  get hasRead(): boolean {
    return this.#read;
  }

  /** Services with which others have meddled, unseen by the controller so far. */
  meddledUnseen(): ReadonlySet<string> {
    return new Set(this.#meddled);
  }

  /** The controller knows the whole table as it is now. */
  kernelRead(): void {
    this.#read = true;
    if (this.#ledgerIsNew)
      this.#knownGone = new Set([...this.#ledger].filter((key) => !this.kernel.has(key)));
    this.#ledgerIsNew = false;
    this.#meddled.clear();
    this.#claimedUnseen.clear();
  }

  /** `held`: services from which too much would have gone at once (rule 4). */
  passEnds(end: PassEnd, held: ReadonlySet<string> = new Set()): void {
    const pass = this.#pass;
    this.#pass = null;
    if (pass?.complete !== true) return;
    const wanted = pass.wanted();
    this.drains.note(this.kernel, wanted, pass.apps, pass.now, end !== 'cut short');
    if (end !== 'clean' || !this.#read) return;
    for (const key of this.#ledger)
      if (!this.kernel.has(key) && !wanted.services.has(key))
        this.#blame(`the ledger still says that ${key} is ours, which the kernel lacks and nobody wants`);
    this.#compare(pass, this.drains, held);
  }

  /** The controller wrote once to the kernel. */
  wrote(printed: string): void {
    const before = this.kernel;
    this.kernel = readPrinted(printed);
    for (const key of new Set([...before.keys(), ...this.kernel.keys()])) {
      const [was, is] = [before.get(key), this.kernel.get(key)];
      if (was?.text === is?.text) continue;
      this.#claimedUnseen.delete(key);
      this.#changed(key, was, is);
    }
    this.drains.forgetGone(this.kernel);
  }

  /** Another program wrote. */
  meddled(printed: string): void {
    const before = this.kernel;
    this.kernel = readPrinted(printed);
    for (const key of new Set([...before.keys(), ...this.kernel.keys()])) {
      const [was, is] = [before.get(key), this.kernel.get(key)];
      if (was?.text === is?.text) continue;
      this.#meddled.add(key);
      if (is === undefined) {
        this.ours.delete(key);
        this.foreign.delete(key);
        // What the ledger holds is taken for ours whoever made it: nothing can tell.
      } else if (was === undefined && this.#ledger.has(key) && !this.#knownGone.has(key)) {
        this.ours.add(key);
        this.#claimedUnseen.add(key);
      } else if (was === undefined || this.foreign.has(key)) this.foreign.set(key, is.text);
    }
    this.drains.forgetGone(this.kernel);
  }

  /** A process does so once; what it says is compared with the kernel when that is read. */
  ledgerLoaded(): void {
    this.#ledgerIsNew = true;
  }

  ledgerSaved(keys: ReadonlySet<string>): void {
    this.#knownGone = this.#knownGone.difference(keys);
    for (const key of keys) if (this.foreign.has(key)) this.#claimed(key);
    for (const key of this.ours) {
      const there = this.kernel.get(key);
      if (there === undefined || keys.has(key)) continue;
      if (!this.#claimedUnseen.has(key)) this.#blame(`${key} is ours and leaves the ledger`);
      // A claim to something that was never made ends, and what others made in its place stays theirs.
      this.ours.delete(key);
      this.foreign.set(key, there.text);
    }
    this.#ledger = keys;
  }

  /** The process has these keys, and no others, and could not tell the disk. */
  ledgerRefused(keys: ReadonlySet<string>): void {
    this.#knownGone = this.#knownGone.union(this.#ledger.difference(keys));
  }

  /** A name keeps its address while anything declares it, and no two have one. */
  memorySaved(before: NameMemory, after: NameMemory, declared: ReadonlySet<string>): void {
    const addresses = [...after.addresses.values()].flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]);
    const known = addresses.filter((address) => address !== undefined);
    if (new Set(known).size < known.length) this.#blame(`two names have one address: ${known.join(' ')}`);
    for (const [name, was] of before.addresses) {
      const is = after.addresses.get(name);
      // It may get one of the other family besides.
      if (is !== undefined) {
        const kept = [was.ipv4 && is.ipv4, was.ipv6 && is.ipv6];
        this.#expect(`the address of ${name}`, kept, [was.ipv4, was.ipv6]);
      } else if (this.#pass?.complete !== true)
        this.#blame(`${name} is forgotten on the word of our own disk`);
      else if (declared.has(name)) this.#blame(`${name} is declared and loses its address`);
    }
  }

  madeReachable(addresses: readonly string[]): void {
    this.#reachable = new Set(addresses);
    const keys = [...this.kernel.keys(), ...this.#meddled];
    for (const address of addresses)
      if (!keys.some((key) => isAt(key, address)))
        this.#blame(`${address} is reachable and its service is not there`);
  }

  named(keys: ReadonlySet<string>): void {
    this.#announced = keys;
    for (const key of keys)
      if (!this.#meddled.has(key) && (this.kernel.get(key)?.backends.size ?? 0) === 0)
        this.#blame(`${key} has a name and no backend`);
  }

  /** The host starts from nothing, but for what others make at once: ledger, interface and names are gone too. */
  rebooted(printed: string): void {
    this.#ledger = new Set();
    this.meddled(printed);
    this.#ledger = this.#reachable = this.#announced = new Set();
  }

  /** All is over: the kernel is as it should be, nothing drains any more, and ledger, routes and names agree. */
  finished(pass: PassContext): void {
    this.#compare(pass, null, new Set());
    const { services } = pass.wanted();
    const mine = [...services.keys()].filter((key) => !this.foreign.has(key)).sort();
    this.#expect('the ledger', [...this.#ledger].sort(), mine);
    const addresses = new Set(mine.map((key) => services.get(key)?.address ?? ''));
    const outside = [...addresses].filter((address) => !inPools(address)).sort();
    this.#expect('what is reachable', [...this.#reachable].sort(), outside);
    const answering = mine.filter((key) => (services.get(key)?.backends.size ?? 0) > 0);
    this.#expect('what has a name', [...this.#announced].sort(), answering);
  }

  /** Where the backends are that get connections of our VIPs. */
  inRotation(): readonly string[] {
    const backends = [...this.ours].flatMap((key) => [...(this.kernel.get(key)?.backends ?? [])]);
    return backends.filter(([, { weight }]) => weight > 0).map(([endpoint]) => endpoint);
  }

  /** Services of ours that clients get through to. */
  forwarding(): readonly string[] {
    return [...this.ours].filter((key) => forwards(this.kernel.get(key)));
  }

  // ---- what must be --------------------------------------------------------------------------------

  #changed(key: string, was: PrintedService | undefined, is: PrintedService | undefined): void {
    const pass = this.#pass;
    if (pass === null) throw new Error(`${key} is written outside of any pass`);
    if (this.foreign.has(key)) this.#blame(`${key} is another program's and is changed`);
    if (!this.#ledger.has(key)) this.#blame(`${key} is written and the ledger lacks it`);
    if (!pass.complete && this.#atStart.has(key))
      this.#blame(`${key} is in the kernel and is changed on the word of our own disk`);
    if (is === undefined) this.#removed(key);
    else this.ours.add(key);
    // What someone else took from it, a pass that has not read the kernel since cannot know.
    if (!this.#meddled.has(key)) this.#stillForwards(key, was, is, pass);
    for (const endpoint of was?.backends.keys() ?? []) {
      if (is?.backends.has(endpoint) === true) continue;
      const early = this.drains.removedEarly(key, endpoint, pass.apps, pass.now);
      if (early !== null) this.#blame(early);
    }
  }

  /**
   * A VIP that has, and shall have, somebody to answer is never without, unless all who answered are gone by name; nor is
   * one to answer taken away.
   */
  #stillForwards(
    key: string,
    was: PrintedService | undefined,
    is: PrintedService | undefined,
    pass: PassContext,
  ): void {
    const wanted = [...(pass.wanted().services.get(key)?.backends ?? [])].filter(([, weight]) => weight > 0);
    if (wanted.length === 0) return;
    const good = (service: PrintedService | undefined) =>
      wanted.some(([endpoint]) => (service?.backends.get(endpoint)?.weight ?? 0) > 0);
    const answered = [...(was?.backends ?? [])].filter(([, { weight }]) => weight > 0).map(([at]) => at);
    if (good(was) && !good(is)) this.#blame(`${key} is left without a wanted backend in rotation`);
    else if (!forwards(is) && answered.some((at) => !pass.named.has(at)))
      this.#blame(`${key} is left without a backend in rotation`);
  }

  #removed(key: string): void {
    this.ours.delete(key);
    if (this.#announced.has(key)) this.#blame(`${key} is removed and still has a name`);
    // Others that were there when the controller last looked keep their address reachable until it looks again.
    const others = [...this.kernel.keys(), ...this.#meddled].filter((other) => other !== key);
    for (const address of this.#reachable)
      if (isAt(key, address) && !others.some((other) => isAt(other, address)))
        this.#blame(`${key} is removed and its address is still reachable`);
  }

  /** The ledger says that another program's service is ours. */
  #claimed(key: string): void {
    const pass = this.#pass;
    const address = pass?.wanted().services.get(key)?.address;
    if (address === undefined || !(this.#adopt || inPools(address)))
      this.#blame(`${key} is another program's and may not be claimed`);
    else if (pass?.complete !== true) this.#blame(`${key} is adopted on the word of our own disk`);
    if (this.#meddled.has(key)) this.#claimedUnseen.add(key);
    this.foreign.delete(key);
    this.ours.add(key);
  }

  #compare(pass: PassContext, drains: DrainWatch | null, held: ReadonlySet<string>): void {
    const { kernel, foreign } = this;
    const all = { kernel, foreign, adopt: this.#adopt, wanted: pass.wanted(), apps: pass.apps, drains, held };
    this.violations.push(...shortfall(all));
  }

  #expect(what: string, is: unknown, should: unknown): void {
    this.violations.push(...difference(what, is, should));
  }

  #blame(what: string): void {
    this.violations.push(what);
  }
}

function isAt(key: string, address: string): boolean {
  return key.includes(address.includes(':') ? `/[${address}]:` : `/${address}:`);
}
