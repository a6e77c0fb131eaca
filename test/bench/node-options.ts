import { readFileSync } from 'node:fs';

/** The options with which `marathon-ipvs` starts Node, so that a benchmark measures what is shipped. */
export function shippedNodeOptions(): readonly string[] {
  const launcher = readFileSync(new URL('../../controller/marathon-ipvs', import.meta.url), 'utf8');
  const command = launcher.split('\n').find((line) => line.startsWith('set -- "$node" --'));
  const options = command?.match(/(?<= )--[a-z][a-z-]*(=\S+)?/g) ?? [];
  if (options.length === 0) throw new Error('controller/marathon-ipvs has no line `set -- "$node" --OPTION`');
  return options;
}
