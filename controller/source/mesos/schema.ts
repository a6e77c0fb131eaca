import { z } from 'zod';
import { BOUNDS } from '../../input/bounds.ts';
import { isRecord, shown } from '../../input/rejection.ts';
import { boundedText, withMessage } from '../../input/schema-messages.ts';
import { placeOf } from '../../model/place.ts';

/**
 * What this program reads of Mesos's JSON (operator API v1, master.proto and mesos.proto of 1.2 to 1.11), and nothing
 * else. As in Marathon's: unknown fields are dropped, and absent lists mean empty. Wrong values are left out on reading
 * (`readable`), with the objects that require them.
 */

/** Text of a bounded length: it gets into messages, the status and the log. */
const bounded = boundedText();
const text = bounded.nullish();
const portNumber = withMessage('a port number from 0 to 65535', 'number', (message) =>
  z.int(message).min(0, message).max(65_535, message),
);
const id = z.object({ value: bounded.min(1) });

/** A value of another type becomes text that the reader of labels rejects: it affects only its own label. */
const labelValue = z
  .unknown()
  .transform((value) => (typeof value === 'string' ? value : shown(value ?? '')))
  .optional();

/** Marathon's form, `{"VIP_0": "/web:80"}`, is an error: it would be an object of unknown fields without labels. */
const labels = z
  .looseObject({
    labels: z
      .array(z.object({ key: bounded, value: labelValue }))
      .max(BOUNDS.labels)
      .nullish(),
  })
  .refine((object) => 'labels' in object || Object.keys(object).length === 0, {
    error: 'expected {"labels": [{"key": …, "value": …}]}',
  })
  .nullish();

/** Any number is taken here: one that is not a port affects only its own mapping. */
const portMapping = z.object({
  host_port: z.number().nullish(),
  container_port: z.number().nullish(),
  protocol: text,
});

const networkInfo = z.object({
  name: text,
  ip_addresses: z.array(z.object({ ip_address: text })).nullish(),
  port_mappings: z.array(portMapping).nullish(),
});

/** A status of a task. */
export const statusSchema = z.object({
  state: text,
  /** Seconds since the epoch, with a fraction. */
  timestamp: z.number().nullish(),
  healthy: z.boolean().nullish(),
  container_status: z.object({ network_infos: z.array(networkInfo).nullish() }).nullish(),
});

/** Ports are read one by one, so that a wrong one affects no other. */
export const discoveryPortSchema = z.object({ number: portNumber, name: text, protocol: text, labels });

/** A task in the state of a master or an agent, or in an event. */
export const taskSchema = z.object({
  name: text,
  task_id: id,
  framework_id: id,
  agent_id: id,
  executor_id: z.object({ value: text }).nullish(),
  state: text,
  statuses: z.array(statusSchema).nullish(),
  resources: z
    .array(
      z.object({
        name: text,
        ranges: z
          .object({ range: z.array(z.object({ begin: z.number(), end: z.number() })).nullish() })
          .nullish(),
      }),
    )
    .nullish(),
  labels,
  discovery: z
    .object({
      name: text,
      ports: z.object({ ports: z.array(z.unknown()).max(BOUNDS.ports).nullish() }).nullish(),
      labels,
    })
    .nullish(),
  container: z
    .object({
      type: text,
      docker: z.object({ port_mappings: z.array(portMapping).nullish() }).nullish(),
      network_infos: z.array(networkInfo).nullish(),
    })
    .nullish(),
  health_check: z.unknown().optional(),
});

/** A malformed domain counts as absent: an agent is not lost because its place is unknown. */
const domain = z
  .object({
    fault_domain: z
      .object({ region: z.object({ name: text }).nullish(), zone: z.object({ name: text }).nullish() })
      .nullish(),
  })
  .nullish()
  .catch(null);

/** An agent, as its id, host name and fault domain. */
export const agentInfoSchema = z
  .object({ id, hostname: bounded.min(1), domain })
  .transform(({ id, hostname, domain }) => {
    const { region, zone } = domain?.fault_domain ?? {};
    return { id: id.value, host: hostname, place: placeOf({ region: region?.name, zone: zone?.name }) };
  });
/** The host name in an `agent_info` that is otherwise unreadable; null if it has none. */
export function hostIn(info: unknown): string | null {
  const host = isRecord(info) ? info['hostname'] : undefined;
  return bounded.min(1).safeParse(host).data ?? null;
}
export const agentSchema = z.object({ agent_info: agentInfoSchema });
export const frameworkInfoSchema = z
  .object({ id, name: bounded })
  .transform(({ id, name }) => ({ id: id.value, name }));
export const frameworkSchema = z.object({ framework_info: frameworkInfoSchema });

/** An agent; `place` is undefined without a fault domain. */
export type MesosAgent = z.infer<typeof agentInfoSchema>;
export type MesosTask = z.infer<typeof taskSchema>;
export type MesosStatus = z.infer<typeof statusSchema>;
export type MesosLabels = z.infer<typeof labels>;
export type MesosPortMapping = z.infer<typeof portMapping>;
export type MesosNetworkInfo = z.infer<typeof networkInfo>;
