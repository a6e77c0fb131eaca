import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Package } from '../build/licences.ts';
import { NODE_SHA256, NODE_VERSION, type Processor } from '../debian/node-program.ts';

export interface Subject {
  readonly version: string;
  /** Seconds since 1970. */
  readonly madeAt: number;
  readonly packages: readonly Package[];
  /** For which processors a Node.js is in it. */
  readonly nodes: readonly Processor[];
}

interface Component {
  readonly type: 'library' | 'application';
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly licenses: readonly unknown[];
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
}

/**
 * What an artefact consists of, as CycloneDX 1.6 in JSON: the packages of npm that are in the program, each with the sum that
 * package-lock.json has, and Node.js where it is in there. The same artefact has the same text.
 */
export async function billOfMaterials(root: string, subject: Subject): Promise<string> {
  const { version, madeAt, packages, nodes } = subject;
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
  const libraries = packages.map((one) => library(one, lock.packages[one.folder]?.integrity));
  const components = [...libraries, ...nodes.map(node)];
  const own = application('marathon-ipvs', version, 'Apache-2.0');
  const described = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { timestamp: new Date(madeAt * 1_000).toISOString(), component: own },
    components,
    dependencies: [
      { ref: own['bom-ref'], dependsOn: components.map((component) => component['bom-ref']) },
      ...components.map((component) => ({ ref: component['bom-ref'], dependsOn: [] })),
    ],
  };
  const { bomFormat, specVersion, ...rest } = described;
  const serialNumber = `urn:uuid:${uuidOf(JSON.stringify(described))}`;
  return `${JSON.stringify({ bomFormat, specVersion, serialNumber, ...rest }, null, 2)}\n`;
}

function library({ name, version, license }: Package, integrity: string | undefined): Component {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  const [algorithm = '', sum = ''] = integrity?.split(/-(.*)/) ?? [];
  // Packages of our own workspace have none.
  const hashes = algorithm === 'sha512' ? [{ alg: 'SHA-512', content: hexOf(sum) }] : undefined;
  return {
    type: 'library',
    'bom-ref': purl,
    name,
    version,
    purl,
    licenses: licenced(license),
    ...(hashes !== undefined && { hashes }),
  };
}

function node(processor: Processor): Component {
  const name = `node-linux-${processor}`;
  return {
    ...application(name, NODE_VERSION, 'MIT'),
    hashes: [{ alg: 'SHA-256', content: NODE_SHA256[processor] }],
  };
}

function application(name: string, version: string, license: string): Component {
  const purl = `pkg:npm/${name}@${version}`;
  return { type: 'application', 'bom-ref': purl, name, version, purl, licenses: licenced(license) };
}

/** One licence by its SPDX id, or an expression of several. */
function licenced(text: string): readonly unknown[] {
  return /[\s()]/.test(text) ? [{ expression: text }] : [{ license: { id: text } }];
}

function hexOf(base64: string): string {
  return Buffer.from(base64, 'base64').toString('hex');
}

/** A UUID of version 8, which a text alone decides. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return parts.join('-');
}
