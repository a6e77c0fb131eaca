import { z } from 'zod';
import { type LabelSelector, marathonAppSchema } from '../../kubernetes/marathon-app.ts';
import { type ObjectName, objectKey } from '../../kubernetes/resources.ts';
import type { App, Rejection } from '../../model.ts';
import { isRecord } from '../../rejection.ts';
import { required } from '../../schema-messages.ts';
import { absoluteId } from '../document/documents.ts';
import { type Declaration, readDeclaration, selectorOf } from './declaration.ts';

/** A MarathonApp as it is kept: what it declares, or why it cannot be used. */
export interface DeclaredObject extends ObjectName {
  readonly resourceVersion: string;
  /** RFC 3339: of two objects that declare one app the older one counts. */
  readonly createdAt: string;
  readonly uid?: string | undefined;
  /** The same as long as its spec is. */
  readonly generation?: number | undefined;
  readonly declaration: Declaration | Rejection;
  /** Which app it declares, and with which endpoints, where it cannot be used and that can be read. */
  readonly identity?: DeclaredIdentity;
}

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
  const declaration = readDeclaration(json, objectKey(metadata));
  const identity = 'selector' in declaration ? null : identityOf(json);
  return { ...metadata, createdAt: creationTimestamp ?? '', declaration, ...(identity && { identity }) };
}

/** What can be read of an object that cannot be used. */
interface DeclaredIdentity extends Pick<App, 'id' | 'framework'> {
  /** Selects every EndpointSlice of the namespace where it cannot be read. */
  readonly selector: LabelSelector;
}

const endpointsSchema = marathonAppSchema.shape.spec.shape.endpoints;

/** Which app a MarathonApp declares; null where that cannot be read. */
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

/** What an app that was saved declared. By which ports of its EndpointSlices was not saved: its tasks keep theirs. */
export function declarationOf(saved: App, selector: LabelSelector): Declaration {
  const { id, kind, framework, labelsPerTask, rejected, warnings } = saved;
  const ports = saved.ports.map((port, index) => ({ port, name: null, containerPort: null, index }));
  const known = { id, kind, framework, ports, rejected, warnings, selector };
  return { ...known, versions: new Map(), ...(labelsPerTask && { labelsPerTask }) };
}
