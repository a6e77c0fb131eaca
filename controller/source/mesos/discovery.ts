import { shown } from '../../input/rejection.ts';
import type { Rejection } from '../../model/app.ts';
import { isVipLabel, meaningOf } from '../../settings/label-keys.ts';
import { withLookAlikes } from '../../settings/look-alikes.ts';
import { isTaskLabel, type LabelPair, taskLabelVips } from '../document/task-labels.ts';
import { readable } from './readable.ts';
import { discoveryPortSchema, type MesosLabels, type MesosTask } from './schema.ts';

/** A port of a task's discovery data, with its labels. */
export interface DiscoveryPort {
  /** Index in the task's list, in which ports with number 0 count too. */
  readonly index: number;
  readonly number: number;
  readonly protocol: string | null;
  readonly labels: Readonly<Record<string, string>>;
}

/** What a task's discovery data gives. */
export interface Discovery {
  readonly ports: readonly DiscoveryPort[];
  readonly rejected: readonly Omit<Rejection, 'app'>[];
  readonly warnings: readonly string[];
}

/** Reads the discovery ports of a task one by one: one that is none (number 70000) is rejected, and the others count. */
export function readDiscovery({ discovery }: MesosTask): Discovery {
  const ports: DiscoveryPort[] = [];
  const rejected: Omit<Rejection, 'app'>[] = [];
  const warnings: string[] = [];
  for (const [index, json] of (discovery?.ports?.ports ?? []).entries()) {
    const place = `discovery.ports.ports[${index}]`;
    const { data, problems } = readable(discoveryPortSchema, json);
    for (const { at, value, reason } of problems)
      rejected.push({ at: at === '' ? place : `${place}.${at}`, value, reason });
    if (data === null) continue;
    warnings.push(...besideList(data.labels, `${place}.labels`).slice(0, MAX_REPORTED));
    const labels = labelsOf(data.labels);
    const { number, protocol } = data;
    if (number > 0) ports.push({ index, number, protocol: protocol || null, labels });
    else {
      // Number 0: the container listens on none that its definition knows of.
      for (const key of Object.keys(labels).filter(isVipLabel))
        warnings.push(`${place}.labels.${key} is not used: the port has number 0`);
    }
  }
  return { ports, rejected, warnings };
}

/** VIP and IPVS labels on the task or its discovery data instead of a port, where they have no effect. */
export function strayTaskLabels({ labels, discovery }: MesosTask): readonly string[] {
  const ofTask = pairsOf(labels).filter(({ key, value }) => {
    if (isTaskLabel(key) && taskLabelVips([{ key, value }]).length > 0) return false;
    return meaningOf(key, value, 'labels') !== null;
  });
  const ofDiscovery = pairsOf(discovery?.labels).filter(({ key, value }) => meaningOf(key, value, 'labels'));
  const keys = new Map([
    ...ofTask.map(({ key }) => [`labels.${key}`, key] as const),
    ...ofDiscovery.map(({ key }) => [`discovery.labels.${key}`, key] as const),
  ]);
  const onNoPort = [...keys].map(([path, key]) => `${path} is not used: ${withLookAlikes(ON_PORT, key)}`);
  return [
    ...onNoPort,
    ...besideList(labels, 'labels'),
    ...besideList(discovery?.labels, 'discovery.labels'),
  ].slice(0, MAX_REPORTED);
}

const MAX_REPORTED = 10;
const ON_PORT = 'a VIP label, and those beside it, belong on a port, discovery.ports.ports[].labels';

/** Warns of VIP and IPVS labels in Marathon's notation, in the object that has the list of labels. */
function besideList(labels: MesosLabels, at: string): readonly string[] {
  return Object.entries(labels ?? {})
    .filter(([key, value]) => key !== 'labels' && meaningOf(key, value, 'labels') !== null)
    .map(
      ([key, value]) =>
        `${at}.${key}, ${shown(value)}, is not used: expected {"key": …, "value": …} in ${at}.labels`,
    );
}

/** Labels as Mesos lists them; one key may come more than once. */
export function pairsOf(list: MesosLabels): readonly (LabelPair & { readonly value: string })[] {
  return (list?.labels ?? []).map(({ key, value }) => ({ key, value: value ?? '' }));
}

/**
 * Labels by key. Of two VIP labels with one key both count, as in DC/OS: the second is called `VIP_0#2`. Of others the last
 * one does.
 */
function labelsOf(list: MesosLabels): Readonly<Record<string, string>> {
  const labels = new Map<string, string>();
  for (const { key, value } of pairsOf(list))
    labels.set(isVipLabel(key) ? freeKey(labels, key, value) : key, value);
  // Not by assignment: a label may be called `__proto__`.
  return Object.fromEntries(labels);
}

function freeKey(labels: ReadonlyMap<string, string>, key: string, value: string): string {
  let free = key;
  for (let n = 2; labels.has(free) && labels.get(free) !== value; n += 1) free = `${key}#${n}`;
  return free;
}
