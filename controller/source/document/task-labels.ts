/** A VIP on the n-th host port of a task, declared by a label of the task itself. */
export interface TaskLabelVip {
  /** `labels.vip_PORT0`. */
  readonly at: string;
  /** Index among the task's host ports. */
  readonly index: number;
  readonly protocols: readonly string[];
  /** The rest of the value, as the VIP label of a port. */
  readonly labels: Readonly<Record<string, string>>;
}

const TASK_LABEL = /^vip_port(\d{1,5})$/i;
const SCHEME = /^(tcp|udp):\/\/(.*)$/s;

/** Whether this key may be one of `taskLabelVips`. */
export function isTaskLabel(key: string): boolean {
  return TASK_LABEL.test(key);
}

/** A label in a list, in which a key may be repeated. */
export interface LabelPair {
  readonly key: string;
  readonly value: unknown;
}

/**
 * Reads labels `vip_PORT<n> = tcp://VALUE`, the form in use before ports had labels: VALUE is a VIP on the task's n-th
 * host port. As in DC/OS, values without `tcp://` or `udp://` are not VIPs (dcos_net_mesos_listener,
 * `handle_task_label`).
 */
export function taskLabelVips(labels: readonly LabelPair[]): readonly TaskLabelVip[] {
  const vips: TaskLabelVip[] = [];
  const places = new Map<string, number>();
  for (const { key, value } of labels) {
    const index = TASK_LABEL.exec(key)?.[1];
    const [, protocol, vip] = (typeof value === 'string' && index !== undefined && SCHEME.exec(value)) || [];
    if (index === undefined || protocol === undefined || vip === undefined) continue;
    const label = { [`VIP_PORT${index}`]: vip };
    const before = places.get(key) ?? 0;
    places.set(key, before + 1);
    const at = before === 0 ? `labels.${key}` : `labels.${key}#${before + 1}`;
    vips.push({ at, index: Number(index), protocols: [protocol], labels: label });
  }
  return vips;
}
