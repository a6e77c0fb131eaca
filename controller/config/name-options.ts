/** The options of the DNS server. */

import { option, wholeNumber, withDefault } from './option.ts';
import { parseDnsListen, parseExtraZones } from './values.ts';

export const nameOptions = {
  dnsListen: withDefault(
    option(parseDnsListen, {
      group: 'Names',
      value: 'ADDRESS:PORT[,…]|off',
      accepted:
        'off or ADDRESS:PORT[,ADDRESS:PORT…], each address once and no wildcard address, for example 198.51.100.4:53,[::1]:53',
      description:
        'Where DNS queries for the zone are answered, over UDP and TCP. An address that this host lacks is added to the interface of `--interface`.',
      commands: ['run', 'doctor', 'why', 'support-bundle'],
    }),
    '198.51.100.4:53',
  ),
  dnsExtraZones: withDefault(
    option(parseExtraZones, {
      group: 'Names',
      value: 'ZONE[,ZONE…]|none',
      accepted: 'none or DNS zones joined by commas, each once and of at most 125 characters',
      description:
        'Additional zones in which every named VIP is also resolved, for clients that use another zone than `--zone`.',
      commands: ['run'],
    }),
    'none',
  ),
  dnsTtlSeconds: withDefault(
    wholeNumber('seconds', 0, 86_400, {
      group: 'Names',
      description: 'Time to live of DNS answers.',
      commands: ['run'],
    }),
    '5',
  ),
};
