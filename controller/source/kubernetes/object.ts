import { z } from 'zod';
import { isRecord } from '../../input/rejection.ts';
import { required } from '../../input/schema-messages.ts';
import { type LabelSelector, marathonAppSchema } from '../../kubernetes/marathon-app.ts';
import { type ObjectName, objectKey } from '../../kubernetes/resources.ts';
import type { App, Rejection } from '../../model/app.ts';
import { absoluteId } from '../document/documents.ts';
import { type Declaration, readDeclaration, selectorOf } from './declaration.ts';

/** The stored form of a MarathonApp: what it declares, or why it is invalid. */
export interface DeclaredObject extends ObjectName {
  readonly resourceVersion: string;
  /** RFC 3339. If two objects declare the same app, the older one counts. */
  readonly createdAt: string;
  readonly uid?: string | undefined;
  /** Changes only with the spec. */
  readonly generation?: number | undefined;
  readonly declaration: Declaration | Rejection;
  /** The app and endpoints of an invalid object, if they can be read. */
  readonly identity?: DeclaredIdentity;
}

const schema = z.object({
  metadata: z.object({
    name: z.string().min(1),
    namespace: z.string().min(1),
    resourceVersion: z.string().min(1),
    // What only orders or compares objects is no reason not to read one.
    creationTimestamp: z.string().nullish().catch(undefined),
    uid: z.string().optional().catch(undefined),
    generation: z.int().optional().catch(undefined),
  }),
});

/** Reads a MarathonApp, valid or not. Throws when it has no name: it is not a Kubernetes object then. */
export function readDeclaredObject(json: unknown): DeclaredObject {
  const { creationTimestamp, ...metadata } = required(schema, json, 'an object of Kubernetes').metadata;
  const declaration = readDeclaration(json, objectKey(metadata));
  const identity = 'selector' in declaration ? null : identityOf(json);
  return { ...metadata, createdAt: creationTimestamp ?? '', declaration, ...(identity && { identity }) };
}

/** What can be read of an invalid object. */
interface DeclaredIdentity extends Pick<App, 'id' | 'framework'> {
  /** Matches every EndpointSlice of the namespace if the selector cannot be read. */
  readonly selector: LabelSelector;
}

const endpointsSchema = marathonAppSchema.shape.spec.shape.endpoints;

/** The app that a MarathonApp declares; null when it cannot be read. */
function identityOf(json: unknown): DeclaredIdentity | null {
  const spec = isRecord(json) ? json['spec'] : undefined;
  if (!isRecord(spec)) return null;
  const { framework = 'marathon' } = spec;
  const [declares] = ['app', 'pod', 'relayed'].map((kind) => spec[kind]).filter(isRecord);
  const id = declares?.['id'];
  if (typeof id !== 'string' || id === '' || typeof framework !== 'string') return null;
  const { data: endpoints } = endpointsSchema.safeParse(spec['endpoints']);
  return {
    id: absoluteId(id, '/'),
    framework,
    selector: endpoints === undefined ? {} : selectorOf(endpoints),
  };
}

/**
 * The declaration of a saved app. How its ports match those of EndpointSlices was not saved: its tasks keep their
 * ports.
 */
export function declarationOf(saved: App, selector: LabelSelector): Declaration {
  const { id, kind, framework, labelsPerTask, rejected, warnings } = saved;
  const ports = saved.ports.map((port, index) => ({ port, name: null, containerPort: null, index }));
  const known = { id, kind, framework, ports, rejected, warnings, selector };
  return { ...known, versions: new Map(), ...(labelsPerTask && { labelsPerTask }) };
}
