/** Ways in which a connection to a VIP breaks on a real host, one by one, each with the cause that `why` must name. */

import type { Cause } from '../../controller/why/causes.ts';

export interface Breakage {
  readonly cause: Cause;
  /** Who did what. */
  readonly by: string;
  /** What is asked; the VIP of `/my-service` unless told otherwise. */
  readonly ask?: string;
  /** Further options of `why`. */
  readonly options?: readonly string[];
  /** A line of shell that breaks it, and one that mends it. */
  readonly breaks?: string;
  readonly mends?: string;
  /** What the proof must have in it. */
  readonly proof?: RegExp;
}

export const VIP = '11.134.217.55';
const SERVICE = `-t ${VIP}:5555`;
const REMOTE = '10.9.0.1:31000';
const OTHER = '10.9.0.1:31001';

/** Of names and apps: the definitions have all of it. */
export const DECLARED: readonly Breakage[] = [
  {
    cause: 'unknown-name',
    by: 'a client that writes the name wrong',
    ask: 'my-servise:5555',
    proof: /my-servise/,
  },
  { cause: 'wrong-port', by: 'a client that uses another port', ask: 'my-service:80', proof: /5555\/tcp/ },
  { cause: 'wrong-protocol', by: 'a client that uses UDP', ask: 'my-service:5555/udp', proof: /tcp only/ },
  { cause: 'label-rejected', by: 'a label without a port', ask: 'nocolon', proof: /VIP_0.*nocolon/ },
  { cause: 'no-backend', by: 'an app without tasks', ask: 'idle:80' },
  { cause: 'unhealthy', by: 'tasks that fail their health check', ask: 'sick', proof: /failing/ },
  { cause: 'no-health-result', by: 'a health check without a result', ask: 'young', proof: /no result yet/ },
  { cause: 'weight-zero', by: 'IPVS_WEIGHT=0', ask: 'resting', proof: /IPVS_WEIGHT/ },
  { cause: 'ending', by: 'tasks that are being killed', ask: 'ending', proof: /being killed/ },
  {
    cause: 'conflict',
    by: "another program's service",
    ask: '192.168.77.7:80',
    // Whose it is says the ledger alone.
    options: ['--ledger', '/run/no-such-ledger.json'],
  },
];

/** Of the kernel's table. */
export const TABLE: readonly Breakage[] = [
  {
    cause: 'service-missing',
    by: 'someone who removes the service',
    breaks: `ipvsadm -D ${SERVICE}`,
    mends: `ipvsadm -A ${SERVICE} -s wlc && ipvsadm -a ${SERVICE} -r ${REMOTE} -m && ipvsadm -a ${SERVICE} -r ${OTHER} -m`,
  },
  {
    cause: 'destination-missing',
    by: 'someone who removes a backend',
    breaks: `ipvsadm -d ${SERVICE} -r ${REMOTE}`,
    mends: `ipvsadm -a ${SERVICE} -r ${REMOTE} -m`,
    proof: /10\.9\.0\.1:31000/,
  },
  {
    cause: 'destination-weight',
    by: 'someone who sets a weight to 0',
    breaks: `ipvsadm -e ${SERVICE} -r ${REMOTE} -m -w 0`,
    mends: `ipvsadm -e ${SERVICE} -r ${REMOTE} -m -w 1`,
    proof: /10\.9\.0\.1:31000/,
  },
  {
    cause: 'destination-forwarding',
    by: 'someone who sets direct routing',
    ask: 'same-port',
    breaks: `ipvsadm -e -t $(ipvsadm -Sn | sed -n 's/^-A -t \\(.*:31000\\) .*/\\1/p') -r ${REMOTE} -g -w 1`,
    mends: `ipvsadm -e -t $(ipvsadm -Sn | sed -n 's/^-A -t \\(.*:31000\\) .*/\\1/p') -r ${REMOTE} -m -w 1`,
  },
  {
    cause: 'destination-unwanted',
    by: 'someone who adds a backend',
    breaks: `ipvsadm -a ${SERVICE} -r 10.9.0.1:31999 -m`,
    mends: `ipvsadm -d ${SERVICE} -r 10.9.0.1:31999`,
    proof: /31999/,
  },
];
