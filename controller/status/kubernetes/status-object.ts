import { z } from 'zod';
import { required } from '../../input/schema-messages.ts';
import type { Versioned } from '../../kubernetes/listing.ts';
import { type MarathonAppStatus, statusSchema } from '../../kubernetes/marathon-app.ts';
import { objectKey } from '../../kubernetes/resources.ts';
import { readDeclaration } from '../../source/kubernetes/declaration.ts';
import type { Subject } from './app-status.ts';

const objectSchema = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    resourceVersion: z.string(),
    uid: z.string(),
    generation: z.int().optional(),
  }),
  // A status that cannot be read, such as one of another version, counts as empty.
  status: statusSchema.optional().catch(undefined),
});

/** A MarathonApp with its current status. */
export interface StatusObject extends Versioned, Subject {
  readonly uid: string;
  readonly status: MarathonAppStatus;
}

/** Reads a MarathonApp from the API server's JSON. Throws if it lacks the metadata of an object. */
export function readStatusObject(json: unknown): StatusObject {
  const { metadata, status = {} } = required(objectSchema, json, 'an object of Kubernetes');
  const { name, namespace, resourceVersion, uid, generation } = metadata;
  const key = objectKey(metadata);
  return {
    name,
    namespace,
    resourceVersion,
    uid,
    generation,
    key,
    status,
    declaration: readDeclaration(json, key),
  };
}
