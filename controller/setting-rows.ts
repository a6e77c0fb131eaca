/** What the rows of `label-options.ts` and `settings.ts` say of each setting. */

import type { PortOptions } from './label-options.ts';
import type { Family } from './model.ts';
import type { IpvsadmOptions, Parsed, Refused } from './setting-values.ts';

/** A label beside a VIP label. */
export interface OptionRow<Value> {
  /** Key of the label. */
  readonly label: string;
  /** Whether all apps of a VIP share it, or each has it for its own backends. */
  readonly of: 'vip' | 'backends';
  readonly unset: Value;
  /** A label's value, or what was expected instead. */
  read(text: string): Value | Refused;
  /** Why the value does not go with that of another label; null where it does. */
  readonly beside?: {
    readonly option: keyof PortOptions;
    fault(value: Value, others: PortOptions): string | null;
  };
  /** As a label has it; the value itself when missing. */
  text?(value: Value): string;
  /** For the table of docs/labels.md, in Markdown. */
  readonly meaning: string;
}

/** A field that the kernel has. `Kernel`: the service or destination as the library has it. */
export interface FieldRow<Value, Kernel> {
  /** For the documents of `/v1`. */
  readonly about: string;
  /** The value that these options ask for. */
  of(options: PortOptions, family: Family): Value;
  /** How the kernel has it. */
  fromKernel(kernel: Kernel, family: Family): Value;
  /** Called in the order of the rows. */
  write(value: Value, written: Writable<Kernel>): void;
  /** Options of ipvsadm, short and long, each with a value unless it is bare. */
  readonly ipvsadm: Readonly<Record<string, { readonly long?: string; readonly bare?: true }>>;
  /** What `ipvsadm` is given for it; empty: nothing. */
  print(value: Value, family: Family): string;
  /** The reverse of `print`. */
  parse(options: IpvsadmOptions, family: Family): Parsed<Value>;
  /** In few words for a person; empty where it is as without labels. Nothing is printed when missing. */
  describe?(value: Value, family: Family): string;
}

export type FieldRows<Settings, Kernel> = {
  readonly [Name in keyof Settings]: FieldRow<Settings[Name], Kernel>;
};

export type Writable<T> = { -readonly [Key in keyof T]: T[Key] };
