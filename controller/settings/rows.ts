/** The shape of the rows in `settings.ts`, and of what is derived from them. */

import type { Family } from '../address.ts';
import type { PortOptions } from './label-options.ts';
import type { IpvsadmOptions, Parsed, Refused } from './values.ts';

/** A field of the kernel's service or destination. `Kernel`: its type in the library. */
export interface FieldRow<Value, Kernel> {
  /** Its description in the documents of `/v1`. */
  readonly about: string;
  /** The desired value. */
  of(options: PortOptions, family: Family): Value;
  /** The value in the kernel. */
  fromKernel(kernel: Kernel, family: Family): Value;
  /** Writes the value into what the kernel will get. Called in the order of the rows. */
  write(value: Value, written: Writable<Kernel>): void;
  /** Options of ipvsadm, short and long, each with a value unless it is bare. */
  readonly ipvsadm: Readonly<Record<string, { readonly long?: string; readonly bare?: true }>>;
  /** The options of `ipvsadm` for a value; empty for none. */
  print(value: Value, family: Family): string;
  /** The reverse of `print`. */
  parse(options: IpvsadmOptions, family: Family): Parsed<Value>;
  /** A short text for an operator; empty for the default value. When missing, the field is not shown. */
  describe?(value: Value, family: Family): string;
}

export type FieldRows<Settings, Kernel> = {
  readonly [Name in keyof Settings]: FieldRow<Settings[Name], Kernel>;
};

export type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

export type FieldValue = string | number;

/** A field whose value in the kernel is not the desired one. */
export interface FieldChange {
  readonly field: string;
  readonly was: FieldValue;
  readonly becomes: FieldValue;
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
