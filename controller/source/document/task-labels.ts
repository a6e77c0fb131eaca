/** A VIP on the n-th host port of a task, asked for by a label of the task itself. */
export interface TaskLabelVip {
  /** `labels.vip_PORT0`. */
  readonly at: string;
  /** Which of the task's host ports. */
  readonly index: number;
  readonly protocols: readonly string[];
  /** The rest of the text as the VIP label of a port. */
  readonly labels: Readonly<Record<string, string>>;
}

const TASK_LABEL = /^vip_port(\d{1,5})$/i;
const SCHEME = /^(tcp|udp):\/\/(.*)$/s;

/** Whether a label of this key may be one of `taskLabelVips`. */
export function isTaskLabel(key: string): boolean {
  return TASK_LABEL.test(key);
}

/**
 * Labels `vip_PORT<n> = tcp://VALUE`, the form before ports had labels: VALUE is a VIP on the task's n-th host port.
 * Values without `tcp://` or `udp://` are no VIPs in DC/OS either (dcos_net_mesos_listener, `handle_task_label`).
 */
export function taskLabelVips(
  labels: Readonly<Record<string, unknown>> | null | undefined,
): readonly TaskLabelVip[] {
  const vips: TaskLabelVip[] = [];
  for (const [key, value] of Object.entries(labels ?? {})) {
    const index = TASK_LABEL.exec(key)?.[1];
    const [, protocol, vip] = (typeof value === 'string' && index !== undefined && SCHEME.exec(value)) || [];
    if (index === undefined || protocol === undefined || vip === undefined) continue;
    const label = { [`VIP_PORT${index}`]: vip };
    vips.push({ at: `labels.${key}`, index: Number(index), protocols: [protocol], labels: label });
  }
  return vips;
}
