/**
 * Every field that we write of a service and of a backend, as one row each: how it follows from labels (`label-options.ts`),
 * and how the kernel has it. Comparison, writes, `ipvsadm` lines, JSON documents and docs are derived from these rows.
 */

import type { Destination, VirtualService } from 'ipvs-netlink-ts';
import { bitsOf } from '../address.ts';
import { DEFAULT_PORT_OPTIONS } from './label-options.ts';
import type { FieldChange, FieldRow, FieldRows, Fields, FieldValue, Writable } from './rows.ts';
import { FALLBACK_SCHEDULER, parseFlags, toFlags, toSchedulerFlags } from './schedulers.ts';
import { countOption, numberOf, parseNetmask, Refused, toNetmask } from './values.ts';

/** The fields of a service besides its address and port. */
export interface ServiceSettings {
  /** The kernel's short name: `wlc`, `rr`, `mh`, … */
  readonly scheduler: string;
  /** As for `ipvsadm -b`: `mh-fallback,mh-port`; empty for none. `one-packet` (`ipvsadm -o`) is never set. */
  readonly flags: string;
  /** 0: not persistent. */
  readonly persistenceSeconds: number;
  /** Prefix length by which persistence groups clients; 32 or 128 when it does not, or without persistence. */
  readonly persistencePrefix: number;
  /** Persistence engine: `sip`; empty for none. Owned services have none. */
  readonly persistenceEngine: string;
}

/** The fields of a backend besides its address and port. */
export interface BackendSettings {
  /** `masquerade` for every owned backend. */
  readonly forward: string;
  /** 0: the backend keeps its connections and gets no new ones. */
  readonly weight: number;
  /** From this many connections on it gets no new ones; 0: no limit. */
  readonly upperThreshold: number;
  /** Below this many connections it gets new ones again; 0: three quarters of `upperThreshold`. */
  readonly lowerThreshold: number;
}

export const SERVICE: FieldRows<ServiceSettings, VirtualService> = {
  scheduler: {
    about: "The kernel's short name: wlc.",
    of: ({ scheduler }) => scheduler,
    fromKernel: ({ scheduler }) => scheduler,
    write: (scheduler, written) => {
      written.scheduler = scheduler;
    },
    ipvsadm: { '-s': { long: '--scheduler' } },
    print: (scheduler) => `-s ${scheduler}`,
    parse: (options) => options.get('-s') ?? FALLBACK_SCHEDULER,
    describe: (scheduler) => scheduler,
  },
  persistenceSeconds: {
    about: 'Seconds that a client stays with its backend; 0: no persistence.',
    of: ({ persistenceSeconds }) => persistenceSeconds,
    fromKernel: ({ persistence }) => persistence?.timeoutSeconds ?? 0,
    write: (timeoutSeconds, written) => {
      if (timeoutSeconds > 0) written.persistence = { timeoutSeconds };
    },
    ...countOption('-p', '--persistent'),
    describe: (seconds) => (seconds > 0 ? `persistent ${seconds} s` : ''),
  },
  persistencePrefix: {
    about: 'Prefix length of the clients that stay together; 32 or 128: each address separately.',
    of: ({ persistencePrefix }, family) => persistencePrefix[family],
    fromKernel: ({ persistence }, family) => persistence?.prefixLength ?? bitsOf(family),
    write: (prefixLength, written) => {
      if (written.persistence !== undefined) written.persistence = { ...written.persistence, prefixLength };
    },
    ipvsadm: { '-M': { long: '--netmask' } },
    print: (prefix, family) => (prefix === bitsOf(family) ? '' : `-M ${toNetmask(prefix, family)}`),
    parse: (options, family) => parseNetmask(options.get('-M'), family),
    describe: (prefix, family) => (prefix === bitsOf(family) ? '' : `clients by /${prefix}`),
  },
  flags: {
    about: 'Flags of the scheduler, as for ipvsadm -b: mh-fallback,mh-port; empty: none.',
    of: ({ flags }) => flags,
    fromKernel: ({ scheduler, schedulerFlags, onePacket }) =>
      schedulerFlags === undefined && onePacket !== true
        ? ''
        : toFlags(scheduler, schedulerFlags ?? [], onePacket === true),
    write: (flags, written) => {
      if (flags !== '') written.schedulerFlags = toSchedulerFlags(flags);
    },
    ipvsadm: { '-b': { long: '--sched-flags' }, '-o': { long: '--ops', bare: true } },
    print: (flags) => (flags === '' ? '' : `-b ${flags}`),
    parse: (options) => parseFlags(options, options.get('-s') ?? FALLBACK_SCHEDULER),
    describe: (flags) => flags,
  },
  persistenceEngine: {
    about: 'Persistence engine, as for ipvsadm --pe: sip; empty: none.',
    of: () => '',
    fromKernel: ({ persistenceEngine }) => persistenceEngine ?? '',
    // An update without an engine takes it away (`ip_vs_edit_service`).
    write: (engine, written) => {
      if (engine !== '') written.persistenceEngine = engine;
    },
    ipvsadm: { '--pe': {} },
    print: (engine) => (engine === '' ? '' : `--pe ${engine}`),
    parse: (options) => options.get('--pe') ?? '',
    describe: (engine) => engine,
  },
};

