/**
 * Makes what is shipped: the program for Node.js in a few modules, with all that it needs beside it, and no node_modules.
 *
 *     npm run build              # into dist/
 *
 * The same source gives the same bytes.
 */

import { chmod, copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, stop } from 'esbuild';
import { makePage } from '../../controller/api/page/made-files.ts';
import { licencesOf, type Package, packagesOf } from './licences.ts';
import { configurationOnly, englishOnly, requestsOnly, versionOnly, withoutNodesUndici } from './smaller.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Processors that netlink brings its compiled part for, and that Node.js 24 runs on. */
const PROCESSORS = ['x64', 'arm64'] as const;

const OPTIONS = {
  absWorkingDir: ROOT,
  entryPoints: {
    'marathon-ipvs': 'controller/main.ts',
    'netns-helper': 'controller/netns-helper.ts',
    'netns-facts': 'controller/netns-facts.ts',
  },
  bundle: true,
  // A module that is imported when it is needed is not read before. Whatever is in one file must be parsed at each start: of
  // 3 MB that takes 0.1 s and 30 MB, and most commands need a tenth of them.
  splitting: true,
  platform: 'node',
  target: 'node24.9',
  format: 'esm',
  conditions: ['ipvs-source', 'built'],
  alias: { 'node-gyp-build': './deploy/build/netlink-addon.cjs' },
  define: {
    // Modules that also write a file of this repository where they are run themselves: here they never are.
    'import.meta.main': 'false',
    __dirname: 'import.meta.dirname',
  },
  // Packages in CommonJS ask for Node's modules this way.
  banner: {
    js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);",
  },
  // Names stay: a stack trace can be read without the map.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  sourcemap: 'linked',
  sourcesContent: false,
  metafile: true,
  // The map names the sources as seen from here, wherever this is written to.
  outdir: 'dist/program',
  outExtension: { '.js': '.mjs' },
  write: false,
  logLevel: 'warning',
} as const satisfies BuildOptions;

/**
 * Makes all of it anew in a folder; gives the packages that are in it. Rejects where the source has an error.
 */
export async function buildInto(folder: string): Promise<readonly Package[]> {
  await rm(folder, { recursive: true, force: true });
  const page = await makePage();
  const inputs = new Set(page.inputs);
  const plugins = [versionOnly, englishOnly, requestsOnly, withoutNodesUndici, configurationOnly(inputs)];
  const { metafile, outputFiles } = await build({ ...OPTIONS, plugins });
  await stop();
  for (const input of Object.keys(metafile.inputs)) inputs.add(input);
  const from = (path: string) => join(ROOT, path);
  const to = (name: string) => join(folder, name);
  const program = (name: string) => join(folder, 'program', name);
  const packages = await packagesOf(ROOT, [...inputs]);
  await mkdir(program('page'), { recursive: true });
  await Promise.all([
    ...outputFiles.map(async ({ path, contents }) => await writeFile(program(basename(path)), contents)),
    ...Object.entries(page.files).map(async ([name, text]) => await writeFile(program(`page/${name}`), text)),
    ...PROCESSORS.map(
      async (processor) =>
        await copyFile(
          from(`node_modules/netlink/prebuilds/linux-${processor}/node.napi.node`),
          program(`netlink-${processor}.node`),
        ),
    ),
    copyFile(from('LICENSE'), to('LICENSE')),
    writeFile(to('licences.txt'), await licencesOf(ROOT, packages)),
    copyFile(from('controller/marathon-ipvs'), to('marathon-ipvs')),
  ]);
  await chmod(to('marathon-ipvs'), 0o755);
  return packages;
}

if (import.meta.main) await buildInto(join(ROOT, 'dist'));
