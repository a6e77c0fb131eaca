import { type LabelSelector, marathonAppSchema } from '../../kubernetes/marathon-app.ts';
import type { App } from '../../model.ts';
import { isRecord } from '../../rejection.ts';
import { absoluteId } from '../document/documents.ts';
import { type Declaration, selectorOf } from './declaration.ts';

/** What can be read of an object that cannot be used. */
export interface DeclaredIdentity extends Pick<App, 'id' | 'framework'> {
  /** Selects every EndpointSlice of the namespace where it cannot be read. */
  readonly selector: LabelSelector;
}

const endpointsSchema = marathonAppSchema.shape.spec.shape.endpoints;

/** Which app a MarathonApp declares; null where that cannot be read. */
export function identityOf(json: unknown): DeclaredIdentity | null {
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
