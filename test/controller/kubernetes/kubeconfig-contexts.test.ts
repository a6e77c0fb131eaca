import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { contextNames } from '../../../controller/kubernetes/kubeconfig.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'context-names-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

test('the contexts of all files are read, each once', async () => {
  const KUBECONFIG = [
    file('a', 'contexts:\n- name: prod\n- name: test\n'),
    join(directory, 'missing'),
    file('b', JSON.stringify({ contexts: [{ name: 'test' }, { name: 'dev' }] })),
  ].join(':');
  expect(await contextNames({ KUBECONFIG })).toEqual(['dev', 'prod', 'test']);
});

test.each([
  ['nested too deeply', `contexts: ${'['.repeat(100_000)}`, 'nested deeper than'],
  ['with an unknown tag', 'contexts: !!js/function []', 'Unresolved tag'],
  ['with a key twice', 'contexts: []\ncontexts: []', 'Map keys must be unique'],
  ['without contexts', '', 'expected array'],
])('a file %s is refused', async (_what, text, message) => {
  await expect(contextNames({ KUBECONFIG: file('a', text) })).rejects.toThrow(message);
});
