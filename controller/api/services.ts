/** What handlers depend on. It imports no endpoint, so that every endpoint may import it. */

import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { DoctorDocument } from '../doctor/document.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { PassStatus } from '../pass-status.ts';
import type { AppWriter, Clock, Log } from '../ports.ts';
import type { HealthLimits } from '../status/checks.ts';
import type { History } from '../status/history.ts';
import type { Status } from '../status/status.ts';
import type { WhyDocument } from '../why/document.ts';
import type { VipQuery } from '../why/facts.ts';
import type { DeploymentDocument } from './documents.ts';
import type { LiveStatus } from './live-status.ts';
import { type Answer, endpointOf, type Right, routeOf } from './route.ts';

export interface Services {
  readonly status: () => Status;
  /** The status, with the kernel's current counters. */
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
  /** Runs the doctor's checks on this host; undefined if they are disabled. */
  readonly examine: (() => Promise<DoctorDocument>) | undefined;
  /** Traces a connection; undefined if tracing is disabled. */
  readonly trace: TraceConnection | undefined;
  /** Writes apps to the source and follows their deployments; undefined if writing is disabled. */
  readonly writing: (AppWriting & { readonly follow: FollowDeployment }) | undefined;
}

export interface TaggedBody {
  readonly body: Buffer;
  /** The value of its `ETag` header. */
  readonly tag: string;
}

/** The open streams of `GET /v1/events`. */
export interface Events {
  /** Whether another stream may be opened. */
  readonly hasRoom: boolean;
  /** Streams the whole status and then its changes, until either side ends it. The headers must have been sent. */
  add(response: ServerResponse): void;
  /** Ends all open streams and their connections; clients that still have access reconnect. */
  end(): void;
  /** Ends all streams and refuses new ones. */
  close(): void;
}

/** The page's HTML shell and assets, loaded on the first request. */
export interface Page {
  shell(right: Right): Promise<Answer>;
  file(path: string, headers: IncomingHttpHeaders): Promise<Answer>;
}

/** Traces a connection on this host; null while another trace runs, since each of them opens connections. */
export type TraceConnection = (vip: VipQuery) => Promise<WhyDocument> | null;

/** What app routes need in order to write. */
export interface AppWriting {
  readonly writer: AppWriter;
  readonly log: Log;
}

/** Returns the function that reads a deployment's progress; null if too many others are being followed. */
export type FollowDeployment = (
  deployment: string,
  app: string,
) => (() => Promise<DeploymentDocument>) | null;

/** Declares an endpoint, or creates a route, whose handler gets `Services`. */
export const endpoint = endpointOf<Services>();
export const route = routeOf<Services>();
