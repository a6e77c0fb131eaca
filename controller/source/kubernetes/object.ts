import { z } from 'zod';
import { objectKey } from '../../kubernetes/resources.ts';
import { required } from '../../schema-messages.ts';
import type { DeclaredObject } from './catalogue.ts';
import { readDeclaration } from './declaration.ts';
import { identityOf } from './identity.ts';

const schema = z.object({
  metadata: z.object({
    name: z.string().min(1),
    namespace: z.string().min(1),
    resourceVersion: z.string().min(1),
    creationTimestamp: z.string().nullish(),
    uid: z.string().optional(),
    generation: z.int().optional(),
  }),
});

/** Reads a MarathonApp, usable or not. Throws for what has no name: that is no object of Kubernetes. */
export function readDeclaredObject(json: unknown): DeclaredObject {
  const { creationTimestamp, ...metadata } = required(schema, json, 'an object of Kubernetes').metadata;
  const { name, namespace, resourceVersion, uid, generation } = metadata;
  const declaration = readDeclaration(json, objectKey({ namespace, name }));
  const identity = 'selector' in declaration ? null : identityOf(json);
  return {
    name,
    namespace,
    resourceVersion,
    createdAt: creationTimestamp ?? '',
    uid,
    generation,
    declaration,
    ...(identity !== null && { identity }),
  };
}
