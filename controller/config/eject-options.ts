/** The option for the ejection of backends that do not answer. */

import { choice, withDefault } from './option.ts';

export const ejectOptions = {
  eject: withDefault(
    choice(['on', 'observe', 'off'], {
      group: 'VIPs',
      description:
        'Whether a backend leaves the rotation of this host when clients get no reply from it and connections from this host fail too, whatever its health check says: `on`; `observe`: it is only reported in status and metrics; `off`: backends are not watched. At most half of the backends of a VIP leave, and none while this host reaches less than half of the agents that it tries. An app exempts its backends with the label `IPVS_EJECT=false`.',
      commands: ['run'],
    }),
    'on',
  ),
};
