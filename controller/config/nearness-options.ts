/** The options for traffic to the nearest backends, and for the place of this host. */

import { TRAFFIC_DISTRIBUTIONS } from '../settings/label-options.ts';
import { type CommandName, choice, option, withDefault, withoutDefault } from './option.ts';
import { parseHostId, parsePlaceName } from './values.ts';

const DECIDES: readonly CommandName[] = ['run', 'diff', 'why'];
const NAME = 'a text of 1 to 255 characters, without blanks and control characters';

export const nearnessOptions = {
  trafficDistribution: withDefault(
    choice(TRAFFIC_DISTRIBUTIONS, {
      group: 'VIPs',
      description:
        'Which backends get connections of VIPs without the label `IPVS_TRAFFIC_DISTRIBUTION`, with the names of Kubernetes: `Cluster`: all; `PreferSameZone`: those in the zone of this host, as long as one of them is in rotation, else those in its region, else all; `PreferSameNode`: first those on this host, then the same.',
      commands: DECIDES,
    }),
    'Cluster',
  ),
  nodeRegion: withoutDefault(
    option(parsePlaceName, {
      group: 'This host',
      value: 'NAME',
      accepted: NAME,
      description:
        'Region of this host, as the sources name it. Default: that of a task or an agent at an address of this host.',
      commands: DECIDES,
    }),
  ),
  nodeZone: withoutDefault(
    option(parsePlaceName, {
      group: 'This host',
      value: 'NAME',
      accepted: NAME,
      description:
        'Zone of this host, as the sources name it. Default: that of a task or an agent at an address of this host, or of an endpoint on its Kubernetes node.',
      commands: DECIDES,
    }),
  ),
  nodeName: withDefault(
    option(parseHostId, {
      group: 'This host',
      value: 'NAME|auto',
      accepted: `auto or ${NAME}`,
      description: 'Name of this host as a Kubernetes node. `auto`: the host name.',
      commands: DECIDES,
    }),
    'auto',
  ),
};
