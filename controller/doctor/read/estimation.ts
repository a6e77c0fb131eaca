import type { EstimationFact } from '../facts.ts';
import { textOf } from './text.ts';

/** Reads the settings of rate estimation; each is null if the kernel does not have it. */
export async function readEstimation(root = ''): Promise<EstimationFact> {
  const [switchedOn, processors, nice] = await Promise.all(
    ['run_estimation', 'est_cpulist', 'est_nice'].map(
      async (name) => (await textOf(`${root}/proc/sys/net/ipv4/vs/${name}`))?.trim() ?? null,
    ),
  );
  return { switchedOn: switchedOn ?? null, processors: processors ?? null, nice: nice ?? null };
}
