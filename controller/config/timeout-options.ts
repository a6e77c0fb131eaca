/** The timeouts of silent IPVS connections. The kernel has one set per network namespace. */

import { wholeNumber, withoutDefault } from './option.ts';

/** The kernel accepts up to INT_MAX / HZ seconds (ip_vs_set_timeout); a month is far below that for every HZ. */
const MAX_SECONDS = 2_592_000;

function timeout(what: string) {
  return withoutDefault(
    wholeNumber('seconds', 1, MAX_SECONDS, {
      group: 'This host',
      description: `Seconds after which IPVS forgets ${what}. Default: the kernel's setting. It applies to the whole network namespace, including services of other programs.`,
      commands: ['run'],
    }),
  );
}

export const timeoutOptions = {
  tcpTimeout: timeout('an idle TCP connection'),
  tcpFinTimeout: timeout('a TCP connection after a FIN'),
  udpTimeout: timeout('a UDP client that is silent'),
};
