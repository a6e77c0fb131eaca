/** Every cause that `why` can name, in the order of a connection's way. `docs/why.md` has a row for each. */

export const STAGES = [
  'name',
  'dns',
  'address',
  'backends',
  'kernel',
  'route',
  'filters',
  'limits',
  'connections',
] as const;
export type StageName = (typeof STAGES)[number];

interface CauseRow {
  readonly stage: StageName;
  /** Completes "Broken: …". */
  readonly title: string;
}

/** Codes are a contract: scripts and runbooks know them. */
// biome-ignore format: aligned table
export const CAUSES = {
  'unknown-name':             { stage: 'name', title: 'no app declares this VIP' },
  'wrong-port':               { stage: 'name', title: 'the VIP has other ports' },
  'wrong-protocol':           { stage: 'name', title: 'the VIP has another protocol' },
  'label-rejected':           { stage: 'name', title: "the app's VIP label was rejected" },
  'leaving':                  { stage: 'name', title: 'the VIP is going away' },
  'conflict':                 { stage: 'name', title: "another program's service has this address and port" },
  'no-backend':               { stage: 'backends', title: 'the VIP has no backend' },
  'unhealthy':                { stage: 'backends', title: 'every backend fails its health check' },
  'no-health-result':         { stage: 'backends', title: 'no health check has given a result yet' },
  'weight-zero':              { stage: 'backends', title: 'a label sets the weight to 0' },
  'ending':                   { stage: 'backends', title: 'every task is being killed' },
  'out-of-rotation':          { stage: 'backends', title: 'no backend gets new connections' },
  'ipvs-missing':             { stage: 'kernel', title: 'this kernel has no IPVS' },
  'dry-run':                  { stage: 'kernel', title: 'the controller only prints what it would do' },
  'write-failed':             { stage: 'kernel', title: 'the kernel refused a write' },
  'service-missing':          { stage: 'kernel', title: 'the kernel lacks the service' },
  'destination-missing':      { stage: 'kernel', title: 'the kernel lacks a backend' },
  'destination-weight':       { stage: 'kernel', title: 'a backend has weight 0 in the kernel' },
  'destination-forwarding':   { stage: 'kernel', title: 'a backend has another forwarding method in the kernel' },
  'destination-unwanted':     { stage: 'kernel', title: 'the kernel has a backend that no app declares' },
} as const satisfies Readonly<Record<string, CauseRow>>;

export type Cause = keyof typeof CAUSES;

export const causes = Object.keys(CAUSES) as readonly Cause[];
