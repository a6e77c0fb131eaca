/** Runs the test Marathon by itself: `main.ts --port 8080 --agent 127.0.0.1 --agent 10.9.0.2=agent2`. */

import { parseArgs } from 'node:util';
import { startMarathon } from './start-marathon.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8080' },
    host: { type: 'string', default: '127.0.0.1' },
    /** HOST, or HOST=NETNS for a network namespace of this machine. */
    agent: { type: 'string', multiple: true, default: ['127.0.0.1'] },
    masters: { type: 'string', default: '1' },
    'framework-name': { type: 'string', default: 'marathon' },
    /** Start no process: instances are only said to run. */
    simulate: { type: 'boolean', default: false },
  },
});

const marathon = await startMarathon({
  host: values.host,
  port: Number(values.port),
  masters: Number(values.masters),
  frameworkName: values['framework-name'],
  portRange: { from: 31_000, to: 32_000 },
  processes: !values.simulate,
  output: 'inherit',
  agents: values.agent.map((agent) => {
    const [hostname = '', netns] = agent.split('=');
    return netns === undefined ? { hostname } : { hostname, netns };
  }),
});
process.stdout.write(`${marathon.urls.join('\n')}\n`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void marathon.close().then(() => process.exit(0)));
}