export const BACKEND: FieldRows<BackendSettings, Destination> = {
  forward: {
    about: 'Forwarding method: masquerade, or another one if another program set it.',
    of: () => 'masquerade',
    fromKernel: ({ forwardingMethod }) => forwardingMethod,
    write: (forward, written) => {
      // Either a desired value, or as the library read it.
      written.forwardingMethod = forward as Destination['forwardingMethod'];
    },
    ipvsadm: {
      '-m': { long: '--masquerading', bare: true },
      '-g': { long: '--gatewaying', bare: true },
      '-i': { long: '--ipip', bare: true },
    },
    print: (forward) => (forward === 'masquerade' ? '-m' : forward === 'tunnel' ? '-i' : '-g'),
    parse: (options) => (options.has('-m') ? 'masquerade' : options.has('-i') ? 'tunnel' : 'direct-route'),
  },
  weight: {
    about: 'Weight; 0: it keeps its connections and gets no new ones.',
    of: ({ weight }) => weight,
    fromKernel: ({ weight }) => weight,
    write: (weight, written) => {
      written.weight = weight;
    },
    ipvsadm: { '-w': { long: '--weight' } },
    print: (weight) => `-w ${weight}`,
    parse: (options) => numberOf(options, '-w', 1),
  },
  upperThreshold: {
    about: 'Number of connections from which on it gets no new ones; 0: no limit.',
    of: ({ maxConnections }) => maxConnections,
    ...threshold('upperThreshold', '-x', '--u-threshold'),
    describe: (connections) => (connections > 0 ? `at most ${connections} connections` : ''),
  },
  lowerThreshold: {
    about: 'Number of connections below which it gets new ones again.',
    // Rounded up it is exactly the kernel's own rule for a lower threshold of 0 (`ip_vs_unbind_dest`: 4 * connections < 3 * upper).
    of: ({ maxConnections }) => Math.ceil(maxConnections * 0.75),
    ...threshold('lowerThreshold', '-y', '--l-threshold'),
  },
};

/** What both thresholds of a backend have in common: 0 is not written. */
function threshold(field: 'upperThreshold' | 'lowerThreshold', short: string, long: string) {
  return {
    fromKernel: (kernel: Destination) => kernel[field] ?? 0,
    write(connections: number, written: Writable<Destination>) {
      if (connections > 0) written[field] = connections;
    },
    ...countOption(short, long),
  };
}

export const serviceFields: Fields<ServiceSettings, VirtualService> = fieldsOf(SERVICE);
export const backendFields: Fields<BackendSettings, Destination> = fieldsOf(BACKEND);

/** The base of every observed backend: each is a copy with its own fields. */
export const NO_BACKEND = compact({
  address: '',
  port: 0,
  ...backendFields.unset,
  activeConnections: 0,
  inactiveConnections: 0,
});

function fieldsOf<Settings extends object, Kernel>(
  rows: FieldRows<Settings, Kernel>,
): Fields<Settings, Kernel> {
  type Name = keyof Settings & string;
  type Row = FieldRow<Settings[Name], Kernel>;
  const names = Object.keys(rows) as Name[];
  const all = names.map((name): readonly [Name, Row] => [name, rows[name]]);

  function fill<T extends Settings>(into: T, valueIn: (row: Row, name: Name) => Settings[Name]): T {
    const settings: Writable<Settings> = into;
    for (const [name, row] of all) settings[name] = valueIn(row, name);
    return into;
  }
  const unset = compact(fill({} as Settings, (row) => row.of(DEFAULT_PORT_OPTIONS, 'ipv4')));
  const collect = (valueIn: (row: Row, name: Name) => Settings[Name]) => fill({ ...unset }, valueIn);

  const agree = (a: Settings, b: Settings): boolean => {
    for (const name of names) if (a[name] !== b[name]) return false;
    return true;
  };
  return {
    names,
    unset,
    ipvsadm: all.flatMap(([, { ipvsadm }]) =>
      Object.entries(ipvsadm).map(([short, { long = short, bare }]) => ({ short, long, hasValue: !bare })),
    ),
    of: (options, family) => collect((row) => row.of(options, family)),
    pick: (from) => collect((_, name) => from[name]),
    differences(was, becomes) {
      if (agree(was, becomes)) return NONE;
      return names
        .filter((name) => was[name] !== becomes[name])
        .map((field) => ({ field, was: was[field] as FieldValue, becomes: becomes[field] as FieldValue }));
    },
    agree,
    fromKernel: (kernel, family, into) => fill(into, (row) => row.fromKernel(kernel, family)),
    write(settings, written) {
      for (const [name, row] of all) row.write(settings[name], written);
    },
    print: (settings, family) =>
      joined(
        all.map(([name, row]) => row.print(settings[name], family)),
        ' ',
      ),
    parse(options, family) {
      let refused: Refused | undefined;
      const settings = collect((row) => {
        const value = row.parse(options, family);
        if (value instanceof Refused) refused ??= value;
        return value as Settings[Name];
      });
      return refused ?? settings;
    },
    describe: (settings, family) =>
      joined(
        all.map(([name, row]) => row.describe?.(settings[name], family) ?? ''),
        ', ',
      ),
  };
}

/** A copy of plain data whose spread copies (`{ ...copy }`) are as small as literals: V8 keeps their fields in the object. */
export function compact<T extends object>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}

const NONE: readonly FieldChange[] = [];

function joined(parts: readonly string[], by: string): string {
  return parts.filter((part) => part !== '').join(by);
}

/** `weight 1 -> 0`, `flags none -> mh-port`. */
export function changeText({ field, was, becomes }: FieldChange): string {
  return `${field} ${was === '' ? 'none' : was} -> ${becomes === '' ? 'none' : becomes}`;
}
