import type { Clock, Log } from '../../../../controller/ports.ts';
import { ReferenceBook } from '../../../../controller/source/kubernetes/references.ts';
import { kubernetesSource } from '../../../../controller/source/kubernetes/source.ts';
import { StatusWriter } from '../../../../controller/status/kubernetes/writer.ts';
import { nothingRemembered } from '../../../support/builders.ts';
import type { TestKubernetes } from '../../../support/kubernetes/start-kubernetes.ts';
import { translator } from '../../desired/support.ts';
import { clientOf, clock as fast, inBackground, never } from '../../source/kubernetes/setup.ts';
import { silent } from '../../source/support.ts';

interface Writing {
  readonly references?: ReferenceBook;
  readonly clock?: Clock;
  readonly log?: Log;
  readonly random?: () => number;
}

/** A writer of the status of a server's objects until the test ends, and what these desire. */
export async function writing(
  server: TestKubernetes,
  { references = new ReferenceBook(), clock = fast, log = silent, random = Math.random }: Writing = {},
) {
  const client = await clientOf(server);
  const source = kubernetesSource(client, { context: '', clock, gatherMs: 0, references });
  const identity = { namespace: null, identity: 'node-7' };
  const writer = new StatusWriter({ client, clock, log, random, references, ...identity });
  inBackground((signal) => writer.run(signal));
  return { writer, source, desired: translator()(await source.read(never), nothingRemembered) };
}
