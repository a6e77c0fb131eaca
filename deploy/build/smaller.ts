/** What keeps parts of packages, and of Node.js, out of the program that it never uses: each megabyte costs each start 35 ms and 8 MB. */

import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';

/** Of our own package.json, and of client-node's, the version is needed and nothing else. */
export const versionOnly: Plugin = {
  name: 'version-only',
  setup({ onLoad }) {
    onLoad({ filter: /\/package\.json$/ }, async ({ path }) => {
      const { version } = JSON.parse(await readFile(path, 'utf8'));
      return { contents: JSON.stringify({ version }), loader: 'json' };
    });
  },
};

/** Errors in English are in zod's core; its other languages are 0.3 MB. */
export const englishOnly: Plugin = {
  name: 'english-only',
  setup({ onLoad }) {
    onLoad({ filter: /\/zod\/v4\/locales\/index\.js$/ }, () => ({ contents: 'export {};' }));
  },
};

/** Of undici, requests stay: its fetch, WebSocket, caches, mocks and its experimental parser are half of it. */
export const requestsOnly: Plugin = {
  name: 'requests-only',
  setup({ onLoad }) {
    onLoad({ filter: /\/undici\/index\.js$/ }, async ({ path }) => {
      const whole = await readFile(path, 'utf8');
      const contents = whole
        .replaceAll(/require\('\.\/lib\/(?:web|mock|interceptor|cache)\/[^']+'\)/g, '{}')
        .replace('new CacheStorage(kConstruct)', 'undefined');
      return { contents };
    });
    onLoad({ filter: /\/undici\/lib\/milo\// }, () => ({ contents: '' }));
  },
};

/**
 * Makes one module of controller/kubernetes/client-node.ts and what it takes of its package. In that alone esbuild sees that
 * the generated classes are not used; in a module that is loaded later it keeps all of them.
 */
export const configurationOnly = (inputs: Set<string>): Plugin => ({
  name: 'configuration-only',
  setup({ onLoad, initialOptions: { absWorkingDir = '', target = 'esnext' } }) {
    onLoad({ filter: /\/kubernetes\/client-node\.ts$/ }, async ({ path }) => {
      const { outputFiles, metafile } = await build({
        absWorkingDir,
        target,
        entryPoints: [path],
        bundle: true,
        platform: 'node',
        format: 'esm',
        external: ['undici'],
        plugins: [withoutEffects, versionOnly],
        legalComments: 'none',
        write: false,
        metafile: true,
      });
      for (const input of Object.keys(metafile.inputs)) inputs.add(input);
      return { contents: outputFiles[0]?.text ?? '', resolveDir: dirname(path), loader: 'js' };
    });
  },
});

/** Its package does not say of its modules that they only define things: one that is not used may go. */
const withoutEffects: Plugin = {
  name: 'without-effects',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\.?\/.*\.js$/ }, ({ resolveDir, path }) =>
      /\/@kubernetes\/client-node\/dist(?:\/|$)/.test(resolveDir)
        ? { path: resolve(resolveDir, path), sideEffects: false }
        : undefined,
    );
  },
};

/**
 * Takes Node's HTTP modules by a function call. An `import` of one makes Node read each of its properties, and that loads Node's own
 * undici: a tenth of the time that `run` takes to start.
 */
export const withoutNodesUndici: Plugin = {
  name: 'without-nodes-undici',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(?:node:)?https?$/ }, ({ path, kind }) =>
      kind === 'require-call' ? undefined : { path: path.replace(/^node:/, ''), namespace: 'node-http' },
    );
    onLoad({ filter: /.*/, namespace: 'node-http' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule('node:${path}');`,
    }));
  },
};
