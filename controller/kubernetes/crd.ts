/**
 * Generates the CustomResourceDefinition from the schemas that the source reads objects with, so that they cannot drift apart.
 * `npm run crd` writes it to deploy/kubernetes/base/crd.yaml.
 */

import { writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { z } from 'zod';
import { isRecord } from '../input/rejection.ts';
import { specSchema, statusSchema } from './marathon-app.ts';
import { MARATHON_APPS } from './resources.ts';

type Schema = Record<string, unknown>;

/** A validation expression of the API server, and its error message (Kubernetes 1.25 and later). */
interface Rule {
  readonly rule: string;
  readonly message: string;
}

/** Validation rules by the path of their schema. */
const RULES: Readonly<Record<string, readonly Rule[]>> = {
  spec: [
    {
      rule: '(has(self.app) ? 1 : 0) + (has(self.pod) ? 1 : 0) + (has(self.relayed) ? 1 : 0) == 1',
      message: 'expected exactly one of app, pod and relayed',
    },
  ],
  'spec.endpoints': [
    {
      rule: 'has(self.service) != has(self.selector)',
      message: 'expected exactly one of service and selector',
    },
  ],
  'spec.endpoints.selector': [
    {
      rule: '(has(self.matchLabels) && size(self.matchLabels) > 0) || (has(self.matchExpressions) && size(self.matchExpressions) > 0)',
      message: 'expected at least one label',
    },
  ],
  'spec.endpoints.selector.matchExpressions[]': [
    {
      rule: "self.operator in ['In', 'NotIn'] ? has(self.values) && size(self.values) > 0 : !has(self.values) || size(self.values) == 0",
      message: 'In and NotIn need values, Exists and DoesNotExist take none',
    },
  ],
};

/** Objects with Marathon's fields: unlisted ones are preserved. */
const OPEN = /^spec\.(app|pod)\b/;

const conditionPath = (type: string, field: string) => `.status.conditions[?(@.type=="${type}")].${field}`;

/** Columns of `kubectl get`; those of priority 1 only with `-o wide`. */
const COLUMNS = [
  { name: 'VIP', type: 'string', jsonPath: '.status.vip' },
  { name: 'Address', type: 'string', jsonPath: '.status.address' },
  { name: 'Backends', type: 'string', jsonPath: '.status.backends' },
  { name: 'Ready', type: 'string', jsonPath: conditionPath('Ready', 'status') },
  { name: 'Reason', type: 'string', jsonPath: conditionPath('Ready', 'reason') },
  ...['Accepted', 'ResolvedRefs', 'Programmed'].map((type) => ({
    name: type,
    type: 'string',
    jsonPath: conditionPath(type, 'status'),
    priority: 1,
  })),
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
];

/** The CustomResourceDefinition of MarathonApp. */
export function customResourceDefinition(): Schema {
  const { group, version, kind, plural } = MARATHON_APPS;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: {
        kind,
        plural,
        singular: 'marathonapp',
        listKind: `${kind}List`,
        shortNames: ['mapp'],
        // `kubectl get marathon-ipvs`. Not `all`: a relay publishes thousands.
        categories: ['marathon-ipvs'],
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: COLUMNS,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description: 'A Marathon app or pod whose VIPs are balanced to endpoints of this cluster.',
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string' },
                kind: { type: 'string' },
                metadata: { type: 'object' },
                spec: structural(z.toJSONSchema(specSchema, JSON_SCHEMA), 'spec'),
                status: structural(z.toJSONSchema(statusSchema, JSON_SCHEMA), 'status'),
              },
            },
          },
        },
      ],
    },
  };
}

const JSON_SCHEMA = { target: 'openapi-3.0', unrepresentable: 'any', io: 'input' } as const;

/** Keys that mean the same in JSON Schema and in a structural schema. */
const KEPT = ['type', 'description', 'minLength', 'maxLength', 'minItems', 'maxItems', 'nullable', 'pattern'];

/** Converts a JSON Schema to a structural schema, which allows no alternatives and marks free-form values. */
function structural(json: unknown, path: string): Schema {
  if (!isRecord(json)) throw new Error(`${path}: no schema`);
  const schema = { ...scalarPart(json), ...nested(json, path) };
  // Free-form values and alternatives of several types cannot be checked by the server.
  if (json['type'] === undefined) {
    const { description } = schema;
    const anything = { 'x-kubernetes-preserve-unknown-fields': true, nullable: true };
    return description === undefined ? anything : { description, ...anything };
  }
  const rules = RULES[path];
  return rules === undefined ? schema : { ...schema, 'x-kubernetes-validations': rules };
}

function scalarPart(json: Schema): Schema {
  const schema: Schema = {};
  for (const key of KEPT) if (json[key] !== undefined) schema[key] = json[key];
  // The server would refuse null in a nullable enum, and Marathon itself writes `"network": null`.
  if (json['enum'] !== undefined && json['nullable'] !== true) schema['enum'] = json['enum'];
  if (json['format'] === 'date-time') schema['format'] = 'date-time';
  for (const bound of ['minimum', 'maximum']) {
    const value = json[bound];
    // zod gives numbers without bounds those of a safe integer.
    if (typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER) schema[bound] = value;
  }
  return schema;
}

function nested(json: Schema, path: string): Schema {
  const { properties, additionalProperties, required, items } = json;
  const schema: Schema = {};
  if (isRecord(properties)) {
    schema['properties'] = Object.fromEntries(
      Object.entries(properties).map(([name, one]) => [name, structural(one, `${path}.${name}`)]),
    );
    if (Array.isArray(required) && required.length > 0) schema['required'] = required;
    if (OPEN.test(path)) schema['x-kubernetes-preserve-unknown-fields'] = true;
  } else if (isRecord(additionalProperties)) {
    schema['additionalProperties'] = structural(additionalProperties, `${path}{}`);
  }
  if (items !== undefined) schema['items'] = structural(items, `${path}[]`);
  return path === 'status.conditions' ? { ...schema, ...BY_TYPE } : schema;
}

/** Lets each writer own the entries that it writes. */
const BY_TYPE: Schema = { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] };

/** Returns the text of crd.yaml. */
export function crdText(): string {
  const head = '# Generated by `npm run crd` from controller/kubernetes/marathon-app.ts: do not edit.\n';
  return head + stringify(customResourceDefinition(), { lineWidth: 0, aliasDuplicateObjects: false });
}

if (import.meta.main) {
  writeFileSync(new URL('../../deploy/kubernetes/base/crd.yaml', import.meta.url), crdText());
}
