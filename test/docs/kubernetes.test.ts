/** What docs/kubernetes.md says was run, run again: kubectl and the program against the API server stand-in. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { ROOT } from '../../docs/site/repository.ts';
import { startKubernetes } from '../support/kubernetes/start-kubernetes.ts';
import { command } from '../support/shell.ts';
import { typedUnder } from './blocks.ts';

const hasKubectl = (await command(['kubectl', 'version', '--client'])).status === 0;
const title = 'the commands of its section on what was run give what it shows';

(hasKubectl ? test : test.skip)(title, async () => {
  const kubernetes = await startKubernetes({});
  const directory = mkdtempSync(join(tmpdir(), 'marathon-ipvs-kubernetes-'));
  const kubeconfig = join(directory, 'kubeconfig');
  kubernetes.writeKubeconfig(kubeconfig);
  const place = `cd ${fileURLToPath(ROOT)} && export KUBECONFIG=${kubeconfig}`;
  try {
    for (const { line, answer } of typedUnder('docs/kubernetes.md', 'What was run')) {
      // The stand-in runs in this process.
      if (line.startsWith('node ')) continue;
      const { status, stdout, stderr } = await command(['bash', '--norc', '-c', `${place}\n${line}`]);
      // Of a diff: there are differences.
      expect({ line, status, stderr }).toEqual({ line, status: answer === null ? 0 : 1, stderr: '' });
      if (answer !== null) expect(stdout.trim()).toBe(answer.trim());
    }
  } finally {
    await kubernetes.close();
    rmSync(directory, { recursive: true });
  }
});
