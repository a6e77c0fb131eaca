import { z } from 'zod';
import { ControllerError } from '../../errors.ts';
import { infoSchema } from '../../input/marathon-json.ts';
import { isRecord, rejectionOf, shown } from '../../input/rejection.ts';
import { checked } from '../../input/schema-messages.ts';
import type { AppRef, DeploymentProgress, WriteResult } from '../../model/app-writes.ts';
import type { AppWriter } from '../../ports.ts';
import type { MarathonClient, Reply } from './client.ts';
import { appPath, DEPLOYMENTS_PATH, INFO_PATH, LISTED_APPS_PATH, podPath, writePath } from './paths.ts';
import { refusalOf } from './refusal.ts';

/** Writes to one Marathon. Definitions are sent byte for byte, unchecked. */
export function createMarathonWriter(client: MarathonClient): AppWriter {
  return {
    name: client.name,
    async framework(signal) {
      const { marathon_config: config } = await read(client, INFO_PATH, infoSchema, signal);
      return config?.framework_name || 'marathon';
    },
    async listApps(signal) {
      const { apps } = await read(client, LISTED_APPS_PATH, appList, signal);
      return apps;
    },
    async show({ kind, id }, signal) {
      const json = await client.get(kind === 'app' ? appPath(id) : podPath(id), signal);
      return kind === 'app' && isRecord(json) ? (json['app'] ?? null) : (json ?? null);
    },
    async add(kind, body, { signal, force = false }) {
      const path = writePath(kind, null, force);
      return resultOf(await client.send({ method: 'POST', path, body }, signal));
    },
    async update({ kind, id }, body, { signal, force = false, whole = false }) {
      const path = writePath(kind, id, force, whole && kind === 'app');
      return resultOf(await client.send({ method: 'PUT', path, body }, signal));
    },
    async remove({ kind, id }: AppRef, { signal, force = false }) {
      return resultOf(await client.send({ method: 'DELETE', path: writePath(kind, id, force) }, signal));
    },
    async deployment(id, signal) {
      const all = await read(client, DEPLOYMENTS_PATH, deploymentList, signal);
      const found = all.find((one) => one.id === id);
      return found === undefined ? null : progressOf(found);
    },
  };
}

const appList = z.object({ apps: z.array(z.unknown()) });

/** Before Marathon 1.0, `steps` was a list of lists of actions, and `currentActions` had `type` instead of `action`. */
const deploymentList = z.array(
  z.object({
    id: z.string(),
    currentStep: z.number().nullish(),
    totalSteps: z.number().nullish(),
    currentActions: z
      .array(
        z.object({
          action: z.string().nullish(),
          type: z.string().nullish(),
          app: z.string().nullish(),
          pod: z.string().nullish(),
        }),
      )
      .nullish(),
  }),
);

function progressOf(deployment: z.infer<typeof deploymentList>[number]): DeploymentProgress {
  const { id, currentStep, totalSteps, currentActions } = deployment;
  return {
    id,
    step: currentStep ?? 1,
    steps: totalSteps ?? 1,
    actions: (currentActions ?? []).map(
      ({ action, type, app, pod }) => `${action ?? type ?? 'Change'} ${app ?? pod ?? ''}`,
    ),
  };
}

async function read<Schema extends z.ZodType>(
  client: MarathonClient,
  path: string,
  schema: Schema,
  signal: AbortSignal,
): Promise<z.output<Schema>> {
  const json = await client.get(path, signal);
  const { data, error } = checked(schema, json);
  if (error === undefined) return data;
  throw new ControllerError(
    'source',
    `GET ${client.name}${path}: unexpected answer: ${rejectionOf(client.name, json, error).at || 'the document'} is missing or has the wrong type; check that this is the address of a Marathon`,
  );
}

const accepted = z.object({
  version: z.string().nullish(),
  deploymentId: z.string().nullish(),
  deployments: z.array(z.object({ id: z.string() })).nullish(),
});

function resultOf({ status, deployment, json, request }: Reply): WriteResult {
  if (status >= 200 && status < 300) {
    const { version, deploymentId, deployments } = accepted.safeParse(json).data ?? {};
    return {
      result: 'accepted',
      version: version ?? null,
      deployment: deployment ?? deploymentId ?? deployments?.[0]?.id ?? null,
    };
  }
  const refusal = refusalOf(status, json);
  if (refusal !== null) return refusal;
  const body = json === null ? 'without a body' : shown(json);
  throw new ControllerError(
    'source',
    `${request}: got status ${status} ${body}, which is not an answer of Marathon; check that this is the address of a Marathon`,
  );
}
