import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Package } from '../build/licences.ts';
import { NODE_SHA256, NODE_VERSION, type Processor } from '../debian/node-program.ts';

/** What a bill of materials is of. */
export interface Subject {
  readonly component: Component;
  /** Seconds since 1970. */
  readonly madeAt: number;
  readonly packages: readonly Package[];
  /** What else is in it. */
  readonly others?: readonly Component[];
}

export interface Component {
  readonly type: 'library' | 'application' | 'container';
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly purl?: string;
  readonly licenses?: readonly unknown[];
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
}

/**
 * What an artefact consists of, as CycloneDX 1.6 in JSON: the packages of npm, each with the sum that package-lock.json has,
 * and what else is in it. The same artefact has the same text.
 */
export async function billOfMaterials(root: string, subject: Subject): Promise<string> {
  const { component, madeAt, packages, others = [] } = subject;
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
  const libraries = packages.map((one) => library(one, lock.packages[one.folder]?.integrity));
  const components = [...libraries, ...others];
  const described = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { timestamp: new Date(madeAt * 1_000).toISOString(), component },
    components,
    dependencies: [
      { ref: component['bom-ref'], dependsOn: components.map((one) => one['bom-ref']) },
      ...components.map((one) => ({ ref: one['bom-ref'], dependsOn: [] })),
    ],
  };
  const { bomFormat, specVersion, ...rest } = described;
  const serialNumber = `urn:uuid:${uuidOf(JSON.stringify(described))}`;
  return `${JSON.stringify({ bomFormat, specVersion, serialNumber, ...rest }, null, 2)}\n`;
}

function library(one: Package, integrity: string | undefined): Component {
  const [algorithm = '', sum = ''] = integrity?.split(/-(.*)/) ?? [];
  // Packages of our own workspace have none.
  const hashes = algorithm === 'sha512' ? [{ alg: 'SHA-512', content: hexOf(sum) }] : undefined;
  return { ...npmComponent('library', one), ...(hashes !== undefined && { hashes }) };
}

/** The Node.js of npm that a Debian package brings. */
export function nodeComponent(processor: Processor): Component {
  const name = `node-linux-${processor}`;
  return {
    ...npmComponent('application', { name, version: NODE_VERSION, license: 'MIT' }),
    hashes: [{ alg: 'SHA-256', content: NODE_SHA256[processor] }],
  };
}

/** A package of npm. */
export function npmComponent(
  type: Component['type'],
  { name, version, license }: Omit<Package, 'folder'>,
): Component {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  return { type, 'bom-ref': purl, name, version, purl, licenses: licenced(license) };
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
