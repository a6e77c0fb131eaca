import { builtinErrors } from './builtin-types.ts';
import { sliceErrors } from './endpoint-slice-rules.ts';
import { admit, type StructuralSchema } from './structural-schema.ts';
import { isObject, type JsonObject, type KubeObject, StatusError } from './types.ts';

/** A kind that is served. */
export interface Kind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly status: boolean;
  /** Paths of lists whose entries have keys, `status.conditions` -> `['type']`; all others are atomic. */
  readonly listKeys: ReadonlyMap<string, readonly string[]>;
  /** Throws where the object is not valid; drops fields that nobody knows. `before`: null for a new one. */
  readonly admit: (object: KubeObject, before: KubeObject | null) => void;
  readonly columns: readonly Column[];
  /** Until when the storage of a new kind answers 429. */
  readonly readyAt: number;
}

export interface Column {
  readonly name: string;
  readonly type: string;
  readonly jsonPath: string;
  /** Above 0: shown by `-o wide` only. */
  readonly priority?: number;
}

const NO_KEYS: Kind['listKeys'] = new Map();

/** The built-in kinds that this project reads or writes, with the class of client-node that has their types. */
const BUILTIN: readonly (readonly [
  group: string,
  kind: string,
  plural: string,
  type: string,
  namespaced: boolean,
])[] = [
  ['', 'Namespace', 'namespaces', 'V1Namespace', false],
  ['', 'Service', 'services', 'V1Service', true],
  ['discovery.k8s.io', 'EndpointSlice', 'endpointslices', 'V1EndpointSlice', true],
  ['coordination.k8s.io', 'Lease', 'leases', 'V1Lease', true],
  ['events.k8s.io', 'Event', 'events', 'EventsV1Event', true],
  [
    'apiextensions.k8s.io',
    'CustomResourceDefinition',
    'customresourcedefinitions',
    'V1CustomResourceDefinition',
    false,
  ],
];

export function builtinKinds(): Kind[] {
  return BUILTIN.map(([group, kind, plural, type, namespaced]) => ({
    group,
    version: 'v1',
    kind,
    plural,
    namespaced,
    status: false,
    listKeys: NO_KEYS,
    admit: (object, before) => {
      const errors = [
        ...builtinErrors(type, object),
        ...(kind === 'EndpointSlice' ? sliceErrors(object, before) : []),
      ];
      if (errors.length > 0) throw invalid(kind, object, errors);
    },
    columns: [],
    readyAt: 0,
  }));
}

/** The kinds that a CustomResourceDefinition defines. */
export function customKinds(definition: KubeObject, readyAt: number): Kind[] {
  const spec = definition['spec'] as {
    group: string;
    scope: string;
    names: { kind: string; plural: string };
    versions: {
      name: string;
      schema: { openAPIV3Schema: StructuralSchema };
      subresources?: { status?: object };
      additionalPrinterColumns?: Column[];
    }[];
  };
  return spec.versions.map(({ name, schema, subresources, additionalPrinterColumns = [] }) => ({
    group: spec.group,
    version: name,
    kind: spec.names.kind,
    plural: spec.names.plural,
    namespaced: spec.scope === 'Namespaced',
    status: subresources?.status !== undefined,
    listKeys: keyedLists(schema.openAPIV3Schema, '', new Map()),
    admit: (object) => {
      const errors = admit(object, schema.openAPIV3Schema);
      if (errors.length > 0) throw invalid(spec.names.kind, object, errors);
    },
    columns: additionalPrinterColumns,
    readyAt,
  }));
}

function keyedLists(
  schema: StructuralSchema,
  path: string,
  found: Map<string, readonly string[]>,
): Kind['listKeys'] {
  const keys = schema['x-kubernetes-list-map-keys'];
  if (schema['x-kubernetes-list-type'] === 'map' && keys !== undefined) found.set(path, keys);
  for (const [name, one] of Object.entries(schema.properties ?? {})) {
    keyedLists(one, path === '' ? name : `${path}.${name}`, found);
  }
  return found;
}

export function invalid(kind: string, object: KubeObject, errors: readonly string[]): StatusError {
  const { name } = isObject(object.metadata) ? object.metadata : { name: '' };
  return new StatusError(422, 'Invalid', `${kind} "${name}" is invalid: ${errors.join(', ')}`, {
    name,
    kind,
    causes: errors.map(causeOf),
  });
}

/** `spec.endpoints: Invalid value: …` as an entry of its own. */
function causeOf(error: string): JsonObject {
  const [, field, message] = /^([\w.[\]{}]+): (.*)$/s.exec(error) ?? [];
  const reason = error.includes('Required value') ? 'FieldValueRequired' : 'FieldValueInvalid';
  return { reason, message: message ?? error, ...(field !== undefined && { field }) };
}
