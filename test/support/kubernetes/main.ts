/** Runs the API server stand-in by itself: `main.ts --kubeconfig FILE`; kubectl can then talk to it. */

import { parseArgs } from 'node:util';
import { startKubernetes } from './start-kubernetes.ts';

const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string', default: 'kubeconfig' },
    /** For how long a new kind answers 429. */
    'initialising-ms': { type: 'string', default: '1000' },
  },
});

const kubernetes = await startKubernetes({ initialisingMs: Number(values['initialising-ms']) });
kubernetes.writeKubeconfig(values.kubeconfig);
process.stdout.write(`${kubernetes.url}\n`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void kubernetes.close().then(() => process.exit(0)));
}
