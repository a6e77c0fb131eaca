/** The causes that `why` can report, in the order of the stages of a connection. `docs/why.md` has a row for each. */

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

/** Codes are a contract: scripts and runbooks use them. */
// biome-ignore format: aligned table
export const CAUSES = {
  'unknown-name':             { stage: 'name', title: 'no app declares this VIP' },
  'wrong-port':               { stage: 'name', title: 'the VIP has other ports' },
  'wrong-protocol':           { stage: 'name', title: 'the VIP has another protocol' },
  'label-rejected':           { stage: 'name', title: "the app's VIP label was rejected" },
  'app-rejected':             { stage: 'name', title: "the app's definition was rejected" },
  'leaving':                  { stage: 'name', title: 'the VIP is being removed' },
  'conflict':                 { stage: 'name', title: "another program's service has this address and port" },
  'no-name-server':           { stage: 'dns', title: 'the client has no name server' },
  'hosts-file':               { stage: 'dns', title: 'the hosts file gives the name another address' },
  'name-server-silent':       { stage: 'dns', title: 'the name server of the client does not answer' },
  'name-server-fails':        { stage: 'dns', title: 'the name server of the client answers with an error' },
  'name-not-known':           { stage: 'dns', title: 'the name server of the client does not know the name' },
  'wrong-address':            { stage: 'dns', title: 'the name resolves to another address' },
  'no-address':               { stage: 'address', title: 'the VIP has no address' },
  'no-backend':               { stage: 'backends', title: 'the VIP has no backend' },
  'unhealthy':                { stage: 'backends', title: 'every backend fails its health check' },
  'no-health-result':         { stage: 'backends', title: 'no health check has given a result yet' },
  'weight-zero':              { stage: 'backends', title: 'a label sets the weight to 0' },
  'ending':                   { stage: 'backends', title: 'every task is being killed' },
  'out-of-rotation':          { stage: 'backends', title: 'no backend gets new connections' },
  'ipvs-missing':             { stage: 'kernel', title: 'this kernel has no IPVS' },
  'dry-run':                  { stage: 'kernel', title: 'the controller runs with --dry-run' },
  'write-failed':             { stage: 'kernel', title: 'the kernel refused a write' },
  'service-missing':          { stage: 'kernel', title: 'the kernel lacks the service' },
  'destination-missing':      { stage: 'kernel', title: 'the kernel lacks a backend' },
  'destination-weight':       { stage: 'kernel', title: 'a backend has weight 0 in the kernel' },
  'destination-forwarding':   { stage: 'kernel', title: 'a backend has another forwarding method in the kernel' },
  'destination-unwanted':     { stage: 'kernel', title: 'the kernel has a backend that no app declares' },
  'interface-missing':        { stage: 'route', title: 'the interface of the VIPs is missing' },
  'interface-down':           { stage: 'route', title: 'the interface of the VIPs is down' },
  'route-refuses':            { stage: 'route', title: 'a route refuses the address' },
  'route-missing':            { stage: 'route', title: 'packets to the VIP leave this host' },
  'forwarding-off':           { stage: 'route', title: 'this host does not forward packets' },
  'conntrack-off':            { stage: 'route', title: 'IPVS does not use connection tracking' },
  'filter-drops':             { stage: 'filters', title: "another program's rule drops packets to the VIP" },
  'filter-drops-backend':     { stage: 'filters', title: "another program's rule drops packets to or from a backend" },
  'filter-policy':            { stage: 'filters', title: 'a chain drops what no rule accepts' },
  'filter-translates':        { stage: 'filters', title: "another program's rule sends packets to the VIP elsewhere" },
  'conntrack-full':           { stage: 'limits', title: 'connection tracking is full' },
  'limit-reached':            { stage: 'limits', title: 'every backend has reached its connection limit' },
  'backend-refuses':          { stage: 'connections', title: 'a backend refuses connections' },
  'backend-silent':           { stage: 'connections', title: 'a backend does not answer' },
  'backend-unreachable':      { stage: 'connections', title: 'a backend cannot be reached' },
  'ports-used-up':            { stage: 'connections', title: 'the client has no source port left' },
  'client-unreachable':       { stage: 'connections', title: 'the client cannot reach the VIP' },
  'vip-refuses':              { stage: 'connections', title: 'connections through the VIP are refused' },
  'no-answer':                { stage: 'connections', title: 'replies do not come back' },
  'not-at-ipvs':              { stage: 'connections', title: 'packets do not reach IPVS' },
  'answered-elsewhere':       { stage: 'connections', title: 'something else answers in place of the VIP' },
} as const satisfies Readonly<Record<string, CauseRow>>;

export type Cause = keyof typeof CAUSES;

export const causes = Object.keys(CAUSES) as readonly Cause[];
