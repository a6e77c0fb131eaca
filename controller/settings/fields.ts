/** Operations over all fields of a service or backend, derived from the rows in `settings.ts`. */

import type { Destination, VirtualService } from 'ipvs-netlink-ts';
import type { Family } from '../address.ts';
import type { ObservedBackend } from '../model.ts';
import { OPTIONS } from './label-options.ts';
import type { PortOptions } from './port-options.ts';
import type { FieldRow, FieldRows, OptionRow, Writable } from './rows.ts';
import { BACKEND, type BackendSettings, SERVICE, type ServiceSettings } from './settings.ts';
import { type IpvsadmOptions, Refused } from './values.ts';

type Value = string | number;

/** A field whose value in the kernel is not the desired one. */
export interface FieldChange {
  readonly field: string;
  readonly was: Value;
  readonly becomes: Value;
}

/** `weight 1 -> 0`, `flags none -> mh-port`. */
export function changeText({ field, was, becomes }: FieldChange): string {
  return `${field} ${was === '' ? 'none' : was} -> ${becomes === '' ? 'none' : becomes}`;
}

export interface Fields<Settings, Kernel> {
  readonly names: readonly (keyof Settings & string)[];
  /** As they are without labels, over IPv4. */
  readonly unset: Settings;
  /** Options of ipvsadm in their long form, with the short one and whether they have a value. */
  readonly ipvsadm: readonly { readonly short: string; readonly long: string; readonly hasValue: boolean }[];
  /** What these options ask for. */
  of(options: PortOptions, family: Family): Settings;
  /** The settings alone. */
  pick(from: Settings): Settings;
  /** What of it differs; nothing but what can be written: the kernel adds counters of its own (kubernetes #53801). */
  differences(was: Settings, becomes: Settings): readonly FieldChange[];
  agree(a: Settings, b: Settings): boolean;
  /** Sets the fields of `into` to what the kernel has; returns it. */
  fromKernel<T extends Settings>(kernel: Kernel, family: Family, into: T): T;
  /** What is not 0 or empty: the library takes it for none. */
  write(settings: Settings, written: Writable<Kernel>): void;
  /** For `ipvsadm`: `-s wlc -p 300`. */
  print(settings: Settings, family: Family): string;
  /** The reverse of `print`; what a line lacks is as the kernel makes it without. */
  parse(options: IpvsadmOptions, family: Family): Settings | Refused;
  /** For a person: `wlc, persistent 60 s`; empty where there is nothing to say. */
  describe(settings: Settings, family: Family): string;
}

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
        .map((field) => ({ field, was: was[field] as Value, becomes: becomes[field] as Value }));
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

/** Names of the options, in the order of their rows. */
export const optionNames = Object.keys(OPTIONS) as (keyof PortOptions)[];

/** The options of ports without labels. */
export const DEFAULT_PORT_OPTIONS = Object.fromEntries(
  optionNames.map((name) => [name, OPTIONS[name].unset]),
) as unknown as PortOptions;

export const serviceFields: Fields<ServiceSettings, VirtualService> = fieldsOf(SERVICE);
export const backendFields: Fields<BackendSettings, Destination> = fieldsOf(BACKEND);

/** The base of every observed backend: each is a copy with its own fields. */
export const NO_BACKEND: ObservedBackend = compact({
  address: '',
  port: 0,
  ...backendFields.unset,
  activeConnections: 0,
  inactiveConnections: 0,
});

/** Options as labels: `IPVS_SCHEDULER mh, IPVS_SCHEDULER_FLAGS mh-port`. */
export function optionsText(names: readonly (keyof PortOptions)[], options: PortOptions): string {
  return names.map((name) => `${OPTIONS[name].label} ${optionText(name, options)}`).join(', ');
}

function optionText(name: keyof PortOptions, options: PortOptions): string {
  const { text = String } = OPTIONS[name] as OptionRow<unknown>;
  return text(options[name]) || 'none';
}

/** The options that all apps of a VIP share and in which these two differ. */
export function sharedOptionsThatDiffer(a: PortOptions, b: PortOptions): readonly (keyof PortOptions)[] {
  if (a === b) return NO_OPTIONS;
  return optionNames.filter(
    (name) => OPTIONS[name].of === 'vip' && optionText(name, a) !== optionText(name, b),
  );
}

const NO_OPTIONS: readonly (keyof PortOptions)[] = [];
