import { nearestOption, OPTION_KEYS } from './label-keys.ts';
import {
  DEFAULT_PORT_OPTIONS,
  OPTIONS,
  type OptionRow,
  optionNames,
  type PortOptions,
} from './label-options.ts';
import { Refused } from './values.ts';

/** A label with an invalid value; the default is used. */
interface OptionProblem {
  readonly key: string;
  readonly value: string;
  readonly reason: string;
}

export interface OptionsReading {
  readonly options: PortOptions;
  readonly problems: readonly OptionProblem[];
}

/**
 * Reads the `IPVS_*` labels of a port with a VIP label. A missing or invalid option gets its default, as does a scheduler
 * that the kernel lacks (`lacks`).
 */
export function readPortOptions(
  labels: Readonly<Record<string, string>>,
  defaults: PortOptions = DEFAULT_PORT_OPTIONS,
  lacks: (scheduler: string) => boolean = () => false,
): OptionsReading {
  const { asked, given, problems } = readLabels(labels, defaults);
  if (given.size === 0) return { options: defaults, problems };

  const wrong = new Set(problems.flatMap(({ key }) => NAMES.get(key) ?? []));
  let options = asked;
  const refuse = (name: keyof PortOptions, reason: string | null): void => {
    options = { ...options, [name]: defaults[name] };
    wrong.add(name);
    const { label } = OPTIONS[name];
    if (reason !== null) problems.push({ key: label, value: given.get(name) ?? '', reason });
  };
  if (asked.scheduler !== defaults.scheduler && lacks(asked.scheduler))
    refuse('scheduler', lackingReason(asked.scheduler, defaults.scheduler));
  for (const name of given.keys()) {
    const { beside } = OPTIONS[name] as OptionRow<unknown>;
    const fault = wrong.has(name) ? null : (beside?.fault(options[name], options) ?? null);
    // A fault that only follows from an invalid other label is not reported.
    if (beside !== undefined && fault !== null) refuse(name, wrong.has(beside.option) ? null : fault);
  }
  return { options, problems };
}

/** Reads each label by itself, over the defaults. */
function readLabels(labels: Readonly<Record<string, string>>, defaults: PortOptions) {
  const problems: OptionProblem[] = [];
  const given = new Map<keyof PortOptions, string>();
  let asked = defaults;
  for (const [key, value] of Object.entries(labels)) {
    if (!key.startsWith('IPVS_')) continue;
    const name = NAMES.get(key);
    if (name !== undefined) given.set(name, value);
    const read = name === undefined ? new Refused(unknownKey(key)) : OPTIONS[name].read(value);
    if (read instanceof Refused) problems.push({ key, value, reason: read.reason });
    else if (name !== undefined) asked = { ...asked, [name]: read };
  }
  return { asked, given, problems };
}

const NAMES: ReadonlyMap<string, keyof PortOptions> = new Map(
  optionNames.map((name) => [OPTIONS[name].label, name]),
);

function unknownKey(key: string): string {
  const nearest = nearestOption(key);
  const hint = nearest === null ? '' : `; did you mean ${nearest}?`;
  return `expected one of the labels ${OPTION_KEYS.join(', ')}${hint}`;
}

/** Why a VIP does not have the scheduler that it asks for. */
export function lackingReason(scheduler: string, instead: string): string {
  return `this host's kernel lacks this scheduler (module ip_vs_${scheduler}), so the VIP has ${instead}; it is tried again every minute`;
}
