import type { Delta } from '../../../controller/model/delta.ts';
import type { Snapshot } from '../../../controller/model/snapshot.ts';
import type { Clock, SourceListener } from '../../../controller/ports.ts';
import { createRelayHealth } from '../../../controller/relay/health.ts';
import { runRelay } from '../../../controller/relay/relay.ts';
import type { TestKubernetes } from '../../support/kubernetes/start-kubernetes.ts';
import { Telling } from '../../support/telling.ts';
import { clientOf, clock as fast, inBackground } from '../source/kubernetes/setup.ts';
import { silent } from '../source/support.ts';

interface Relaying {
  readonly token?: string;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/** A relay of one source until the test ends; `say` is what that source has from then on. */
export async function relaying(
  server: TestKubernetes,
  first: Snapshot,
  { token, clock = fast, random = Math.random }: Relaying = {},
) {
  const health = createRelayHealth(['file=test'], clock, 60_000);
  let listener: SourceListener | null = null;
  let last = first;
  let telling = new Telling();
  const say = (now: Snapshot) => {
    last = now;
    listener?.changed(telling.delta(now, true, clock.monotonic()) as Delta);
  };
  const source = {
    name: 'file=test',
    read: async () => last,
    follow: async (to: SourceListener, signal: AbortSignal) => {
      listener = to;
      telling = new Telling();
      say(last);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
  };
  const client = await clientOf(server, token);
  const options = { client, sources: [source], clock, log: silent, observer: health.observer, random };
  const identity = { namespace: 'default', name: 'default', identity: 'me', settleMs: 1 };
  inBackground((signal) => runRelay({ ...options, ...identity }, signal));
  return { health, say };
}
