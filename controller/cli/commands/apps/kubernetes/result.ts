import type { ForecastVip } from '../../../../desired/forecast.ts';
import { objectKey } from '../../../../kubernetes/resources.ts';
import type { App } from '../../../../model/app.ts';
import { plural } from '../../../../status/format.ts';
import { visible } from '../../../../text/visible.ts';
import { documentText } from '../../../document-text.ts';
import type { KnownObject } from './cluster.ts';
import type { Outcome } from './follow.ts';
import { shownObject } from './messages.ts';
import type { ClusterSession } from './session.ts';
import { backendsText } from './verdict.ts';

/** The change that was requested. */
export interface Undertaking {
  readonly what: 'add' | 'update' | 'remove';
  readonly id: string;
  readonly kind: App['kind'];
  readonly vips: readonly ForecastVip[];
}

const DONE = { add: 'deployed', update: 'updated', remove: 'removed' } as const;

/** Prints the result of a change; `outcome` is null if it was not followed. */
export function printResult(
  undertaking: Undertaking,
  object: KnownObject,
  outcome: Outcome | null,
  { config, ports }: ClusterSession,
): void {
  const { what, id, kind, vips } = undertaking;
  const document = {
    [kind]: id,
    object: objectKey(object),
    generation: object.generation,
    result: outcome === null ? 'accepted' : outcome.done ? DONE[what] : 'ended otherwise',
    reason: outcome?.why ?? null,
    vips,
    backends: outcome?.status.backends ?? null,
    backendsInRotationHere: outcome?.inRotation ?? null,
  };
  ports.print(
    documentText(config.output, document, () => `${visible(sentence(undertaking, object, outcome))}\n`),
  );
}

function sentence({ what, id, vips }: Undertaking, object: KnownObject, outcome: Outcome | null): string {
  const of = shownObject(object);
  if (outcome === null) {
    return what === 'remove'
      ? `${id}: ${of} is removed`
      : `${id}: ${of} is written, generation ${object.generation}`;
  }
  const { done, why, status, inRotation } = outcome;
  const here = inRotation === null ? '' : `, ${plural(inRotation, 'backend')} in rotation on this host`;
  if (what === 'remove')
    return done
      ? `${id} is removed: ${of}${here}`
      : `${of} is marked for removal; ${id} is not removed: ${why}`;
  if (!done) return `${of} is written; ${id} is not ${DONE[what]}: ${why}${here}`;
  const backends = vips.length === 0 ? 'it has no VIP' : (backendsText(status) ?? 'programmed');
  const note = why === null ? '' : `; ${why}`;
  return `${id} is ${DONE[what]}: ${backends}${here} (${of})${note}`;
}
