import { readFileSync } from 'node:fs';

/** The options with which `marathon-ipvs` starts Node, so that a benchmark measures what is shipped. */
export function shippedNodeOptions(): readonly string[] {
  const launcher = readFileSync(new URL('../../controller/marathon-ipvs', import.meta.url), 'utf8');
  const options = /^memory='(.+)'$/m.exec(launcher)?.[1]?.split(' ');
  if (options === undefined) throw new Error("controller/marathon-ipvs has no line memory='OPTIONS'");
  return [...options, '--conditions=ipvs-source', '--disable-warning=ExperimentalWarning'];
}
