/** What the routes answer with. */

import type { DoctorDocument } from '../doctor/document.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { PassStatus } from '../pass-status.ts';
import type { Clock } from '../ports.ts';
import type { HealthLimits } from '../status/checks.ts';
import type { History } from '../status/history.ts';
import type { Status } from '../status/status.ts';
import type { Writing } from './apps.ts';
import type { Following } from './deployments.ts';
import type { Events } from './events.ts';
import type { LiveStatus } from './live-status.ts';
import type { Page } from './page/page.ts';
import { routeOf } from './route.ts';
import type { Walk } from './why.ts';

export interface Services {
  readonly status: () => Status;
  /** The status, with the kernel's counters of this moment. */
  readonly live: () => Promise<LiveStatus>;
  readonly metrics: Pick<Metrics, 'contentType' | 'text'>;
  readonly limits: HealthLimits;
  readonly history: Pick<History, 'ofVip' | 'latest'>;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly events: Events;
  readonly page: Page;
  /** Documents of a pass. */
  readonly vips: (pass: PassStatus) => TaggedBody;
  readonly diff: (pass: PassStatus) => TaggedBody;
  /** Examines this host; undefined where that is not wanted. */
  readonly examine: (() => Promise<DoctorDocument>) | undefined;
  /** Walks the way of a connection; undefined where that is not wanted. */
  readonly walk: Walk | undefined;
  /** Writes to the source, and follows what was written; undefined where that is off. */
  readonly writing: (Writing & { readonly following: Following }) | undefined;
}

export interface TaggedBody {
  readonly body: Buffer;
  readonly tag: string;
}

/** Checks an entry of the list. */
export const route = routeOf<Services>();
