/** The shape of the rows in `label-options.ts` and `settings.ts`. */

import type { Family } from '../address.ts';
import type { PortOptions } from './port-options.ts';
import type { IpvsadmOptions, Parsed, Refused } from './values.ts';

/** A label beside a VIP label. */
export interface OptionRow<Value> {
  /** Key of the label: `IPVS_WEIGHT`. */
  readonly label: string;
  /** Whether all apps of a VIP share the value, or each app has one for its own backends. */
  readonly of: 'vip' | 'backends';
  readonly unset: Value;
  /** Parses the text of a label. */
  read(text: string): Value | Refused;
  /** A label that this one depends on, and why their values do not go together; null when they do. */
  readonly beside?: {
    readonly option: keyof PortOptions;
    fault(value: Value, others: PortOptions): string | null;
  };
  /** Formats a value as the text of a label. When missing, the value is its text. */
  text?(value: Value): string;
  /** Markdown for the table in docs/labels.md. */
  readonly meaning: string;
}

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
